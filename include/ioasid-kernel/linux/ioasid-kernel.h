/* SPDX-License-Identifier: MIT */
/* libioasid-kernel itself, beside the kernel's names that it provides. */
#ifndef IOASID_LINUX_IOASID_KERNEL_H
#define IOASID_LINUX_IOASID_KERNEL_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_kernel_fail_nth() - for tests: let an allocation of libioasid-kernel fail
 * @nth: 1 for the next one; 0 for none
 *
 * Its own memory: queues and tables of address spaces. See ioasid_fail_nth() for that of libioasid.
 *
 * Return: how many allocations there have been since the last call.
 * Context: any.
 */
unsigned long ioasid_kernel_fail_nth(unsigned long nth);

#ifdef __cplusplus
}
#endif

#endif
