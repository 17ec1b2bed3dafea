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

struct cio_dump_id {
	ioasid_t id;
	ioasid_t spid;
	uint32_t references;
	bool is_pending;
	bool is_bound;
	const void *_Nullable data;
};

struct cio_dump_set {
	uint32_t number;
	uint32_t type;
	enum cio_set_state state;
	uint32_t quota;
	uint32_t references;
	bool is_declared;
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
};

typedef const char *_Nullable cio_refusal_name(enum ioasid_refusal why);

/* 0, or -1 if the file took not all of it. */
int cio_dump_text(FILE *_Nonnull out, const struct cio_dump *_Nonnull dump,
		  cio_refusal_name *_Nonnull name);
int cio_dump_dot(FILE *_Nonnull out, const struct cio_dump *_Nonnull dump,
		 cio_refusal_name *_Nonnull name);

#endif /* CIOASID_DUMP_H */
