/* SPDX-License-Identifier: MIT */
/* Stub: idr-test.c has module_init() and the like itself, as nothing. */
