// SPDX-License-Identifier: MIT
// The fields of the slot word do not disturb each other, whatever their values.

import Testing

@testable import IOASIDCore
@testable import IOASIDMemory

@Suite("SlotWord")
struct SlotWordTests {
    static let sets: [UInt32] = [0, 1, SlotWord.setLimit - 1]
    static let generations: [UInt32] = [0, 1, 1 << 22 - 1]

    @Test("a new life is active, with one reference", arguments: sets, generations)
    func newLife(set: UInt32, generation: UInt32) {
        let word = SlotWord(set: set, generation: generation)
        #expect(word.references == 1)
        #expect(word.set == set)
        #expect(word.isActive && !word.isFree && !word.isPending && !word.isBound)
    }

    @Test("references and states change alone", arguments: sets, generations)
    func independentFields(set: UInt32, generation: UInt32) {
        let word = SlotWord(set: set, generation: generation)
        for state in [IDState.active, .bound, .pending] {
            let changed = word.addingReference.with(state)
            #expect(changed.references == 2)
            #expect(changed.set == set)
            #expect(changed.isSameLife(as: word))
            #expect(changed.isPending == (state == .pending))
            #expect(changed.isBound == (state == .bound))
            #expect(changed.isActive == (state != .pending))
            #expect(changed.droppingReference.with(.active) == word)
        }
    }

    @Test("another set or generation is another life")
    func lives() {
        let word = SlotWord(set: 5, generation: 9)
        #expect(!word.isSameLife(as: SlotWord(set: 6, generation: 9)))
        #expect(!word.isSameLife(as: SlotWord(set: 5, generation: 10)))
        #expect(!word.isSameLife(as: SlotWord(bits: 0)))
        #expect(SlotWord(bits: 0).isFree && !SlotWord(bits: 0).isActive)
    }

    @Test("the reference limit fills its field and no more")
    func limit() {
        let word = SlotWord(set: 1, generation: 1)
        let full = SlotWord(bits: word.bits | SlotWord.referenceLimit)
        #expect(full.references == SlotWord.referenceLimit)
        #expect(full.isSameLife(as: word) && full.isActive)
    }
}
