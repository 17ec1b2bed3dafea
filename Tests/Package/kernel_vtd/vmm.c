// SPDX-License-Identifier: MIT
// The host behind vmm.h: descriptors of a guest's queue become calls of this library's driver.

#include <assert.h>
#include <pthread.h>
#include <string.h>
#include <linux/err.h>
#include <linux/intel-iommu.h>
#include <linux/ioasid-log.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include "machine.h"
#include "vmm.h"

#define RAM_PAGES 512
#define BINDINGS 8
#define FIRST_PASID 200
#define DEVICES (MACHINE_UNITS + 1) /* the last is another guest's */

const char *const vmm_step_names[VMM_STEPS] = { "nothing",     "PASID",	  "domain id",
						"granularity", "address", "which cache",
						"domain",      "owner",	  "bind",
						"unbind",      "answer" };

/* A virtual machine: the process of its VMM, whose set its PASIDs are of. */
struct vm {
	struct mm_struct *mm;
	struct ioasid_set *set;
};

static struct assigned {
	struct intel_iommu *iommu;
	struct device *dev;
	struct iommu_domain *domain;
} assigned[DEVICES];

/* Of the guest's PASIDs; host 0: free. */
static struct binding {
	u32 guest, host;
	struct {
		bool is_bound;
		u16 did;
	} on[MACHINE_UNITS];
} bindings[BINDINGS];

static struct vm guest, stranger;
static u64 ram;
static enum vmm_step left_out;
static unsigned int refused;
/* The guest's interrupt thread answers while others invalidate. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static bool does(enum vmm_step step)
{
	return left_out != step;
}

static struct binding *find(u32 pasid)
{
	for (int i = 0; i < BINDINGS; i++)
		if (bindings[i].host != 0 && bindings[i].guest == pasid)
			return &bindings[i];
	return NULL;
}

/* ---- calls of the driver: as the process of the guest ---- */

static struct mm_struct *enter(const struct vm *vm)
{
	struct mm_struct *before = current->mm;

	current->mm = vm->mm;
	return before;
}

static void leave(struct mm_struct *before, int result)
{
	current->mm = before;
	if (result != 0)
		refused++;
}

static struct iommu_cache_invalidate_info info_of(u8 cache, u8 granularity)
{
	struct iommu_cache_invalidate_info info;

	memset(&info, 0, sizeof(info));
	info.argsz = sizeof(info);
	info.version = IOMMU_CACHE_INVALIDATE_INFO_VERSION_1;
	info.cache = cache;
	info.granularity = granularity;
	return info;
}

static void forget(unsigned int unit, struct iommu_cache_invalidate_info info)
{
	struct iommu_domain *domain = assigned[does(VMM_DOMAIN) ? unit : 0].domain;
	struct mm_struct *before = enter(does(VMM_OWNER) ? &guest : &stranger);

	if (!does(VMM_CACHE))
		info.cache = IOMMU_CACHE_INV_TYPE_PASID;
	leave(before, iommu_uapi_cache_invalidate(domain, assigned[unit].dev, &info));
}

static u64 number_of(const struct binding *binding)
{
	return does(VMM_PASID) ? binding->guest : binding->host;
}

static void forget_pages(unsigned int unit, const struct binding *binding, u8 cache, u64 address,
			 u64 count)
{
	struct iommu_cache_invalidate_info info = info_of(cache, IOMMU_INV_GRANU_ADDR);

	info.granu.addr_info.flags = IOMMU_INV_ADDR_FLAGS_PASID;
	info.granu.addr_info.pasid = number_of(binding);
	info.granu.addr_info.addr = does(VMM_ADDRESS) ? address : 0;
	info.granu.addr_info.granule_size = VTD_PAGE_SIZE;
	info.granu.addr_info.nb_granules = does(VMM_GRANULARITY) ? count : 1;
	forget(unit, info);
}

static void forget_pasid(unsigned int unit, const struct binding *binding, u8 cache)
{
	struct iommu_cache_invalidate_info info = info_of(cache, IOMMU_INV_GRANU_PASID);

	if (!does(VMM_GRANULARITY)) {
		forget_pages(unit, binding, cache, 0, 1);
		return;
	}
	info.granu.pasid_info.flags = IOMMU_INV_PASID_FLAGS_PASID;
	info.granu.pasid_info.pasid = number_of(binding);
	forget(unit, info);
}

/* The fields of a guest's entry, where the table of the process is concerned. */
static void bind(unsigned int unit, u32 pasid, const u64 *entry)
{
	struct iommu_gpasid_bind_data data;
	struct binding *binding = find(pasid);
	struct mm_struct *before = enter(&guest);
	int error;

	for (int i = 0; !binding && i < BINDINGS; i++) {
		if (bindings[i].host != 0)
			continue;
		binding = &bindings[i];
		memset(binding, 0, sizeof(*binding));
		binding->guest = pasid;
		binding->host = ioasid_alloc(guest.set, FIRST_PASID, 1000, NULL);
		assert(binding->host != INVALID_IOASID);
	}
	assert(binding);
	memset(&data, 0, sizeof(data));
	data.argsz = sizeof(data);
	data.version = IOMMU_GPASID_BIND_VERSION_1;
	data.format = IOMMU_PASID_FORMAT_INTEL_VTD;
	data.addr_width = entry[2] >> VTD_PE_FLPM_SHIFT & 3 ? 57 : 48;
	data.flags = IOMMU_SVA_GPASID_VAL;
	data.gpgd = entry[2] & VTD_PE_ADDRESS_MASK;
	data.hpasid = binding->host;
	data.gpasid = pasid;
	if (entry[2] & VTD_PE_SRE)
		data.vendor.vtd.flags |= IOMMU_SVA_VTD_GPASID_SRE;
	error = iommu_uapi_sva_bind_gpasid(assigned[unit].domain, assigned[unit].dev, &data);
	binding->on[unit].is_bound = error == 0;
	binding->on[unit].did = entry[1] & VTD_PE_DID_MASK;
	leave(before, error);
}

static void unbind(unsigned int unit, struct binding *binding)
{
	struct iommu_gpasid_bind_data data;
	struct mm_struct *before = enter(&guest);
	bool is_used = false;

	memset(&data, 0, sizeof(data));
	data.argsz = sizeof(data);
	data.version = IOMMU_GPASID_BIND_VERSION_1;
	data.format = IOMMU_PASID_FORMAT_INTEL_VTD;
	data.hpasid = binding->host;
	leave(before,
	      iommu_uapi_sva_unbind_gpasid(assigned[unit].domain, assigned[unit].dev, &data));
	binding->on[unit].is_bound = false;
	for (int n = 0; n < MACHINE_UNITS; n++)
		is_used |= binding->on[n].is_bound;
	if (is_used)
		return;
	ioasid_free(guest.set, binding->host);
	binding->host = 0;
}

/* ---- descriptors: which PASIDs of the guest are meant ---- */

/* Bound on the unit under the domain id of the guest's that a descriptor has. */
static bool is_meant(const struct binding *binding, unsigned int unit, u16 did)
{
	return binding && binding->host != 0 && binding->on[unit].is_bound &&
	       (binding->on[unit].did == did || !does(VMM_DID));
}

/* What the guest's entry is now: bound, gone, or the same as before. */
static void look_at(unsigned int unit, u32 pasid, u16 did)
{
	struct binding *binding = find(pasid);
	u64 entry[VTD_PASID_ENTRY_WORDS];
	bool is_there = vtd_pasid_entry(machine_device(unit), pasid, entry) == 0 &&
			(entry[0] & VTD_PE_P) != 0;

	if (binding && binding->on[unit].is_bound) {
		if (!is_meant(binding, unit, did))
			return;
		if (is_there)
			forget_pasid(unit, binding, IOMMU_CACHE_INV_TYPE_PASID);
		else if (does(VMM_UNBIND))
			unbind(unit, binding);
	} else if (is_there && does(VMM_BIND)) {
		bind(unit, pasid, entry);
	}
}

/* PASIDs that are bound, of all domain ids or one. */
static void each(unsigned int unit, bool is_all, u16 did, u8 cache)
{
	for (int i = 0; i < BINDINGS; i++)
		if (is_meant(&bindings[i], unit, is_all ? bindings[i].on[unit].did : did))
			forget_pasid(unit, &bindings[i], cache);
}

static void answer(unsigned int unit, u32 pasid, u32 group, u32 code)
{
	struct binding *binding = find(pasid);
	struct iommu_page_response msg = { sizeof(msg),
					   IOMMU_PAGE_RESP_VERSION_1,
					   IOMMU_PAGE_RESP_PASID_VALID,
					   binding ? binding->host : 0,
					   group,
					   code };

	if (!does(VMM_ANSWER))
		msg.pasid = pasid;
	/* It may be answered already, by an unbind. */
	iommu_page_response(assigned[unit].dev, &msg);
}

/* How many pages a descriptor of the device TLB names; 0: all. */
static u64 device_pages(u64 high)
{
	int ones = __builtin_ctzll(~(high >> 12));

	if (!(high & VTD_INV_DEV_PSIZE))
		return 1;
	return ones >= 50 ? 0 : 2ULL << ones;
}

static void carry_out(unsigned int unit, const u64 *desc)
{
	u32 granularity = desc[0] >> VTD_INV_GRAN_SHIFT & 3, pasid = desc[0] >> 32 & 0xfffff;
	u64 address = desc[1] & ~0xfffULL, count;
	u16 did = (u16)(desc[0] >> 16);
	struct binding *binding = find(pasid);

	switch (desc[0] & 0xf) {
	case VTD_INV_PASID_CACHE:
		if (granularity == VTD_INV_PASID_ONE) {
			look_at(unit, pasid, did);
			break;
		}
		for (pasid = 0; pasid < 1024; pasid++)
			if (granularity == VTD_INV_PASID_GLOBAL || is_meant(find(pasid), unit, did))
				look_at(unit, pasid, did);
		break;
	case VTD_INV_PIOTLB:
		if (!is_meant(binding, unit, did))
			break;
		if (granularity == VTD_INV_PIOTLB_PASID)
			forget_pasid(unit, binding, IOMMU_CACHE_INV_TYPE_IOTLB);
		else
			forget_pages(unit, binding, IOMMU_CACHE_INV_TYPE_IOTLB, address,
				     1ULL << (desc[1] & 0x3f));
		break;
	case VTD_INV_IOTLB:
		each(unit, granularity == VTD_INV_IOTLB_GLOBAL, did, IOMMU_CACHE_INV_TYPE_IOTLB);
		break;
	case VTD_INV_DEV_PTLB:
		/* Where the domain id is in others, this one has the device. */
		if (did != MACHINE_SOURCE_ID_OF(unit) || !binding || !binding->on[unit].is_bound)
			break;
		count = device_pages(desc[1]);
		if (count == 0)
			forget_pasid(unit, binding, IOMMU_CACHE_INV_TYPE_DEV_IOTLB);
		else
			forget_pages(unit, binding, IOMMU_CACHE_INV_TYPE_DEV_IOTLB,
				     address & ~(count * VTD_PAGE_SIZE - 1), count);
		break;
	case VTD_INV_PAGE_RESPONSE:
		answer(unit, pasid, desc[1] >> 3 & 0x1ff, desc[0] >> 12 & 0xf);
		break;
	}
}

/* Before the guest's unit itself reads what is new in its queue. */
static void trap(unsigned int unit, uint32_t offset, uint64_t value)
{
	uint64_t base, head, mask;

	if (offset != VTD_REG_IQT)
		return;
	pthread_mutex_lock(&mutex);
	base = vtd_register_read(machine_unit(unit), VTD_REG_IQA, 8);
	head = vtd_register_read(machine_unit(unit), VTD_REG_IQH, 8);
	mask = (VTD_PAGE_SIZE << (base & 7)) - 1;
	for (; head != value; head = (head + 32) & mask)
		carry_out(unit, machine_virtual((base & ~0xfffULL) + head));
	pthread_mutex_unlock(&mutex);
}

/* ---- page requests of the host's device: asked of the guest by its own queue ---- */

static int ask_guest(struct iommu_fault *fault, void *data)
{
	struct assigned *mine = data;
	u32 pasid;

	if (fault->type != IOMMU_FAULT_PAGE_REQ)
		return 0;
	pasid = ioasid_find_spid(fault->prm.pasid);
	return vtd_page_request(
		machine_device((unsigned int)(mine - assigned)), pasid, fault->prm.addr,
		(fault->prm.perm & IOMMU_FAULT_PERM_READ ? VTD_DMA_READ : 0) |
			(fault->prm.perm & IOMMU_FAULT_PERM_WRITE ? VTD_DMA_WRITE : 0),
		fault->prm.grpid, fault->prm.flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE);
}

/* ---- beginning and end ---- */

static void begin_vm(struct vm *vm)
{
	vm->mm = mm_alloc();
	vm->set = ioasid_set_alloc(vm->mm, 16, IOASID_SET_TYPE_MM);
	assert(!IS_ERR(vm->set));
}

static void end_vm(struct vm *vm)
{
	assert(ioasid_set_free(vm->set) == 0);
	mmput(vm->mm);
}

void vmm_be_quiet(void)
{
	ioasid_set_log_level(IOASID_LOG_ERR);
}

void vmm_begin(bool has_tlb, bool has_requests)
{
	struct vtd_unit_config config = { VTD_CAP_DEFAULT | VTD_CAP_SRS, 20, NULL, NULL };
	unsigned int features = (has_tlb ? VTD_DEV_ATS : 0) | (has_requests ? VTD_DEV_PRI : 0);

	memset(bindings, 0, sizeof(bindings));
	left_out = VMM_NOTHING;
	refused = 0;
	ram = vtd_page_alloc(machine_model(), RAM_PAGES);
	assert(ram != VTD_NO_ADDRESS);
	for (int n = 0; n < DEVICES; n++) {
		struct assigned *a = &assigned[n];

		/* The stranger's device is behind the guest's first unit. */
		a->iommu = n < MACHINE_UNITS ? vtd_unit_create(machine_model(), &config)
					     : assigned[0].iommu;
		a->dev = vtd_device_create(a->iommu, (u16)(0x0300 + 8 * n), features);
		if (n < MACHINE_UNITS)
			assert(intel_iommu_enable(a->iommu) == 0);
		a->domain = vtd_domain_alloc(machine_model(), IOMMU_DOMAIN_UNMANAGED);
		assert(iommu_attach_device(a->domain, a->dev) == 0);
		assert(iommu_map(a->domain, ram, ram, RAM_PAGES * VTD_PAGE_SIZE,
				 IOMMU_READ | IOMMU_WRITE) == 0);
		if (n < MACHINE_UNITS && has_requests)
			assert(iommu_register_device_fault_handler(a->dev, ask_guest, a) == 0);
	}
	begin_vm(&guest);
	begin_vm(&stranger);
	machine_take_from(ram, RAM_PAGES);
	machine_trap(trap);
}

void vmm_end(void)
{
	machine_trap(NULL);
	machine_take_from(0, 0);
	/* What a step that was left out has left behind. */
	left_out = VMM_NOTHING;
	for (int i = 0; i < BINDINGS; i++)
		for (unsigned int n = 0; n < MACHINE_UNITS; n++)
			if (bindings[i].host != 0 && bindings[i].on[n].is_bound)
				unbind(n, &bindings[i]);
	for (int n = DEVICES - 1; n >= 0; n--) {
		struct assigned *a = &assigned[n];

		iommu_unregister_device_fault_handler(a->dev);
		iommu_detach_device(a->domain, a->dev);
		iommu_domain_free(a->domain);
		if (n < MACHINE_UNITS)
			assert(intel_iommu_disable(a->iommu) == 0);
		assert(vtd_device_destroy(a->dev) == 0);
		if (n < MACHINE_UNITS)
			assert(vtd_unit_destroy(a->iommu) == 0);
	}
	end_vm(&guest);
	end_vm(&stranger);
	vtd_page_free(machine_model(), ram, RAM_PAGES);
}

void vmm_leave_out(enum vmm_step step)
{
	pthread_mutex_lock(&mutex);
	left_out = step;
	pthread_mutex_unlock(&mutex);
}

/* ---- looking at it ---- */

uint32_t vmm_host_pasid(unsigned int unit, uint32_t pasid)
{
	struct binding *binding;
	uint32_t host;

	pthread_mutex_lock(&mutex);
	binding = find(pasid);
	host = binding && binding->on[unit].is_bound ? binding->host : 0;
	pthread_mutex_unlock(&mutex);
	return host;
}

uint64_t vmm_dma(unsigned int unit, uint32_t host, uint64_t address)
{
	u64 physical;
	int result = vtd_dma(assigned[unit].dev, host, address, VTD_DMA_READ, &physical);

	return result == 0 ? physical : result == -EAGAIN ? MACHINE_WAITING : MACHINE_REFUSED;
}

uint64_t vmm_cached(void)
{
	struct vtd_stats stats;
	uint64_t count = 0;

	for (int n = 0; n < MACHINE_UNITS; n++) {
		vtd_get_stats(assigned[n].iommu, &stats);
		count += stats.iotlb_hits + stats.devtlb_hits;
	}
	return count;
}

uint64_t vmm_stale(void)
{
	struct vtd_stats stats;
	uint64_t count = 0;

	for (int n = 0; n < MACHINE_UNITS; n++) {
		vtd_get_stats(assigned[n].iommu, &stats);
		count += stats.stale_hits;
	}
	return count;
}

unsigned int vmm_refused(void)
{
	unsigned int count;

	pthread_mutex_lock(&mutex);
	count = refused;
	refused = 0;
	pthread_mutex_unlock(&mutex);
	return count;
}

unsigned int vmm_attack(uint32_t pasid, bool is_trusted)
{
	struct assigned *own = &assigned[DEVICES - 1], *victim = &assigned[0];
	struct iommu_cache_invalidate_info info = info_of(1, IOMMU_INV_GRANU_PASID);
	struct iommu_gpasid_bind_data data;
	struct mm_struct *before = enter(&stranger);
	unsigned int succeeded = 0;
	u32 host = vmm_host_pasid(0, pasid);

	info.granu.pasid_info.flags = IOMMU_INV_PASID_FLAGS_PASID;
	info.granu.pasid_info.pasid = pasid;
	if (is_trusted) {
		/* The driver's own function, by a thread that is no guest's. */
		current->mm = before;
		succeeded += intel_iommu_sva_invalidate(victim->domain, victim->dev, &info) == 0;
	} else {
		memset(&data, 0, sizeof(data));
		data.argsz = sizeof(data);
		data.version = IOMMU_GPASID_BIND_VERSION_1;
		data.format = IOMMU_PASID_FORMAT_INTEL_VTD;
		data.addr_width = 48;
		data.hpasid = host;
		data.gpgd = ram;
		/* By number of the guest's and of the host's, on its own device and on the victim's. */
		for (int i = 0; i < 2; i++, info.granu.pasid_info.pasid = host) {
			succeeded += !iommu_uapi_cache_invalidate(own->domain, own->dev, &info);
			succeeded +=
				!iommu_uapi_cache_invalidate(victim->domain, victim->dev, &info);
			succeeded += !iommu_uapi_cache_invalidate(victim->domain, own->dev, &info);
			succeeded += !iommu_uapi_cache_invalidate(own->domain, victim->dev, &info);
		}
		info = info_of(1, IOMMU_INV_GRANU_DOMAIN);
		succeeded += !iommu_uapi_cache_invalidate(victim->domain, victim->dev, &info);
		succeeded += !iommu_uapi_sva_bind_gpasid(own->domain, own->dev, &data);
		succeeded += !iommu_uapi_sva_bind_gpasid(victim->domain, victim->dev, &data);
		succeeded += !iommu_uapi_sva_unbind_gpasid(victim->domain, victim->dev, &data);
		succeeded += !iommu_uapi_sva_unbind_gpasid(own->domain, own->dev, &data);
		succeeded += vmm_dma(DEVICES - 1, host, ram) != MACHINE_REFUSED;
	}
	current->mm = before;
	return succeeded;
}
