// SPDX-License-Identifier: MIT
// What is kept of an id: 16 bytes for look-ups, and 16 beside them for sets and SPIDs.

import CIOASID
import CIOASIDCore
import CIOASIDRuntime
import IOASIDMemory
import IOASIDRuntime
import Synchronization

/// What a look-up touches, and nothing else: at 2^20 ids the memory is the cost.
package struct Slot: ~Copyable {
    package let word: Atomic<UInt64>
    package let data: Atomic<UInt>
}

/// Membership of a set and the set-private id.
package struct Links: ~Copyable {
    /// Neighbours in the set's list; guarded by the core lock.
    package var previous: UInt32
    package var next: UInt32
    package let spid: Cell<UInt32>
    package let spidChain: Cell<UInt32>
}

/// An id's place: its slot, and its links beside.
package struct Entry {
    package let slot: UnsafeMutablePointer<Slot>
    package let links: UnsafeMutablePointer<Links>

    @inline(__always)
    package init(slot: UInt, links: UInt) {
        self.slot = UnsafeMutablePointer(bitPattern: slot).unsafelyUnwrapped
        self.links = UnsafeMutablePointer(bitPattern: links).unsafelyUnwrapped
    }

    /// Acquires: what was published with the word can be seen after it.
    @inline(__always)
    package var word: SlotWord { SlotWord(bits: slot.pointee.word.load(ordering: .acquiring)) }

    @inline(__always)
    package var data: UnsafeMutableRawPointer? {
        UnsafeMutableRawPointer(bitPattern: slot.pointee.data.load(ordering: .acquiring))
    }

    @inline(__always)
    package func setData(_ data: UnsafeMutableRawPointer?) {
        slot.pointee.data.store(UInt(bitPattern: data), ordering: .releasing)
    }

    /// - Returns: whether the word was `old` and now is `new`.
    @inline(__always)
    package func exchange(_ old: SlotWord, _ new: SlotWord) -> Bool {
        slot.pointee.word.compareExchange(
            expected: old.bits, desired: new.bits, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// Changes the state, whatever happens to the references meanwhile. Under the core lock.
    package func move(to state: IDState) {
        while true {
            let old = word
            if exchange(old, old.with(state)) { return }
        }
    }

    /// Begins a life. The data is in place before the word says that there is any.
    @inline(__always)
    package func publish(_ word: SlotWord, data: UnsafeMutableRawPointer?) {
        links.pointee.spid.release(noID)
        setData(data)
        slot.pointee.word.store(word.bits, ordering: .releasing)
    }

    /// Ends a life. A reader that took the data before will see that the word is gone.
    @inline(__always)
    package func clear() {
        slot.pointee.word.store(0, ordering: .releasing)
        setData(nil)
    }
}

/// An id in use: its entry, and the word that said so. The word belonged to this id when it was
/// read; what is done with it later is done by compare-and-swap, or checked against a later word.
package struct Life {
    package let entry: Entry
    package let word: SlotWord

    package enum Data {
        case found(UnsafeMutableRawPointer?)
        /// The life ended before the data was read.
        case ended
    }

    /// The private data of this life.
    @inline(__always)
    package var data: Data {
        let data = entry.data
        // The data was acquired: this look at the word comes after the one at the data.
        let now = entry.word
        return now.isSameLife(as: word) ? .found(data) : .ended
    }
}

/// The header's INVALID_IOASID, which is a cast and so not visible here. Also ends lists of ids.
@inline(__always)
package var noID: UInt32 { .max }
