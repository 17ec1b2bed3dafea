/* SPDX-License-Identifier: MIT */
/* What a program that uses libioasid sees, and a declared set: it must lie in a module's own data. */
#include <linux/ioasid.h>

static inline struct ioasid_set *declared_set(void)
{
	static DECLARE_IOASID_SET(set);

	return &set;
}
