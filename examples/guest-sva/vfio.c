// SPDX-License-Identifier: MIT
// The VFIO-like owner: a set with a quota for each guest, bind and unbind, sweep at its death.

#include <string.h>
#include <unistd.h>
#include "flow.h"
#include "host.h"

/*
 * A guest is served by one thread at a time. Between guests there is one thing to order: a number
 * must not go to another guest between the look at whose it is and the unbind.
 */
static pthread_mutex_t numbers_lock = PTHREAD_MUTEX_INITIALIZER;

void vfio_open(struct vm *vm, struct host *host, ioasid_t quota)
{
	vm->set = ioasid_set_alloc(vm->mm, quota, IOASID_SET_TYPE_MM);
	if (IS_ERR(vm->set))
		die("no set for guest %d: %ld", vm->number, PTR_ERR(vm->set));
	vm->domain = vtd_domain_alloc(host->machine, IOMMU_DOMAIN_UNMANAGED);
	if (IS_ERR(vm->domain))
		die("no domain for guest %d", vm->number);
}

void vfio_close(struct vm *vm)
{
	ioasid_set_put(vm->set);
	iommu_domain_free(vm->domain);
}

static struct vfio_pasid *find(struct vm *vm, ioasid_t guest)
{
	for (struct vfio_pasid *p = vm->pasids; p < vm->pasids + NR_PASIDS; p++)
		if (p->used && p->guest == guest)
			return p;
	return NULL;
}

/*
 * Is the host PASID still the one that this entry was made for? The number alone does not say it:
 * reclaimed, it may be another guest's. The private data does.
 */
static bool is_ours(struct vm *vm, struct vfio_pasid *p)
{
	return ioasid_find(vm->set, p->host, NULL) == p;
}

/* Forgets what the guest freed without ever unbinding it. */
static void forget_reclaimed(struct vm *vm)
{
	for (struct vfio_pasid *p = vm->pasids; p < vm->pasids + NR_PASIDS; p++)
		if (p->used && p->freed && !is_ours(vm, p))
			p->used = false;
}

static struct vfio_pasid *unused(struct vm *vm)
{
	for (struct vfio_pasid *p = vm->pasids; p < vm->pasids + NR_PASIDS; p++)
		if (!p->used)
			return p;
	return NULL;
}

/* A host PASID for the guest, which calls it @guest. Returns it, or INVALID_IOASID. */
ioasid_t vfio_alloc(struct vm *vm, ioasid_t guest)
{
	struct vfio_pasid *p = unused(vm);
	ioasid_t host = INVALID_IOASID;

	if (p) {
		pthread_mutex_lock(&numbers_lock);
		host = ioasid_alloc(vm->set, HOST_PASID_FIRST, HOST_PASID_LAST, p);
		pthread_mutex_unlock(&numbers_lock);
	}
	if (host == INVALID_IOASID) {
		flow_note(VFIO_REFUSES, vm, INVALID_IOASID, -ENOSPC);
		return INVALID_IOASID;
	}
	*p = (struct vfio_pasid){ .vm = vm, .guest = guest, .host = host, .used = true };
	flow_note(VFIO_ALLOCATES, vm, host, 0);
	return host;
}

int vfio_free(struct vm *vm, ioasid_t guest)
{
	struct vfio_pasid *p = find(vm, guest);

	if (!p || p->freed) {
		flow_note(VFIO_REFUSES_FREE, vm, INVALID_IOASID, -EINVAL);
		return -EINVAL;
	}
	p->freed = true;
	ioasid_free(vm->set, p->host);
	flow_note(FREE_RETURNS, vm, p->host, 0);
	if (!p->bound)
		p->used = false;
	return 0;
}

/* The virtual command register of the guest (VT-d specification, 10.4.43). */
u64 vfio_vcmd(struct vm *vm, u64 command)
{
	ioasid_t guest = GUEST_PASID_FIRST;

	switch (VCMD_CMD(command)) {
	case VCMD_CMD_ALLOC:
		flow_note(GUEST_ASKS, vm, INVALID_IOASID, 0);
		forget_reclaimed(vm);
		while (find(vm, guest))
			guest++;
		if (vfio_alloc(vm, guest) == INVALID_IOASID)
			return VCMD_VRSP(VCMD_VRSP_SC_NO_PASID_AVAIL, 0);
		return VCMD_VRSP(VCMD_VRSP_SC_SUCCESS, guest);
	case VCMD_CMD_FREE:
		if (vfio_free(vm, VCMD_CMD_PASID(command)))
			return VCMD_VRSP(VCMD_VRSP_SC_INVALID_PASID, 0);
		return VCMD_VRSP(VCMD_VRSP_SC_SUCCESS, 0);
	}
	return VCMD_VRSP(VCMD_VRSP_SC_INVALID_PASID, 0);
}

static int bind_all(struct vm *vm, struct vfio_pasid *p, u64 root)
{
	struct iommu_gpasid_bind_data data = {
		.argsz = sizeof(data),
		.version = IOMMU_GPASID_BIND_VERSION_1,
		.format = IOMMU_PASID_FORMAT_INTEL_VTD,
		.addr_width = 48,
		.flags = IOMMU_SVA_GPASID_VAL,
		.gpgd = root,
		.hpasid = p->host,
		.gpasid = p->guest,
	};

	for (unsigned int i = 0; i < vm->nr_mdevs; i++) {
		int error = intel_svm_bind_gpasid(vm->domain, vm->mdevs[i].dev, &data);

		if (error) {
			while (i-- > 0)
				intel_svm_unbind_gpasid(vm->mdevs[i].dev, p->host);
			return error;
		}
	}
	return 0;
}

/* Once for each mediated device; the guest itself may not bind twice. */
int vfio_bind(struct vm *vm, ioasid_t guest, u64 root)
{
	struct vfio_pasid *p = find(vm, guest);
	int error;

	if (!p || p->freed)
		error = -EINVAL;
	else if (p->bound)
		error = -EBUSY;
	else
		error = bind_all(vm, p, root);
	if (error)
		flow_note(VFIO_REFUSES_BIND, vm, p ? p->host : INVALID_IOASID, error);
	else
		p->bound = true;
	if (!error)
		p->root = root;
	return error;
}

static int unbind_all(struct vm *vm, struct vfio_pasid *p)
{
	int error = 0;

	pthread_mutex_lock(&numbers_lock);
	if (is_ours(vm, p))
		for (unsigned int i = 0; i < vm->nr_mdevs; i++)
			error = intel_svm_unbind_gpasid(vm->mdevs[i].dev, p->host) ?: error;
	else
		error = -EINVAL;
	pthread_mutex_unlock(&numbers_lock);
	return error;
}

int vfio_unbind(struct vm *vm, ioasid_t guest)
{
	struct vfio_pasid *p = find(vm, guest);
	int error;

	if (!p || !p->bound) {
		flow_note(VFIO_REFUSES_UNBIND, vm, p ? p->host : INVALID_IOASID, -EINVAL);
		return -EINVAL;
	}
	error = unbind_all(vm, p);
	p->bound = false;
	if (p->freed)
		p->used = false;
	if (error)
		flow_note(UNBIND_IS_LATE, vm, INVALID_IOASID, error);
	else
		flow_note(IOMMU_PUTS, vm, p->host, 0);
	return error;
}

/* The guest is dead. Everybody hears of it by FREE. */
void vfio_sweep(struct vm *vm)
{
	flow_note(VFIO_SWEEPS, vm, INVALID_IOASID, 0);
	ioasid_free_all_in_set(vm->set);
	for (struct vfio_pasid *p = vm->pasids; p < vm->pasids + NR_PASIDS; p++) {
		if (p->used && !p->freed)
			flow_note(FREE_RETURNS, vm, p->host, 0);
		p->used = false;
	}
}

/* What the hardware calls a PASID of the guest; INVALID_IOASID if the guest has none such. */
ioasid_t vfio_host_pasid(const struct vm *vm, ioasid_t guest)
{
	const struct vfio_pasid *p = find((struct vm *)vm, guest);

	return p && !p->freed ? p->host : INVALID_IOASID;
}

/* ---- what the guest's remapping unit is told, and what it tells ---- */

static struct vfio_pasid *find_bound(struct vm *vm, ioasid_t guest)
{
	struct vfio_pasid *p = find(vm, guest);

	return p && p->bound && !p->freed ? p : NULL;
}

/* As the process that is the guest, whose set must have the PASID. */
static int invalidate_as(struct vm *vm, struct iommu_cache_invalidate_info *info)
{
	struct mm_struct *own = current->mm;
	int error = 0;

	current->mm = vm->mm;
	for (unsigned int i = 0; i < vm->nr_mdevs; i++)
		error = iommu_uapi_cache_invalidate(vm->domain, vm->mdevs[i].dev, info) ?: error;
	current->mm = own;
	return error;
}

/* A descriptor in the guest's invalidation queue: a page of a process. The driver knows the host's PASID. */
int vfio_invalidate(struct vm *vm, ioasid_t guest, u64 address)
{
	struct iommu_cache_invalidate_info info = {
		.argsz = sizeof(info),
		.version = IOMMU_CACHE_INVALIDATE_INFO_VERSION_1,
		.cache = IOMMU_CACHE_INV_TYPE_IOTLB,
		.granularity = IOMMU_INV_GRANU_ADDR,
		.granu.addr_info = { .flags = IOMMU_INV_ADDR_FLAGS_PASID,
				     .pasid = guest,
				     .addr = address,
				     .granule_size = VTD_PAGE_SIZE,
				     .nb_granules = 1 },
	};
	struct vfio_pasid *p = find(vm, guest);
	int error = invalidate_as(vm, &info);

	flow_note(error ? VFIO_REFUSES_INVALIDATION : VFIO_INVALIDATES, vm,
		  p && !error ? p->host : INVALID_IOASID, error);
	return error;
}

/*
 * A process of the guest is gone. Its kernel has cleared the entry in its own PASID table and says so in its
 * invalidation queue: that is all that is heard of it.
 */
int vfio_process_exit(struct vm *vm, ioasid_t guest)
{
	struct iommu_cache_invalidate_info info = {
		.argsz = sizeof(info),
		.version = IOMMU_CACHE_INVALIDATE_INFO_VERSION_1,
		.cache = IOMMU_CACHE_INV_TYPE_PASID | IOMMU_CACHE_INV_TYPE_IOTLB,
		.granularity = IOMMU_INV_GRANU_PASID,
		.granu.pasid_info = { .flags = IOMMU_INV_PASID_FLAGS_PASID, .pasid = guest },
	};
	struct vfio_pasid *p = find_bound(vm, guest);

	if (!p || invalidate_as(vm, &info)) {
		flow_note(VFIO_REFUSES_INVALIDATION, vm, INVALID_IOASID, -EINVAL);
		return -EINVAL;
	}
	flow_note(PROCESS_ENDS, vm, p->host, 0);
	return vfio_unbind(vm, guest);
}

/* What the guest's CPU does to the page table of a process; nobody hears of it. */
static struct process *process_of(struct vm *vm, ioasid_t guest)
{
	struct vfio_pasid *p = find_bound(vm, guest);

	for (int i = 0; p && i < NR_PROCESSES; i++)
		if (vm->processes[i].root == p->root)
			return &vm->processes[i];
	return NULL;
}

int vfio_map(struct vm *vm, ioasid_t guest, u64 address)
{
	struct process *process = process_of(vm, guest);
	int error = -EINVAL;

	if (process)
		error = vtd_guest_map(vm->memory, process->root, address,
				      address == BUFFER ? process->page : process->spare,
				      VTD_DMA_READ | VTD_DMA_WRITE);
	flow_note(GUEST_MAPS, vm, vfio_host_pasid(vm, guest), error);
	return error;
}

int vfio_unmap(struct vm *vm, ioasid_t guest, u64 address)
{
	struct process *process = process_of(vm, guest);
	int error = process ? vtd_guest_unmap(vm->memory, process->root, address) : -EINVAL;

	flow_note(GUEST_UNMAPS, vm, vfio_host_pasid(vm, guest), error);
	return error;
}

/* From now on the guest handles page requests, or no more. */
void vfio_page(struct vm *vm, bool pages)
{
	pthread_mutex_lock(&vm->request_lock);
	vm->pages = pages;
	pthread_mutex_unlock(&vm->request_lock);
}

static bool take_in(struct vm *vm, const struct page_request *request)
{
	bool has_room;

	pthread_mutex_lock(&vm->request_lock);
	has_room = vm->pages && !vm->request.waits;
	if (has_room) {
		vm->request = *request;
		pthread_cond_signal(&vm->request_came);
	}
	pthread_mutex_unlock(&vm->request_lock);
	return has_room;
}

/* Told by the driver, in the thread of some DMA; the guest will hear its own name for the PASID. */
int vfio_fault(struct iommu_fault *fault, void *data)
{
	struct page_request request;
	struct vfio_pasid *p;

	if (fault->type != IOMMU_FAULT_PAGE_REQ)
		return 0;
	p = ioasid_find(NULL, fault->prm.pasid, NULL);
	if (IS_ERR_OR_NULL(p))
		return -ENODEV;
	request = (struct page_request){
		.dev = data,
		.host = fault->prm.pasid,
		.address = fault->prm.addr,
		.group = fault->prm.grpid,
		.waits = true,
	};
	return take_in(p->vm, &request) ? 0 : -ENODEV;
}

/* What is in the guest's queue. It has asked and waits for an answer, so it comes. */
struct page_request vfio_fetch(struct vm *vm)
{
	struct page_request request;
	struct timespec patience;
	int late = 0;

	clock_gettime(CLOCK_REALTIME, &patience);
	patience.tv_sec += 10;
	pthread_mutex_lock(&vm->request_lock);
	while (!vm->request.waits && !late)
		late = pthread_cond_timedwait(&vm->request_came, &vm->request_lock, &patience);
	request = vm->request;
	pthread_mutex_unlock(&vm->request_lock);
	if (!request.waits)
		die("the page request of guest %d is lost", vm->number);
	flow_note(GUEST_IS_ASKED, vm, request.host, 0);
	return request;
}

/* The guest's page group response: the PASID is the host's again. A wrong one changes nothing. */
int vfio_respond(struct vm *vm, u32 group, u32 code)
{
	struct page_request request;
	struct iommu_page_response answer = {
		.argsz = sizeof(answer),
		.version = IOMMU_PAGE_RESP_VERSION_1,
		.flags = IOMMU_PAGE_RESP_PASID_VALID,
		.grpid = group,
		.code = code,
	};
	int error = -EINVAL;

	pthread_mutex_lock(&vm->request_lock);
	request = vm->request;
	if (request.waits && request.group == group)
		vm->request.waits = false;
	pthread_mutex_unlock(&vm->request_lock);
	answer.pasid = request.host;
	if (request.waits && request.group == group)
		error = iommu_page_response(request.dev, &answer);
	flow_note(GUEST_ANSWERS, vm, request.host, error);
	return error;
}
