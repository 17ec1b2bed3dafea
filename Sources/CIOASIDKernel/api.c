// SPDX-License-Identifier: MIT
// What published versions do otherwise than <linux/ioasid.h>: <linux/ioasid-api.h> binds their names here.
#define _GNU_SOURCE
#include "kernel.h"

#include <linux/ioasid-kernel.h>

void ioasid_api_free_505(ioasid_t ioasid)
{
	(ioasid_free)(NULL, ioasid);
}

void ioasid_api_get_511(ioasid_t ioasid)
{
	(ioasid_get)(NULL, ioasid);
}

bool ioasid_api_put_511(ioasid_t ioasid)
{
	return (ioasid_put)(NULL, ioasid);
}

static bool has_token_without_type(const void *token, int type)
{
	return token && type == IOASID_SET_TYPE_NULL;
}

struct ioasid_set *ioasid_api_set_alloc_2(void *token, ioasid_t quota, int type)
{
	if (!quota || has_token_without_type(token, type))
		return ERR_PTR(-EINVAL);
	return ioasid_set_alloc(token, quota, type);
}

struct ioasid_set *ioasid_api_set_alloc_4(void *token, ioasid_t quota, int type)
{
	struct ioasid_set *set;
	int left;

	if (has_token_without_type(token, type))
		return ERR_PTR(-EINVAL);
	if (quota)
		return ioasid_set_alloc(token, quota, type);
	/* Somebody may be faster: then less is left. */
	do {
		left = ioasid_reserve_capacity(0);
		if (left <= 0)
			return ERR_PTR(-ENOSPC);
		set = ioasid_set_alloc(token, (ioasid_t)left, type);
	} while (set == ERR_PTR(-ENOSPC) && ioasid_reserve_capacity(0) < left);
	return set;
}

int ioasid_api_attach_spid_3(ioasid_t ioasid, ioasid_t spid)
{
	return spid == INVALID_IOASID ? -EINVAL : ioasid_attach_spid(ioasid, spid);
}

int ioasid_api_attach_spid_4(ioasid_t ioasid, ioasid_t spid)
{
	if (spid != INVALID_IOASID && ioasid_find_spid(ioasid) == spid)
		return -EINVAL;
	return ioasid_api_attach_spid_3(ioasid, spid);
}

/*
 * The process is the one group there is. Its count and its limit; a limit below the count lets those
 * that are there be.
 */
static long charged, most = INT_MAX;

int ioasid_cg_charge(struct ioasid_set *set)
{
	(void)set;
	if (__atomic_add_fetch(&charged, 1, __ATOMIC_RELAXED) <=
	    __atomic_load_n(&most, __ATOMIC_RELAXED))
		return 0;
	__atomic_sub_fetch(&charged, 1, __ATOMIC_RELAXED);
	return -EBUSY;
}

void ioasid_cg_uncharge(struct ioasid_set *set)
{
	long now = __atomic_load_n(&charged, __ATOMIC_RELAXED);

	(void)set;
	while (now > 0) {
		if (__atomic_compare_exchange_n(&charged, &now, now - 1, true, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return;
	}
	cio_warn("ioasid_cg_uncharge: nothing is charged");
}

int ioasid_cg_set_max(int max)
{
	if (max < 0)
		return -EINVAL;
	__atomic_store_n(&most, max, __ATOMIC_RELAXED);
	return 0;
}

/* What units said of an mm without a PASID: IOASID_NO_PASID_DEFAULT while none has said a version. */
static u32 no_pasid = IOASID_NO_PASID_DEFAULT;
static bool has_units_that_say_nothing;

u32 cio_mm_no_pasid(void)
{
	u32 said = __atomic_load_n(&no_pasid, __ATOMIC_RELAXED);

	return said == IOASID_NO_PASID_DEFAULT ? INVALID_IOASID : said;
}

void ioasid_mm_no_pasid(unsigned int value)
{
	u32 said = IOASID_NO_PASID_DEFAULT;
	bool agrees = true;

	if (value == IOASID_NO_PASID_DEFAULT)
		__atomic_store_n(&has_units_that_say_nothing, true, __ATOMIC_RELAXED);
	else
		agrees = __atomic_compare_exchange_n(&no_pasid, &said, value, false,
						     __ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
			 said == value;
	if (agrees && (cio_mm_no_pasid() != 0 ||
		       !__atomic_load_n(&has_units_that_say_nothing, __ATOMIC_RELAXED)))
		return;
	if (ioasid_once())
		ioasid_printk(KERN_WARNING
			      "units of IOASID_API 511 or less and others in one process: an mm "
			      "without PASID has %d for all of them",
			      (int)cio_mm_no_pasid());
}
