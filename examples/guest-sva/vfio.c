// SPDX-License-Identifier: MIT
// The VFIO-like owner: a set with a quota for each guest, bind and unbind, sweep at its death.

#include <string.h>
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
	*p = (struct vfio_pasid){ .guest = guest, .host = host, .used = true };
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
