/* SPDX-License-Identifier: MIT */
/* Internal: copies of sets and ids for ioasid_dump(), and who writes them. */
#ifndef CIOASID_DUMP_H
#define CIOASID_DUMP_H

#include <cioasid.h>

/*
 * Life of a set. A zeroed record is unused.
 * @CIO_SET_DYING: the last reference is gone; its ids are being freed
 * @CIO_SET_DEAD: gone for its users; the record stays until the last id is reclaimed
 * @CIO_SET_LENT: any address that somebody calls a set, for as long as it has ids
 */
enum cio_set_state {
	CIO_SET_UNUSED,
	CIO_SET_DYING,
	CIO_SET_DEAD,
	/* From here on it takes ids. */
	CIO_SET_LIVE,
	CIO_SET_LENT,
};

/* Who took references at one place, or put them. */
enum cio_holder_kind {
	CIO_HOLDER_ALLOC,
	CIO_HOLDER_GET,
	CIO_HOLDER_TAG,
	CIO_HOLDER_PUT,
	CIO_HOLDER_FREE
};
struct cio_dump_holder {
	const void *_Nullable caller;
	const void *_Nullable tag;
	uint64_t time_ns; /* of the last time */
	uint32_t times;
	int thread; /* of the last time */
	enum cio_holder_kind kind;
};

/* Whose events a subscriber hears, if not those of one set. */
#define CIO_HEARS_ALL UINT32_MAX
#define CIO_HEARS_RECLAIM (UINT32_MAX - 1)
#define CIO_HEARS_LATER (UINT32_MAX - 2) /* waits for the set of its mm */
struct cio_dump_subscriber {
	const void *_Nullable block;
	const void *_Nullable function;
	int priority;
	uint32_t set;
};

struct cio_dump_allocator {
	const void *_Nullable ops;
	const void *_Nullable function;
	uint32_t uses;
};

/* Numbers that are set aside. */
struct cio_dump_range {
	ioasid_t min;
	ioasid_t max;
};

struct cio_dump_id {
	ioasid_t id;
	ioasid_t spid;
	uint32_t references;
	bool is_pending;
	bool is_bound;
	bool is_queued; /* its end waits for the outermost call */
	bool is_whole; /* its history, from the allocation on */
	const void *_Nullable data;
	long nr_holders;
};

struct cio_dump_set {
	uint32_t number;
	uint32_t type;
	enum cio_set_state state;
	uint32_t quota;
	uint32_t references;
	bool is_declared;
	char name[IOASID_SET_NAME_BYTES];
	long nr_ids;
	const void *_Nullable handle;
	const void *_Nullable token;
};

/* The ids of a set follow those of the set before it. */
struct cio_dump {
	struct ioasid_stats stats;
	long nr_sets;
	long nr_ids;
	struct cio_dump_set *_Null_unspecified sets;
	struct cio_dump_id *_Null_unspecified ids;
	/* Of an id follow those of the id before it. */
	struct cio_dump_holder *_Null_unspecified holders;
	long nr_holders;
	bool has_history;
	bool has_gaps;
	uint32_t reserved; /* by ioasid_reserve_capacity() */
	/* In the order in which they are told; those of sets last, in the order of sets. */
	struct cio_dump_subscriber *_Null_unspecified subscribers;
	long nr_subscribers;
	struct cio_dump_allocator *_Null_unspecified allocators;
	long nr_allocators;
	struct cio_dump_range *_Null_unspecified ranges;
	long nr_ranges;
};

static inline void cio_dump_name(struct cio_dump_set *_Nonnull set, const char *_Nonnull name)
{
	__builtin_memcpy(set->name, name, IOASID_SET_NAME_BYTES);
}

typedef const char *_Nullable cio_refusal_name(enum ioasid_refusal why);

/* 0, or -1 if the file took not all of it. */
int cio_dump_text(FILE *_Nonnull out, const struct cio_dump *_Nonnull dump,
		  cio_refusal_name *_Nonnull name);
int cio_dump_dot(FILE *_Nonnull out, const struct cio_dump *_Nonnull dump,
		 cio_refusal_name *_Nonnull name);

/* What is left; as text, nothing if nothing is. */
int cio_dump_leaks(FILE *_Nonnull out, const struct cio_dump *_Nonnull dump,
		   cio_refusal_name *_Nonnull name);

#endif /* CIOASID_DUMP_H */
