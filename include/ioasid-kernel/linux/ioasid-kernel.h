/* SPDX-License-Identifier: MIT */
/* libioasid-kernel itself, beside the kernel's names that it provides. */
#include <linux/ioasid-version.h>
#ifndef IOASID_LINUX_IOASID_KERNEL_H
#define IOASID_LINUX_IOASID_KERNEL_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ioasid_set;
struct mm_struct;

#ifndef IOASID_API /* V4 has them in <linux/ioasid.h> */
/**
 * ioasid_cg_charge() - count an id for the group of the process
 * @set: its set; the process is one group, whatever the set
 *
 * Return: 0; -EBUSY there are as many as ioasid_cg_set_max() allows.
 * Context: any; lock-free. Follows V4's RFC of the ioasids cgroup.
 */
int ioasid_cg_charge(struct ioasid_set *set);

/**
 * ioasid_cg_uncharge() - no longer count an id for the group of the process
 * @set: as charged
 *
 * Says so on the log if nothing is charged.
 *
 * Context: any; lock-free.
 */
void ioasid_cg_uncharge(struct ioasid_set *set);
#endif

/**
 * ioasid_cg_set_max() - say how many ids may be charged to the process
 * @max: what the file ioasids.max has in the RFC; INT_MAX without this call
 *
 * Those that are charged already stay.
 *
 * Return: 0; -EINVAL it is negative.
 * Context: any; lock-free.
 */
int ioasid_cg_set_max(int max);

/* For ioasid_mm_no_pasid(): whatever the others say; INVALID_IOASID if they say nothing. */
#define IOASID_NO_PASID_DEFAULT 1u

/**
 * ioasid_mm_no_pasid() - say what an mm without a PASID has in its field
 * @value: 0 for code of 5.17 and before, INVALID_IOASID for later code; IOASID_NO_PASID_DEFAULT for code
 *	that does not say which it is
 *
 * It is one value for the process; units that include <linux/mm_types.h> call it when they are
 * loaded. The first one that says a version decides. Who mixes 0 with anything else is told on the log.
 *
 * Context: any; lock-free.
 */
void ioasid_mm_no_pasid(unsigned int value);

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
