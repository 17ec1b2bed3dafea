/* SPDX-License-Identifier: MIT */
/* Which published version a unit asks for by IOASID_API, if any. Headers that differ by it ask each time. */
#if defined(IOASID_API) && defined(IOASID_SAYS_NO_API)
#error "IOASID_API is defined behind a header that had to know it: define it first, or by -DIOASID_API="
#endif

/* What was said first stays. Without IOASID_API it counts as 0 here. */
#if defined(IOASID_SAYS_505) && IOASID_API + 0 != 505 || \
	defined(IOASID_SAYS_511) && IOASID_API + 0 != 511 || \
	defined(IOASID_SAYS_518) && IOASID_API + 0 != 518 || \
	defined(IOASID_SAYS_2) && IOASID_API + 0 != 2 || \
	defined(IOASID_SAYS_3) && IOASID_API + 0 != 3 || \
	defined(IOASID_SAYS_4) && IOASID_API + 0 != 4
#error "IOASID_API is defined anew, or no longer, behind a header that knew it"
#endif

#ifndef IOASID_API
#define IOASID_SAYS_NO_API
#elif IOASID_API + 0 == 505
#define IOASID_SAYS_505
#elif IOASID_API + 0 == 511
#define IOASID_SAYS_511
#elif IOASID_API + 0 == 518
#define IOASID_SAYS_518
#elif IOASID_API + 0 == 2
#define IOASID_SAYS_2
#elif IOASID_API + 0 == 3
#define IOASID_SAYS_3
#elif IOASID_API + 0 == 4
#define IOASID_SAYS_4
#else /* a define without a number, too */
#error "IOASID_API is 505, 511, 518, 2, 3 or 4: see <linux/ioasid-api.h>"
#endif
