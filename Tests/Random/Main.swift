// SPDX-License-Identifier: MIT
// random: the library beside a model of its documents, for as long as asked.

import Glibc
import IOASIDHeaders

@main
enum Random {
    static let usage = """
        usage: random [--seconds N] [--seed N] [--runs N] [--threads N] [--requests N] [--tell]

        Runs random requests against libioasid and against a model of its documents, and stops at the first
        difference. Each run begins from a seed of its own and leaves nothing behind. With several threads
        each has a model of its own, and sets and numbers that no other thread uses.
        --seconds   how long (20)           --seed   of the first run (by the clock)
        --runs      how many at most        --threads  (1)
        --requests  of a run (1000)         --tell   say everything that happens
        """

    static func main() {
        var seconds = 20
        var seed = UInt64(time(nil))
        var runs = Int.max
        var threads = 1
        var requests = 1000
        var isTold = false
        var arguments = CommandLine.arguments.dropFirst()
        while let name = arguments.popFirst() {
            if name == "--tell" {
                isTold = true
                continue
            }
            guard let text = arguments.popFirst(), let value = Int(text), value >= 0 else {
                print(usage)
                exit(2)
            }
            switch name {
            case "--seconds": seconds = value
            case "--seed": seed = UInt64(value)
            case "--runs": runs = value
            case "--threads": threads = max(1, min(value, 64))
            case "--requests": requests = value
            default:
                print(usage)
                exit(2)
            }
        }
        ioasid_set_log_level(-1)
        let capacity = threads == 1 ? World.usualCapacity : 1 << 20
        if threads == 1 { ioasid_install_capacity(UInt32(capacity)) }
        let workers = (0..<threads).map {
            Worker(
                seed: seed + UInt64($0) << 40, runs: runs, requests: requests, isTold: isTold,
                base: threads == 1 ? 0 : UInt32($0) * 4096, capacity: capacity,
                isAlone: threads == 1, until: time(nil) + seconds)
        }
        workers.forEach { $0.start() }
        workers.forEach { $0.join() }
        let runsDone = workers.reduce(0) { $0 + $1.runsDone }
        let performed = workers.reduce(0) { $0 + $1.performed }
        print("seed \(seed): \(runsDone) runs, \(performed) requests, no difference")
    }
}

/// A thread with one world after the other.
final class Worker {
    private let seed: UInt64, runs: Int, requests: Int, isTold: Bool
    private let base: UInt32, capacity: Int, isAlone: Bool, until: time_t
    private(set) var runsDone = 0
    private(set) var performed = 0
    private var thread = pthread_t()

    init(
        seed: UInt64, runs: Int, requests: Int, isTold: Bool, base: UInt32, capacity: Int,
        isAlone: Bool, until: time_t
    ) {
        self.seed = seed
        self.runs = runs
        self.requests = requests
        self.isTold = isTold
        self.base = base
        self.capacity = capacity
        self.isAlone = isAlone
        self.until = until
    }

    func start() {
        let status = pthread_create(
            &thread, nil,
            {
                Unmanaged<Worker>.fromOpaque($0!).takeUnretainedValue().work()
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
        precondition(status == 0, "no thread")
    }

    func join() { pthread_join(thread, nil) }

    private func work() {
        while runsDone < runs, time(nil) < until {
            let seed = seed &+ UInt64(runsDone)
            let world = World(
                Choices(seed: seed), seed: seed, base: base, capacity: capacity, isAlone: isAlone,
                isTold: isTold)
            world.run(requests: requests)
            performed += world.performed
            runsDone += 1
        }
    }
}
