// SPDX-License-Identifier: MIT
// Model of the word of an id, as SlotWord, References and Allocation have it: references, state, generation.
//
// Users take and put references without the lock while an id is freed (twice), told about,
// reclaimed, and its slot used for a second life. Shown, whatever the order of steps:
//  - no reference is lost or made up: the count is the number of holders at every change;
//  - each life is reclaimed once, when nobody holds it, and always in the end;
//  - no reference is taken once FREE is being told, and FREE is told once;
//  - a look-up never returns the data of another life.
//
// Variants, one at a time: -DBY_PUT ends lives by the put of the last reference, as 5.11 does;
// -DLOOK_UPS adds a reader of the data and a change of state by attach_spid(), in place of the
// second user; -DROGUE has a put that nobody was entitled to, where all but the count of holders
// must still be true. -DBROKEN stores the pending state without regard for the references, and
// must fail: a model that cannot is no check.

#define FREE 0
#define ACTIVE 1
#define BOUND 2
#define PENDING 3

#define WORD(generation, state, references) ((generation) * 64 + (state) * 16 + (references))
#define REFERENCES(w) ((w) % 16)
#define STATE(w) (((w) / 16) % 4)
#define GENERATION(w) ((w) / 64)
#define IS_ACTIVE(w) (STATE(w) == ACTIVE || STATE(w) == BOUND)

#define NOBODY 255
#define LIVES 2

short word;		// of the slot
byte data;		// the private data: the number of its life
byte lock_owner = NOBODY, lock_depth;

// What a correct library keeps track of without counting: for the assertions only.
byte holders;
byte told[LIVES + 1], reclaimed[LIVES + 1];

// Who is told: a subscriber that takes a reference at ALLOC and puts it at FREE.
bool has_subscriber;
byte subscribed;	// the life it holds

#ifdef ROGUE
#define CHECK_HOLDERS
#define CHECK_HELD
#else
#define CHECK_HOLDERS assert(REFERENCES(word) == holders)
#define CHECK_HELD assert(GENERATION(word) == held)
#endif

// Every process has: short w; bool ok; byte held.

inline acquire()
{
	atomic { lock_owner == NOBODY || lock_owner == _pid -> lock_owner = _pid; lock_depth++ }
}

inline release()
{
	d_step { lock_depth--; if :: lock_depth == 0 -> lock_owner = NOBODY :: else fi }
}

// One compare-and-swap, and how many holders there are more or less if it works.
inline exchange(new, more)
{
	d_step {
		ok = word == w;
		if
		:: ok -> word = new; holders = holders + (more); CHECK_HOLDERS
		:: else
		fi
	}
}

inline get()
{
	held = 0;
	do
	:: w = word;
		if
		:: !IS_ACTIVE(w) -> break
		:: else ->
			atomic {
				exchange(w + 1, 1);
				if
				:: ok -> assert(!told[GENERATION(w)]); held = GENERATION(w)
				:: else
				fi
			};
			if :: ok -> break :: else fi
		fi
	od
}

// With the lock. Core.reclaim: the word goes first, so that a look-up sees that its data is stale.
inline reclaim()
{
	assert(!reclaimed[GENERATION(w)]);
	reclaimed[GENERATION(w)]++;
	word = 0;
	data = 0
}

// With the lock, on a pending word. Core.drop.
inline drop()
{
	do
	:: w = word;
		assert(STATE(w) == PENDING && REFERENCES(w) > 0);
		exchange(w - 1, -1);
		if
		:: ok && REFERENCES(w) == 1 -> reclaim(); break
		:: ok && REFERENCES(w) > 1 -> break
		:: else
		fi
	od
}

// The subscriber's put while it is told of FREE. The same as put(), where the word cannot be active.
inline put_in_handler()
{
	do
	:: w = word;
		if
		:: STATE(w) == FREE -> break
		:: STATE(w) != FREE && REFERENCES(w) > 1 ->
			exchange(w - 1, -1);
			if :: ok -> break :: else fi
		:: else -> drop(); break
		fi
	od
}

// With the lock, on an active word. Core.retire.
inline retire()
{
	life = GENERATION(w);
	w = word;
	if
	:: !has_subscriber && REFERENCES(w) == 1 -> exchange(WORD(life, PENDING, 0), -1)
	:: else -> ok = false
	fi;
	if
	:: ok -> reclaim()
	:: else ->
		do
		:: w = word;
#ifdef BROKEN
			word = WORD(life, PENDING, REFERENCES(w));
			break
#else
			exchange(WORD(life, PENDING, REFERENCES(w)), 0);
			if :: ok -> break :: else fi
#endif
		od;
		assert(!told[life]);
		told[life]++;
		if
		:: subscribed == life -> subscribed = 0; put_in_handler()
		:: else
		fi;
		// A put too many in a handler may have taken the own reference as well.
		if
		:: GENERATION(word) == life -> drop()
		:: else
		fi
	fi
}

inline put()
{
	do
	:: w = word;
		if
		:: STATE(w) == FREE -> break
		:: STATE(w) != FREE && REFERENCES(w) > 1 ->
			exchange(w - 1, -1);
			if :: ok -> break :: else fi
		:: else -> put_last(); break
		fi
	od
}

inline put_last()
{
	acquire();
	w = word;
	if
	:: STATE(w) == FREE
	:: STATE(w) == PENDING -> drop()
	:: else ->
		do
		:: w = word;
			if
			:: REFERENCES(w) == 1 -> retire(); break
			:: else ->
				exchange(w - 1, -1);
				if :: ok -> break :: else fi
			fi
		od
	fi;
	release()
}

inline free()
{
	acquire();
	w = word;
	if
	:: IS_ACTIVE(w) -> retire()
	:: else
	fi;
	release()
}

// With the lock, on a free slot: a life begins, and the subscriber takes its reference.
inline alloc(number)
{
	data = number;
	d_step { word = WORD(number, ACTIVE, 1); holders = holders + 1; CHECK_HOLDERS };
	if
	:: has_subscriber -> get(); subscribed = held
	:: else
	fi
}

proctype owner()
{
	short w;
	bool ok;
	byte held, life, number = 1;

	if :: has_subscriber = true :: has_subscriber = false fi;
	do
	:: number <= LIVES ->
		acquire();
		if
		:: word == 0 -> alloc(number); ok = true
		:: else -> ok = false
		fi;
		release();
		if
#ifdef BY_PUT
		// Nobody but the last holder may end it: the subscriber puts its reference first.
		:: ok ->
			if
			:: subscribed == number -> subscribed = 0; put()
			:: else
			fi;
			put()
#else
		:: ok -> free()
#endif
		:: else
		fi;
		number++
	:: else -> break
	od
}

proctype user()
{
	short w;
	bool ok;
	byte held, life;

	get();
	if
	:: held -> CHECK_HELD; put()
	:: else
	fi
}

// ioasid_find(): word, data, word.
proctype reader()
{
	short w, now;
	byte found;

	do
	:: w = word;
		if :: STATE(w) == FREE -> break :: else fi;
		found = data;
		now = word;
		if
		:: GENERATION(now) == GENERATION(w) && STATE(now) != FREE ->
			assert(found == GENERATION(w));
			break
		:: else
		fi
	od
}

// attach_spid(): changes the state under the lock while references move without it.
proctype binder()
{
	short w;
	bool ok;

	acquire();
	w = word;
	if
	:: STATE(w) == ACTIVE ->
		do
		:: w = word;
			exchange(w + WORD(0, BOUND - ACTIVE, 0), 0);
			if :: ok -> break :: else fi
		od
	:: else
	fi;
	release()
}

#ifdef ROGUE
proctype rogue()
{
	short w;
	bool ok;
	byte life;

	put()
}
#endif

#ifndef BY_PUT
// A guest that frees what was freed already.
proctype second_free()
{
	short w;
	bool ok;
	byte life;

	free()
}
#endif

init
{
	atomic {
		run owner();
		run user();
#ifdef LOOK_UPS
		run reader();
		run binder();
#else
#ifdef ROGUE
		run rogue();
#else
		run user();
#endif
#ifndef BY_PUT
		run second_free();
#endif
#endif
	}
	_nr_pr == 1;
	assert(word == 0 && reclaimed[1] == 1);
	assert(lock_owner == NOBODY && lock_depth == 0)
}
