// SPDX-License-Identifier: MIT
// The fields of the slot word do not disturb each other, whatever their values.

import Testing

@testable import IOASIDCore
@testable import IOASIDMemory

@Suite("SlotWord")
struct SlotWordTests {
    static let sets: [SetNumber] = [0, 1, SlotWord.setLimit - 1].map { SetNumber(rawValue: $0) }
    static let generations: [UInt64] = [1, 2, SlotWord.generationMask]
    static let states: [IDState] = [.free, .active, .bound, .pending]

    @Test("a new life is active, with one reference", arguments: sets, generations)
    func newLife(set: SetNumber, generation: UInt64) {
        let word = SlotWord(set: set, generation: generation)
        #expect(word.references == 1)
        #expect(word.set == set)
        #expect(word.generation == generation)
        #expect(word.state == .active)
        #expect(word.isAlive && !word.isFree && !word.isPending && !word.isBound)
    }

    @Test("a generation that is counted too far keeps its low bits, and the set is what it is")
    func generationSpills() {
        let word = SlotWord(set: Self.sets[0], generation: SlotWord.generationMask + 5)
        #expect(word.generation == 4)
        #expect(word.set == Self.sets[0])
    }

    @Test("references and states change alone", arguments: sets, generations)
    func independentFields(set: SetNumber, generation: UInt64) {
        let word = SlotWord(set: set, generation: generation)
        for state in Self.states {
            let changed = word.addingReference.with(state)
            #expect(changed.references == 2)
            #expect(changed.set == set)
            #expect(changed.generation == generation)
            #expect(changed.isSameLife(as: word))
            #expect(changed.state == state)
            #expect(changed.isFree == (state == .free))
            #expect(changed.isPending == (state == .pending))
            #expect(changed.isBound == (state == .bound))
            #expect(changed.isAlive == (state == .active || state == .bound))
            #expect(changed.droppingReference.with(.active) == word)
        }
    }

    @Test("another set or generation is another life, and a free slot is none")
    func lives() {
        let word = SlotWord(set: SetNumber(rawValue: 5), generation: 9)
        #expect(!word.isSameLife(as: SlotWord(set: SetNumber(rawValue: 6), generation: 9)))
        #expect(!word.isSameLife(as: SlotWord(set: SetNumber(rawValue: 5), generation: 10)))
        #expect(!word.isSameLife(as: SlotWord(bits: 0)))
        #expect(SlotWord(bits: 0).isFree && !SlotWord(bits: 0).isAlive)
        // The lowest bit of the generation counts, and so does the highest of the set.
        let low = SlotWord(set: SetNumber(rawValue: 0), generation: 1)
        #expect(!low.isSameLife(as: SlotWord(set: SetNumber(rawValue: 0), generation: 2)))
        #expect(!low.isSameLife(as: SlotWord(set: SetNumber(rawValue: 1 << 17), generation: 1)))
    }

    @Test("what is more than its field does not reach the next one")
    func overflow() {
        let word = SlotWord(set: SetNumber(rawValue: 1), generation: 1)
        let full = SlotWord(bits: word.bits | SlotWord.referenceLimit)
        #expect(full.references == SlotWord.referenceLimit)
        #expect(full.isSameLife(as: word) && full.state == .active)

        let wrapped = SlotWord(
            set: SetNumber(rawValue: 1), generation: SlotWord.generationMask + 2)
        #expect(wrapped == word)
    }

    @Test("an id's life takes these steps and no others", arguments: states, states)
    func mayBecome(from: IDState, to: IDState) {
        let allowed: [(IDState, IDState)] = [
            (.free, .active), (.active, .bound), (.bound, .active), (.active, .pending),
            (.bound, .pending), (.pending, .free),
        ]
        #expect(from.mayBecome(to) == allowed.contains { $0 == (from, to) })
    }

    @Test("a generation is never zero in the bits that a word keeps, and never the last one's")
    func nextGenerations() {
        var last: UInt64 = 0
        for _ in 0..<5 {
            let next = IDTable.nextGeneration()
            #expect(next & SlotWord.generationMask != 0)
            #expect(next > last)
            last = next
        }
    }
}
