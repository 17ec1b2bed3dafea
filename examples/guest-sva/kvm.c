// SPDX-License-Identifier: MIT
// KVM: keeps the PASID translation table of the virtual CPUs, told by events before everybody else.

#include <stdlib.h>
#include "flow.h"
#include "host.h"

/* An entry of the table: valid bit and host PASID, as the processor reads it. */
#define ENTRY_VALID (1u << 31)
#define ENTRY_PASID(entry) ((entry) & 0xfffff)

static bool clear_entry(struct kvm *kvm, ioasid_t guest, ioasid_t host)
{
	int entry = host | ENTRY_VALID;

	return guest < PASID_MAX && atomic_cmpxchg(&kvm->table[guest], entry, 0) == entry;
}

static int kvm_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct kvm *kvm = container_of(nb, struct kvm, nb);
	struct vm *vm = container_of(kvm, struct vm, kvm);
	const struct ioasid_nb_args *args = data;
	int error;

	switch (event) {
	case IOASID_NOTIFY_BIND:
		if (args->spid >= PASID_MAX)
			return NOTIFY_DONE;
		error = ioasid_get_locked(args->set, args->id);
		if (error)
			return notifier_from_errno(error);
		atomic_set(&kvm->table[args->spid], args->id | ENTRY_VALID);
		flow_note(KVM_ENTERS, vm, args->id, 0);
		return NOTIFY_OK;
	case IOASID_NOTIFY_UNBIND:
	case IOASID_NOTIFY_FREE:
		/* Both may come for one id, in either order. */
		if (!clear_entry(kvm, args->spid, args->id))
			return NOTIFY_DONE;
		ioasid_put_locked(args->set, args->id);
		flow_note(event == IOASID_NOTIFY_FREE ? KVM_HEARS_FREE : KVM_CLEARS, vm, args->id,
			  0);
		return NOTIFY_OK;
	}
	return NOTIFY_DONE;
}

/* KVM knows the process, not its set: it may come before VFIO. */
void kvm_open(struct vm *vm)
{
	struct kvm *kvm = &vm->kvm;

	kvm->table = calloc(PASID_MAX, sizeof(*kvm->table));
	kvm->nb.notifier_call = kvm_event;
	kvm->nb.priority = IOASID_PRIO_CPU;
	if (!kvm->table || ioasid_register_notifier_mm(vm->mm, &kvm->nb))
		die("KVM cannot listen");
	kvm->listening = true;
	flow_note(KVM_LISTENS, vm, INVALID_IOASID, 0);
}

static void drop_entry(ioasid_t host, void *data)
{
	struct vm *vm = data;

	if (!clear_entry(&vm->kvm, ioasid_find_spid(host), host))
		return;
	ioasid_put(vm->set, host);
	flow_note(KVM_LEAVES, vm, host, 0);
}

/* KVM goes while the others stay. */
void kvm_leave(struct vm *vm)
{
	if (!vm->kvm.listening)
		return;
	ioasid_unregister_notifier_mm(vm->mm, &vm->kvm.nb);
	vm->kvm.listening = false;
	ioasid_set_for_each_ioasid(vm->set, drop_entry, vm);
}

void kvm_close(struct vm *vm)
{
	kvm_leave(vm);
	free(vm->kvm.table);
}

/* ENQCMD of a guest: the processor translates the PASID, and submits; a miss traps to KVM. */
int kvm_enqcmd(struct vm *vm, struct mdev *mdev, ioasid_t guest)
{
	u32 entry = guest < PASID_MAX ? (u32)atomic_read(&vm->kvm.table[guest]) : 0;
	ioasid_t host = entry & ENTRY_VALID ? ENTRY_PASID(entry) : INVALID_IOASID;
	int error = -EINVAL;

	if (pasid_valid(host))
		error = vtd_dma(mdev->dev, host, BUFFER, VTD_DMA_WRITE, NULL) ? -EIO : 0;
	flow_note(GUEST_ENQCMDS, vm, host, error);
	return error;
}
