/* SPDX-License-Identifier: MIT */
/* The host: a machine with two remapping units, and for each guest what VFIO, KVM and VDCM keep. */
#ifndef GUEST_SVA_HOST_H
#define GUEST_SVA_HOST_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>
#include <linux/atomic.h>
#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/intel-iommu.h>
#include <linux/intel-svm.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#define NR_DEVICES 2
#define NR_MDEVS 2
/* Processes of a guest that are ready to share their address space with a device. */
#define NR_PROCESSES 8
/* Memory of a guest. */
#define VM_PAGES 128
/* Guest PASIDs begin at 101 in every guest; host PASIDs of guests at 201: they never agree. */
#define GUEST_PASID_FIRST 101
#define HOST_PASID_FIRST 201
#define HOST_PASID_LAST 1023
/* The most PASIDs a guest may have; its quota is at most this. */
#define NR_PASIDS 64
/* Where each process of a guest has the page that its device works on; and one that is there on demand. */
#define BUFFER 0x7f0000400000ULL
#define ON_DEMAND (BUFFER + VTD_PAGE_SIZE)

struct vm;

/* Devices behind a unit each, so that one PASID can be used behind both. */
struct host {
	struct vtd_machine *machine;
	struct intel_iommu *iommu[NR_DEVICES];
	struct device *dev[NR_DEVICES];
};

/* A process of a guest: its page table and its page, as the guest and the machine see them. */
struct process {
	u64 root;
	u64 page;
	u64 spare; /* for ON_DEMAND */
	u64 physical;
	u64 signature;
};

/**
 * struct vfio_pasid - one PASID of a guest
 * @vm: whose it is
 * @guest: what the guest calls it
 * @host: what the hardware calls it
 * @root: the page table it was bound to
 * @used: this entry is
 * @bound: the driver was asked to bind it, and not yet to unbind it
 * @freed: the guest freed it; a late unbind may still come
 */
struct vfio_pasid {
	struct vm *vm;
	ioasid_t guest;
	ioasid_t host;
	u64 root;
	bool used;
	bool bound;
	bool freed;
};

/* A page request that the guest has not answered. */
struct page_request {
	struct device *dev;
	ioasid_t host;
	u64 address;
	u32 group;
	bool waits;
};

/* The PASID translation table of a guest's virtual CPUs, for ENQCMD. */
struct kvm {
	struct notifier_block nb;
	atomic_t *table; /* by guest PASID; flat, where the processor has two levels */
	bool listening;
};

/**
 * struct mdev - a mediated device: one work queue of a device, with an engine that does DMA
 * @nb: listens to FREE in the guest's set
 * @clear: takes a freed PASID out of the register, outside the handler
 * @lock: guards what follows; held during each DMA, so that who clears the register waits for it
 * @pasid: the register: a host PASID, referenced, or INVALID_IOASID
 * @running: the engine does DMA with it
 * @passed: DMA requests that passed
 * @blocked: those that did not
 */
struct mdev {
	struct vm *vm;
	struct device *dev;
	struct notifier_block nb;
	struct work_struct clear;
	pthread_t engine;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	ioasid_t pasid;
	bool running;
	bool over;
	u64 passed;
	u64 blocked;
};

/**
 * struct vm - a virtual machine
 * @number: for people
 * @pid: the process that is the guest
 * @fd: the socket to it
 * @mm: the process of the host that runs it; token of its set
 * @set: its PASIDs
 * @domain: its memory as devices see it
 * @memory: its memory as it sees it
 * @request: in its page request queue, which has room for one
 * @pages: it handles page requests; else they are refused
 */
struct vm {
	int number;
	pid_t pid;
	int fd;
	struct mm_struct *mm;
	struct ioasid_set *set;
	struct iommu_domain *domain;
	struct vtd_guest *memory;
	struct process processes[NR_PROCESSES];
	struct vfio_pasid pasids[NR_PASIDS];
	pthread_mutex_t request_lock; /* of the two below: another guest's DMA may bring a request */
	pthread_cond_t request_came;
	struct page_request request;
	bool pages;
	struct kvm kvm;
	struct mdev mdevs[NR_MDEVS];
	unsigned int nr_mdevs;
};

/* host.c */
void host_create(struct host *host);
void host_destroy(struct host *host);
void host_settle(void);
struct vm *vm_create(struct host *host, int number, ioasid_t quota);
void vm_add_mdev(struct vm *vm, struct device *dev);
void vm_destroy(struct vm *vm);
bool vm_has_page(const struct vm *vm, u64 physical);
_Noreturn void die(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));

/* vfio.c: owner of the guest's PASIDs, the only way in from user space */
void vfio_open(struct vm *vm, struct host *host, ioasid_t quota);
void vfio_close(struct vm *vm);
void vfio_sweep(struct vm *vm);
u64 vfio_vcmd(struct vm *vm, u64 command);
ioasid_t vfio_alloc(struct vm *vm, ioasid_t guest);
int vfio_free(struct vm *vm, ioasid_t guest);
int vfio_bind(struct vm *vm, ioasid_t guest, u64 root);
int vfio_unbind(struct vm *vm, ioasid_t guest);
int vfio_invalidate(struct vm *vm, ioasid_t guest, u64 address);
int vfio_process_exit(struct vm *vm, ioasid_t guest);
int vfio_map(struct vm *vm, ioasid_t guest, u64 address);
int vfio_unmap(struct vm *vm, ioasid_t guest, u64 address);
int vfio_respond(struct vm *vm, u32 group, u32 code);
void vfio_page(struct vm *vm, bool pages);
struct page_request vfio_fetch(struct vm *vm);
int vfio_fault(struct iommu_fault *fault, void *data);
ioasid_t vfio_host_pasid(const struct vm *vm, ioasid_t guest);

/* kvm.c */
void kvm_open(struct vm *vm);
void kvm_leave(struct vm *vm);
void kvm_close(struct vm *vm);
int kvm_enqcmd(struct vm *vm, struct mdev *mdev, ioasid_t guest);

/* vdcm.c: the device model */
void vdcm_open(struct mdev *mdev);
void vdcm_close(struct mdev *mdev);
int vdcm_program(struct mdev *mdev, ioasid_t guest);
int vdcm_start(struct mdev *mdev);
void vdcm_stop(struct mdev *mdev);
int vdcm_touch(struct mdev *mdev, ioasid_t guest);
void vdcm_use_queue(struct workqueue_struct *wq);

#endif
