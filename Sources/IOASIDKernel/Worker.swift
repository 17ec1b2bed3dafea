// SPDX-License-Identifier: MIT
// A handle of a thread of a queue, and the list of all.

@preconcurrency import CIOASIDKernel

/// To be looked at with the lock only.
struct Worker: Equatable {
    let raw: UnsafeMutablePointer<cio_worker>

    var queue: Queue { Queue(raw.pointee.wq) }
    var thread: pthread_t { raw.pointee.thread }
    /// Of what it runs.
    var ticket: Ticket { Ticket(number: raw.pointee.ticket) }

    /// The function counts as well: memory of an item that freed itself may be another one by now.
    func runs(_ work: Work) -> Bool {
        raw.pointee.work == work.raw
            && unsafeBitCast(raw.pointee.func, to: UInt.self)
                == unsafeBitCast(work.function, to: UInt.self)
    }

    // MARK: What it runs

    func begin(_ work: Work, _ function: @escaping work_func_t) {
        raw.pointee.work = work.raw
        raw.pointee.func = function
        raw.pointee.ticket = work.unlink().number
    }

    func end() {
        raw.pointee.work = nil
        raw.pointee.ticket = Ticket.none.number
        pthread_cond_broadcast(&cio_work_done)
    }

    // MARK: All of them

    private var next: Worker? { raw.pointee.next.map { Worker(raw: $0) } }

    static func first(where test: (Worker) -> Bool) -> Worker? {
        var next = cio_workers.map { Worker(raw: $0) }
        while let worker = next {
            if test(worker) { return worker }
            next = worker.next
        }
        return nil
    }

    static func forEach(_ body: (Worker) -> Void) {
        _ = first { worker in
            body(worker)
            return false
        }
    }

    /// The one that runs an item.
    static func running(_ work: Work) -> Worker? { first { $0.runs(work) } }

    /// The calling thread, if it is a worker.
    static var own: Worker? {
        let thread = pthread_self()
        return first { pthread_equal($0.thread, thread) != 0 }
    }

    func enlist() {
        raw.pointee.next = cio_workers
        cio_workers = raw
    }

    func unlist() {
        if cio_workers == raw {
            cio_workers = raw.pointee.next
        } else if let before = Worker.first(where: { $0.next == self }) {
            before.raw.pointee.next = raw.pointee.next
        }
    }

    /// In the child of fork(), where there is one thread, perhaps a worker that forked.
    /// - Returns: that worker
    static func forgetOthers() -> Worker? {
        let survivor = own
        survivor?.raw.pointee.next = nil
        cio_workers = survivor?.raw
        return survivor
    }
}
