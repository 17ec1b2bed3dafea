/* SPDX-License-Identifier: MIT */
/* Internal: nothing above this layer calls it, so there is nothing to declare. */
