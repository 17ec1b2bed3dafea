/* SPDX-License-Identifier: MIT */
/* Which published version a unit asks for by IOASID_API, if any. Headers that differ by it ask each time. */
#ifdef IOASID_API
#ifdef IOASID_SAYS_NO_API
#error "IOASID_API is defined behind a header that had to know it: define it first, or by -DIOASID_API="
#endif
/* Also said to a define without a number. */
#if IOASID_API + 0 != 505 && IOASID_API + 0 != 511 && IOASID_API + 0 != 518 && \
	(IOASID_API + 0 < 2 || IOASID_API + 0 > 4)
#error "IOASID_API is 505, 511, 518, 2, 3 or 4: see <linux/ioasid-api.h>"
#endif
#else
#define IOASID_SAYS_NO_API
#endif
