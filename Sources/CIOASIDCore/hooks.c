/* SPDX-License-Identifier: MIT */
/* Who has address spaces, if anybody. */
#include "core.h"

const struct ioasid_hooks *cio_hooks;
