// SPDX-License-Identifier: MIT
// Makes and takes down the host and its virtual machines; whatever is left behind is an error.

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "flow.h"
#include "guest.h"

#define HOST_MEMORY (256u << 20)

void die(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("guest-sva: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void host_create(struct host *host)
{
	host->machine = vtd_machine_create(HOST_MEMORY);
	for (int i = 0; i < NR_DEVICES; i++) {
		host->iommu[i] = vtd_unit_create(host->machine, NULL);
		host->dev[i] = vtd_device_create(host->iommu[i], 0x1000 + 0x800 * i,
						 VTD_DEV_ATS | VTD_DEV_PRI);
		if (IS_ERR(host->dev[i]) || intel_iommu_enable(host->iommu[i]) ||
		    iommu_register_device_fault_handler(host->dev[i], vfio_fault, host->dev[i]))
			die("no remapping unit");
	}
	flow_note(IOMMU_LISTENS, NULL, INVALID_IOASID, 0);
}

static void nothing(struct work_struct *work)
{
	(void)work;
}

/* Until the work that was queued by FREE is done. */
void host_settle(void)
{
	struct work_struct last;

	/* The queue is ordered. */
	INIT_WORK_ONSTACK(&last, nothing);
	ioasid_queue_work(&last);
	flush_work(&last);
	destroy_work_on_stack(&last);
}

void host_destroy(struct host *host)
{
	struct ioasid_stats stats;

	host_settle();
	for (int i = 0; i < NR_DEVICES; i++)
		if (iommu_unregister_device_fault_handler(host->dev[i]) ||
		    intel_iommu_disable(host->iommu[i]) || vtd_device_destroy(host->dev[i]) ||
		    vtd_unit_destroy(host->iommu[i]))
			die("something is bound or attached behind unit %d", i);
	ioasid_get_stats(&stats);
	if (stats.live || stats.sets || stats.dying || stats.subscribers)
		die("left: %llu ids, %llu sets, %llu subscribers", (unsigned long long)stats.live,
		    (unsigned long long)(stats.sets + stats.dying),
		    (unsigned long long)stats.subscribers);
	if (vtd_pages_used(host->machine) || vtd_machine_destroy(host->machine))
		die("pages are left in the machine");
	if (vtd_blocks_used())
		die("%lu blocks of the driver are left", vtd_blocks_used());
}

/* ---- virtual machines ---- */

static void load_process(struct vm *vm, struct process *process)
{
	static atomic64_t signatures;

	process->signature = atomic64_inc_return(&signatures);
	process->root = vtd_guest_page(vm->memory);
	process->page = vtd_guest_page(vm->memory);
	process->spare = vtd_guest_page(vm->memory);
	if (vtd_guest_map(vm->memory, process->root, BUFFER, process->page,
			  VTD_DMA_READ | VTD_DMA_WRITE) ||
	    vtd_guest_write(vm->memory, process->page, &process->signature,
			    sizeof(process->signature)))
		die("cannot load guest %d", vm->number);
	process->physical = iommu_iova_to_phys(vm->domain, process->page);
}

/* The guest itself is started by guest_start(). */
struct vm *vm_create(struct host *host, int number, ioasid_t quota)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	if (!vm)
		die("no memory");
	vm->number = number;
	vm->fd = -1;
	vm->mm = mm_alloc();
	pthread_mutex_init(&vm->request_lock, NULL);
	pthread_cond_init(&vm->request_came, NULL);
	kvm_open(vm);
	vfio_open(vm, host, quota);
	flow_watch(vm);
	vm->memory = vtd_guest_create(vm->domain, VM_PAGES);
	if (IS_ERR(vm->memory))
		die("no memory for guest %d", number);
	for (int i = 0; i < NR_PROCESSES; i++)
		load_process(vm, &vm->processes[i]);
	return vm;
}

void vm_add_mdev(struct vm *vm, struct device *dev)
{
	struct mdev *mdev = &vm->mdevs[vm->nr_mdevs++];

	mdev->vm = vm;
	mdev->dev = dev;
	if (iommu_aux_attach_device(vm->domain, dev))
		die("cannot attach guest %d", vm->number);
	vdcm_open(mdev);
}

bool vm_has_page(const struct vm *vm, u64 physical)
{
	for (int i = 0; i < NR_PROCESSES; i++)
		if (vm->processes[i].physical == physical)
			return true;
	return false;
}

void vm_destroy(struct vm *vm)
{
	guest_end(vm);
	vfio_sweep(vm);
	host_settle();
	for (unsigned int i = 0; i < vm->nr_mdevs; i++)
		vdcm_close(&vm->mdevs[i]);
	kvm_close(vm);
	for (unsigned int i = 0; i < vm->nr_mdevs; i++)
		iommu_aux_detach_device(vm->domain, vm->mdevs[i].dev);
	vtd_guest_destroy(vm->memory);
	vfio_close(vm);
	mmput(vm->mm);
	pthread_cond_destroy(&vm->request_came);
	pthread_mutex_destroy(&vm->request_lock);
	free(vm);
}
