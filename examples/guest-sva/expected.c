// SPDX-License-Identifier: MIT
// The contract in a few lines of state for each guest PASID, and the comparison with what is there.

#include "expected.h"
#include "flow.h"

static atomic64_t probes;
/* Ids of the devices' own domains, one for each guest and device. */
static u64 base_ids;

void expect_new_guest(struct expected_guest *g, struct vm *vm)
{
	*g = (struct expected_guest){ .vm = vm };
	for (int i = 0; i < NR_MDEVS; i++)
		g->registers[i] = NO_INDEX;
}

/* To be called with all guests there, and no PASID of theirs. */
void expect_base(void)
{
	struct ioasid_stats stats;

	ioasid_get_stats(&stats);
	base_ids = stats.live;
}

/* The lowest number that the guest has not got, or NO_INDEX when its quota is used up. */
int expected_alloc(struct expected_guest *g)
{
	int used = 0, index = NO_INDEX;

	for (int i = NR_NUMBERS - 1; i >= 0; i--) {
		if (g->pasids[i].state == ABSENT)
			index = i;
		else
			used++;
	}
	if (used == QUOTA)
		return NO_INDEX;
	g->pasids[index].state = ALLOCATED;
	return index;
}

/* The device model clears the registers that have it. */
void expected_free(struct expected_guest *g, int index)
{
	struct expected_pasid *pasid = &g->pasids[index];

	if (pasid->state == ABSENT)
		return;
	pasid->state = pasid->state == BOUND ? GOING : ABSENT;
	for (int i = 0; i < NR_MDEVS; i++) {
		if (g->registers[i] != index)
			continue;
		g->registers[i] = NO_INDEX;
		g->running[i] = false;
	}
}

int expected_bind(struct expected_guest *g, int index, int process)
{
	struct expected_pasid *pasid = &g->pasids[index];

	if (pasid->state == BOUND)
		return -EBUSY;
	if (pasid->state != ALLOCATED)
		return -EINVAL;
	pasid->state = BOUND;
	pasid->process = process;
	return 0;
}

int expected_unbind(struct expected_guest *g, int index)
{
	if (g->pasids[index].state != BOUND)
		return -EINVAL;
	g->pasids[index].state = ALLOCATED;
	return 0;
}

/* A guest PASID means something while it is bound. A register that gets another one stops. */
int expected_program(struct expected_guest *g, int mdev, int index)
{
	if (index != NO_INDEX && g->pasids[index].state != BOUND)
		return -EINVAL;
	g->registers[mdev] = index;
	g->running[mdev] = false;
	return 0;
}

int expected_start(struct expected_guest *g, int mdev)
{
	int index = g->registers[mdev];

	if (index == NO_INDEX)
		return -EINVAL;
	if (g->running[mdev])
		return -EBUSY;
	g->running[mdev] = true;
	return g->pasids[index].state == BOUND ? 0 : -EIO;
}

/* The work is done. */
void expected_settle(struct expected_guest *g)
{
	for (int i = 0; i < NR_NUMBERS; i++)
		if (g->pasids[i].state == GOING)
			g->pasids[i].state = ABSENT;
}

static bool uses(const struct vm *vm, const struct device *dev)
{
	for (unsigned int i = 0; i < vm->nr_mdevs; i++)
		if (vm->mdevs[i].dev == dev)
			return true;
	return false;
}

/* What DMA reads tells whose memory it reached. @pasid is NULL if nobody has this host PASID. */
static void check_one(struct device *dev, ioasid_t host, const struct vm *vm,
		      const struct expected_pasid *pasid)
{
	enum expected_state state = pasid && uses(vm, dev) ? pasid->state : ABSENT;
	u64 value = 0;
	bool passes = vtd_dma_read(dev, host, BUFFER, &value, sizeof(value)) == 0;

	atomic64_inc(&probes);
	if (passes && state < BOUND)
		die("DMA with PASID %u passes, which is not bound", host);
	if (passes && value != vm->processes[pasid->process].signature)
		die("DMA with PASID %u reaches memory of another", host);
	if (!passes && state == BOUND)
		die("DMA with PASID %u does not pass, which is bound", host);
}

static void check_owned(struct device *dev, ioasid_t host, const struct expected_guest *guests)
{
	for (int g = 0; g < NR_GUESTS; g++) {
		for (int i = 0; i < NR_NUMBERS; i++) {
			const struct expected_pasid *pasid = &guests[g].pasids[i];

			if (pasid->state == ABSENT || pasid->host != host)
				continue;
			check_one(dev, host, guests[g].vm, pasid);
			return;
		}
	}
	check_one(dev, host, NULL, NULL);
}

void check_dma(struct host *host, struct expected_guest *guests)
{
	for (int i = 0; i < NR_DEVICES; i++)
		for (ioasid_t id = 0; id < NR_HOST_IDS; id++)
			check_owned(host->dev[i], HOST_PASID_FIRST + id, guests);
}

void check_own_dma(struct host *host, struct expected_guest *g)
{
	for (int i = 0; i < NR_DEVICES; i++)
		for (int n = 0; n < NR_NUMBERS; n++)
			if (g->pasids[n].state != ABSENT && g->pasids[n].state != GOING)
				check_one(host->dev[i], g->pasids[n].host, g->vm, &g->pasids[n]);
}

/* One reference of VFIO, two of driver and KVM while bound, one of each device. */
static int references(const struct expected_guest *g, int index)
{
	int count = g->pasids[index].state == BOUND ? 3 : 1;

	for (int i = 0; i < NR_MDEVS; i++)
		count += g->registers[i] == index;
	return count;
}

void check_library(struct expected_guest *guests)
{
	struct ioasid_stats stats;
	u64 live = base_ids;

	for (int g = 0; g < NR_GUESTS; g++) {
		for (int i = 0; i < NR_NUMBERS; i++) {
			const struct expected_pasid *pasid = &guests[g].pasids[i];
			struct seen seen;

			if (pasid->state == ABSENT)
				continue;
			live++;
			seen = look_at(pasid->host);
			if (seen.references != references(&guests[g], i))
				die("PASID %u has %d references, not %d", pasid->host,
				    seen.references, references(&guests[g], i));
			if (seen.spid != (pasid->state == BOUND ? PASID_OF(i) : INVALID_IOASID))
				die("PASID %u has SPID %u", pasid->host, seen.spid);
		}
	}
	ioasid_get_stats(&stats);
	if (stats.live != live || stats.pending || stats.dying)
		die("%llu ids are live, %llu of them pending, not %llu and none",
		    (unsigned long long)stats.live, (unsigned long long)stats.pending,
		    (unsigned long long)live);
}

/* No request may ever have passed by a cache that knew better than the tables. */
void check_caches(struct host *host)
{
	for (int i = 0; i < NR_DEVICES; i++) {
		struct vtd_stats stats;

		vtd_get_stats(host->iommu[i], &stats);
		if (stats.stale_hits)
			die("unit %d let %llu requests through by stale caches", i,
			    (unsigned long long)stats.stale_hits);
	}
}

unsigned long checked_dma(void)
{
	return atomic64_read(&probes);
}
