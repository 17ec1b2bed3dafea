// SPDX-License-Identifier: MIT
// Model of the read side, as Sources/CIOASIDRuntime/readside.c has it: phases, barrier, waiters that share.
//
// Each reader's stores go through a buffer, as on x86: its own loads come before, others see a
// store only once it has drained, which may be at any time later. membarrier() drains all of them.
// Every load and store is a step of its own.
//
// Two writers take away the object in use, put the next in its place, wait, and free the old one;
// two readers enter sections again and again. Shown, whatever the order of steps:
//  - nobody uses an object that was freed, whether the writer waited itself or left because the
//    other had;
//  - writers come to their end: none waits for the other.
//
// -DFENCES has no membarrier(): a reader waits for its own buffer instead. Broken, and must fail:
// -DNO_BARRIER does neither; -DNO_PHASE takes a section for a new one by one bit, with one flip;
// -DANY_COMPLETED leaves when any wait has ended since, whenever that began.

#ifndef SECTIONS
#define SECTIONS 2
#endif
#define READERS 2
#define WRITERS 2

byte phase = 1;
byte completed = 1;
byte section[READERS];		// what is in memory
byte object = 0;		// the one in use
bool freed[WRITERS + 1];

// A buffer of two stores to section: a section's begin may follow the last one's end.
byte stores[READERS];
byte first[READERS], second[READERS];

inline drain(r)
{
	section[r] = first[r];
	first[r] = second[r];
	second[r] = 0;
	stores[r]--
}

inline store(r, value)
{
	atomic {
		stores[r] < 2;
		if
		:: stores[r] == 0 -> first[r] = value
		:: else -> second[r] = value
		fi;
		stores[r]++
	}
}

proctype buffer(byte r)
{
end:
	do
	:: d_step { stores[r] > 0 -> drain(r) }
	od
}

proctype reader(byte r)
{
	byte n, p, x;

	do
	:: n < SECTIONS ->
		p = phase;		// r1
		store(r, p);		// r2
#ifdef FENCES
		stores[r] == 0;
#endif
		x = object;		// r3
		assert(!freed[x]);
		assert(!freed[x]);
		store(r, 0);		// r4
		d_step { n++; p = 0; x = 0 }
	:: else -> break
	od
}

inline barrier()
{
#if !defined(NO_BARRIER) && !defined(FENCES)
	d_step {
		if :: stores[0] > 0 -> drain(0) :: else fi;
		if :: stores[0] > 0 -> drain(0) :: else fi;
		if :: stores[1] > 0 -> drain(1) :: else fi;
		if :: stores[1] > 0 -> drain(1) :: else fi;
		r = 0
	}
#endif
	skip
}

#ifdef NO_PHASE
#define IS_BEHIND(s) (s != 0 && s % 2 != mine % 2)
#else
#define IS_BEHIND(s) (s != 0 && s < mine)
#endif

#ifdef ANY_COMPLETED
#define BY_ANOTHER (completed != seen)
#else
#define BY_ANOTHER (completed >= mine)
#endif

inline synchronize()
{
	seen = completed;
	d_step { phase++; mine = phase };	// w1
	barrier();				// w2
	r = 0;
	do
	:: r < READERS ->			// w3
		do
		:: s = section[r];
			if
			:: !IS_BEHIND(s) -> r++; break
			:: else ->
				// Waiting for one of the two: nothing else can change what is next.
				if
				:: section[r] != s
				:: BY_ANOTHER -> left = true; r = READERS; break
				fi
			fi
		od
	:: else -> break
	od;
	atomic { if :: !left && completed < mine -> completed = mine :: else fi }
}

// Writers replace the object by one that only they have.
proctype writer(byte mark)
{
	byte old, mine, r, s, seen;
	bool left;

	d_step { old = object; object = mark };
	synchronize();
	freed[old] = true
}

init
{
	atomic {
		run buffer(0);
		run buffer(1);
		run reader(0);
		run reader(1);
		run writer(1);
		run writer(2);
	}
}
