// SPDX-License-Identifier: MIT
// What is kept of an id: 16 bytes for look-ups, and 16 beside them for sets and SPIDs.

@preconcurrency import CIOASIDCore
import IOASIDMemory
import Synchronization

/// What a look-up touches, and nothing else: at 2^20 ids the memory is the cost.
///
/// Writers and readers go in opposite directions, so that a reader who saw the same life before and
/// after has the data of that life:
///
///     publish (lock)              read (no lock)                clear (lock)
///     1. data  = D    release     1. word         acquire       1. word = 0    release
///     2. word  = W    release     2. data         acquire       2. data = nil  release
///                                 3. word again   acquire
///
/// P. Who sees a life's word sees its data or a later value (word acquires what 2 released).
/// Q. Who sees data of another life sees, at 3, that the word is no longer of this one: data is
///    only written after the word was cleared, and read before the word is looked at again.
package struct Slot: ~Copyable {
    package let word: Atomic<UInt64>
    package let data: Atomic<UInt>
}

/// Membership of a set and the set-private id.
package struct Links: ~Copyable {
    /// Neighbours in the set's list; guarded by the core lock.
    package var previous: ID
    package var next: ID
    package let spidCell: Cell<UInt32>
    /// The next one on the chain of the index of SPIDs; of an id that has left the index, the next
    /// one whose end was put off (see `Deferred`).
    package let chain: Cell<UInt32>

    /// Acquires: a reader without the lock may compare it with the word.
    @inline(__always)
    package var spid: SPID { SPID(rawValue: spidCell.acquire()) }

    @inline(__always)
    package func setSPID(_ spid: SPID) { spidCell.release(spid.rawValue) }
}

/// An id's place: its slot, and its links beside.
package struct IDRef {
    package let slot: Ref<Slot>
    package let links: Ref<Links>

    @inline(__always)
    package init(slot: Ref<Slot>, links: Ref<Links>) {
        self.slot = slot
        self.links = links
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
        #if IOASID_CHECKS
        check(old.state == new.state || old.state.mayBecome(new.state), "a step of an id's life")
        #endif
        return slot.pointee.word.compareExchange(
            expected: old.bits, desired: new.bits, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// Changes the state, whatever happens to the references meanwhile. Under the core lock.
    package func become(_ state: IDState) {
        while true {
            let old = word
            if exchange(old, old.with(state)) { return }
        }
    }

    /// Drops a reference, whatever else happens to the word meanwhile.
    /// - Returns: the word after it; nil if there was no reference, or `keepsLast` and it is the last.
    @inline(__always)
    package func dropReference(keepsLast: Bool = false) -> SlotWord? {
        while true {
            let old = word
            guard old.references > (keepsLast ? 1 : 0) else { return nil }
            if exchange(old, old.droppingReference) { return old.droppingReference }
        }
    }

    /// Begins a life.
    @inline(__always)
    package func publish(_ word: SlotWord, data: UnsafeMutableRawPointer?) {
        #if IOASID_CHECKS
        check(self.word.isFree, "a new id has a free slot")
        #endif
        links.pointee.setSPID(.none)
        setData(data)
        slot.pointee.word.store(word.bits, ordering: .releasing)
    }

    /// Ends a life.
    @inline(__always)
    package func clear() {
        #if IOASID_CHECKS
        check(
            word.isPending && word.references == 0, "an id that ends is freed and has no references"
        )
        #endif
        slot.pointee.word.store(0, ordering: .releasing)
        setData(nil)
    }
}

/// One life of an id: its place, and the word that said so. The word belonged to this id when it was
/// read; what is done with it later is done by compare-and-swap, or checked against a later word.
package struct Incarnation {
    package let id: ID
    package let ref: IDRef
    package let word: SlotWord

    @inline(__always)
    package init(id: ID, ref: IDRef, word: SlotWord) {
        self.id = id
        self.ref = ref
        self.word = word
    }

    package enum Data {
        case found(UnsafeMutableRawPointer?)
        /// The life ended before the data was read.
        case ended
    }

    /// The private data of this life: steps 2 and 3 of a reader.
    @inline(__always)
    package var data: Data {
        let data = ref.data
        return ref.word.isSameLife(as: word) ? .found(data) : .ended
    }

    /// Does it still go on?
    package var isCurrent: Bool { ref.word.isSameLife(as: word) }
}
