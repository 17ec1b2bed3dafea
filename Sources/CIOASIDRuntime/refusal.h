/* SPDX-License-Identifier: MIT */
/* Internal: what a thread was refused last. */
#ifndef CIOASID_REFUSAL_H
#define CIOASID_REFUSAL_H

#include <cioasid.h>

/*
 * A refusal is known where it is found, deep in the core, and given out at the boundary. What only the
 * former knows is kept for the latter, by thread, under a ticket that the error carries: an error that
 * somebody catches, or a signal handler between the two, makes no wrong story of it.
 *
 * Returns 0 when there is no place: then the refusal is told without its details.
 */
uint32_t cio_refusal_keep(const struct ioasid_refused *_Nonnull details);

/* The same without anything known yet. */
void cio_refusal_clear(struct ioasid_refused *_Nonnull details);

/* At the boundary: completes what was kept under @ticket (0 for nothing), and makes it the last one. */
void cio_refusal_note(struct ioasid_refused *_Nonnull why, uint32_t ticket,
		      enum ioasid_refusal reason, int error, const char *_Nonnull cause,
		      const char *_Nonnull caller, ioasid_t id);

/* Gives it the name of a set. */
void cio_refusal_name_set(struct ioasid_refused *_Nonnull details, const char *_Nonnull name);

/* The most of a text that a name of IOASID_SET_NAME_BYTES takes, ended by a zero byte. */
void cio_copy_name(char *_Nonnull name, const char *_Nonnull text);

#define CIO_TICKETS 0x7ffffu

/* Writes it on the log, unless this function has said this reason often enough. */
void cio_refusal_log(const struct ioasid_refused *_Nonnull why, const char *_Nonnull caller);

#endif /* CIOASID_REFUSAL_H */
