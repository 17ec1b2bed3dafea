// SPDX-License-Identifier: MIT
// Where the decisions of a run come from: a seed, or the bytes of a fuzzer.

/// The same seed, or the same bytes, make the same run.
struct Choices {
    private var state: UInt64
    private var bytes: UnsafeBufferPointer<UInt8>?
    private var position = 0

    init(seed: UInt64) {
        state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        bytes = nil
    }

    init(bytes: UnsafeBufferPointer<UInt8>) {
        state = 1
        self.bytes = bytes
    }

    /// Are there bytes left? A seed never ends.
    var isAtEnd: Bool { bytes.map { position >= $0.count } ?? false }

    /// A number below `limit`, which is at most 256.
    mutating func below(_ limit: Int) -> Int {
        if let bytes {
            guard position < bytes.count else { return limit - 1 }
            defer { position += 1 }
            return Int(bytes[position]) % limit
        }
        // xorshift64*: Marsaglia, Vigna.
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 0x2545_f491_4f6c_dd1d) >> 40) % limit
    }

    /// True once in `times`.
    mutating func once(in times: Int) -> Bool { below(times) == 0 }

    mutating func pick<T>(_ from: [T]) -> T { from[below(from.count)] }
}
