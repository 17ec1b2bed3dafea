/* SPDX-License-Identifier: MIT */
/* What the core takes for granted of public structures, checked when it is compiled. */
#include "cioasid.h"

_Static_assert(sizeof(ioasid_t) == 4, "ids are 32 bits wide");
_Static_assert(INVALID_IOASID == UINT32_MAX, "ID.invalid in IOASIDCore");
_Static_assert(offsetof(struct ioasid_set, nr_ioasids) % 4 == 0, "stored to atomically");
_Static_assert(offsetof(struct ioasid_set, quota) % 4 == 0, "stored to atomically");
