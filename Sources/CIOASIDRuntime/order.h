/* SPDX-License-Identifier: MIT */
/* Internal: tells ThreadSanitizer of the order that look-ups, references and grace periods make. */
#ifndef CIOASID_ORDER_H
#define CIOASID_ORDER_H

#include <stdbool.h>

/*
 * What ships is not instrumented. In a program that is, ThreadSanitizer sees the mutex of the library, but not
 * what it does without: that who finds an id sees what was written before it was made, that who puts the last
 * reference comes behind all who put theirs, that a grace period comes behind its readers. So it would take
 * users' data for raced about. These say it; they are there if ThreadSanitizer is.
 *
 * An address is that of an id's slot, or of the word of the read side.
 */
#pragma GCC visibility push(default)
#ifdef IOASID_TSAN
void __tsan_acquire(void *_Nonnull address);
void __tsan_release(void *_Nonnull address);
#else
void __tsan_acquire(void *_Nonnull address) __attribute__((weak));
void __tsan_release(void *_Nonnull address) __attribute__((weak));
#endif
#pragma GCC visibility pop

/* Does a program that is instrumented use a library that is not? */
static inline bool cio_order_is_watched(void)
{
#ifdef IOASID_TSAN
	return false;
#else
	return __tsan_release;
#endif
}

/* What the thread did until now comes before what others do after they said cio_come_after(). */
static inline void cio_come_before(const void *_Nonnull what)
{
#ifndef IOASID_TSAN
	if (__builtin_expect(__tsan_release != 0, 0))
#endif
		__tsan_release((void *)what);
}

static inline void cio_come_after(const void *_Nonnull what)
{
#ifndef IOASID_TSAN
	if (__builtin_expect(__tsan_acquire != 0, 0))
#endif
		__tsan_acquire((void *)what);
}

#endif /* CIOASID_ORDER_H */
