/* SPDX-License-Identifier: MIT */
/* What the VT-d suites share: reading the hardware, a host with a guest, subscribers, a gate. */
#ifndef VTD_FIXTURE_H
#define VTD_FIXTURE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/intel-iommu.h>
#include <linux/intel-svm.h>
#include <linux/workqueue.h>

#define MEMORY (256u << 20)

/* The guest of struct host, and where it maps its one page. */
#define GUEST_PASID 77
#define GUEST_ADDRESS 0x7f0000400000ULL

static inline u64 page_of(struct vtd_machine *machine)
{
	u64 page = vtd_page_alloc(machine, 1);

	assert_true(page != VTD_NO_ADDRESS);
	return page;
}

static inline void store(struct vtd_machine *machine, u64 address, u64 value)
{
	assert_int_equal(vtd_memory_write(machine, address, &value, sizeof(value)), 0);
}

static inline u64 load(struct vtd_machine *machine, u64 address)
{
	u64 value;

	assert_int_equal(vtd_memory_read(machine, address, &value, sizeof(value)), 0);
	return value;
}

static inline struct vtd_stats stats_of(struct intel_iommu *iommu)
{
	struct vtd_stats stats;

	vtd_get_stats(iommu, &stats);
	return stats;
}

static inline int read_dma(struct device *dev, ioasid_t pasid, u64 address)
{
	return vtd_dma(dev, pasid, address, VTD_DMA_READ, NULL);
}

static inline void submit(struct intel_iommu *iommu, struct vtd_inv_desc desc)
{
	assert_int_equal(vtd_inv_submit(iommu, &desc, 1), 0);
}

/* The fault that must have been recorded, and no other. */
static inline void expect_fault(struct intel_iommu *iommu, u32 reason, ioasid_t pasid, u64 address)
{
	struct vtd_fault fault;

	assert_true(vtd_fault_read(iommu, &fault));
	assert_int_equal(fault.reason, reason);
	assert_int_equal(fault.pasid, pasid);
	assert_true(fault.address == (address & ~(u64)(VTD_PAGE_SIZE - 1)));
	assert_false(vtd_fault_read(iommu, &fault));
}

/* A host with two units; one guest's domain on three devices; its set with one PASID. */
struct host {
	struct vtd_machine *machine;
	struct intel_iommu *iommu, *other;
	struct device *dev, *second, *far; /* @far is behind @other */
	struct iommu_domain *domain;
	struct vtd_guest *guest;
	u64 gpgd;
	struct ioasid_set *set;
	ioasid_t pasid;
};

static inline struct iommu_gpasid_bind_data binding_of(const struct host *h)
{
	struct iommu_gpasid_bind_data data;

	memset(&data, 0, sizeof(data));
	data.argsz = sizeof(data);
	data.version = IOMMU_GPASID_BIND_VERSION_1;
	data.format = IOMMU_PASID_FORMAT_INTEL_VTD;
	data.addr_width = 48;
	data.flags = IOMMU_SVA_GPASID_VAL;
	data.gpgd = h->gpgd;
	data.hpasid = h->pasid;
	data.gpasid = GUEST_PASID;
	return data;
}

static inline int bind(struct host *h, struct device *dev)
{
	struct iommu_gpasid_bind_data data = binding_of(h);

	return intel_svm_bind_gpasid(h->domain, dev, &data);
}

static inline int dma(struct host *h, struct device *dev)
{
	return vtd_dma(dev, h->pasid, GUEST_ADDRESS, VTD_DMA_WRITE, NULL);
}

static inline bool is_known(ioasid_t id)
{
	return !IS_ERR(ioasid_find(NULL, id, NULL));
}

struct gate {
	struct work_struct work;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool reached, open;
};

static inline void pass_gate(struct work_struct *work)
{
	struct gate *gate = container_of(work, struct gate, work);

	pthread_mutex_lock(&gate->mutex);
	gate->reached = true;
	pthread_cond_broadcast(&gate->changed);
	while (!gate->open)
		pthread_cond_wait(&gate->changed, &gate->mutex);
	pthread_mutex_unlock(&gate->mutex);
}

/* Holds back the work items that are queued from now on: the queue is ordered. */
static inline void close_gate(struct gate *gate)
{
	pthread_mutex_init(&gate->mutex, NULL);
	pthread_cond_init(&gate->changed, NULL);
	gate->reached = false;
	gate->open = false;
	INIT_WORK(&gate->work, pass_gate);
	assert_true(ioasid_queue_work(&gate->work));
	pthread_mutex_lock(&gate->mutex);
	while (!gate->reached)
		pthread_cond_wait(&gate->changed, &gate->mutex);
	pthread_mutex_unlock(&gate->mutex);
}

static inline void open_gate(struct gate *gate)
{
	pthread_mutex_lock(&gate->mutex);
	gate->open = true;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->mutex);
	flush_work(&gate->work);
	pthread_cond_destroy(&gate->changed);
	pthread_mutex_destroy(&gate->mutex);
}

/* Until every work item queued before has run. */
static inline void flush_queue(void)
{
	struct gate gate;

	close_gate(&gate);
	open_gate(&gate);
}

static inline int host_setup_with(void **state, unsigned int features, u32 capabilities)
{
	struct vtd_unit_config config = { capabilities, 20, NULL, NULL };
	struct host *h = calloc(1, sizeof(*h));
	u64 page;

	h->machine = vtd_machine_create(MEMORY);
	h->iommu = vtd_unit_create(h->machine, &config);
	h->other = vtd_unit_create(h->machine, &config);
	h->dev = vtd_device_create(h->iommu, 0x1000, features);
	h->second = vtd_device_create(h->iommu, 0x1008, features);
	assert_int_equal(intel_iommu_enable(h->iommu), 0);
	assert_int_equal(intel_iommu_enable(h->other), 0);
	/* Behind a unit that is enabled already. */
	h->far = vtd_device_create(h->other, 0x8000, features);
	assert_false(IS_ERR(h->far));

	h->domain = vtd_domain_alloc(h->machine, IOMMU_DOMAIN_UNMANAGED);
	assert_int_equal(iommu_attach_device(h->domain, h->dev), 0);
	assert_int_equal(iommu_attach_device(h->domain, h->second), 0);
	assert_int_equal(iommu_attach_device(h->domain, h->far), 0);
	h->guest = vtd_guest_create(h->domain, 64);
	assert_false(IS_ERR(h->guest));
	h->gpgd = vtd_guest_page(h->guest);
	page = vtd_guest_page(h->guest);
	assert_int_equal(vtd_guest_map(h->guest, h->gpgd, GUEST_ADDRESS, page,
				       VTD_DMA_READ | VTD_DMA_WRITE),
			 0);

	h->set = ioasid_set_alloc(h, 100, IOASID_SET_TYPE_NULL);
	assert_false(IS_ERR(h->set));
	h->pasid = ioasid_alloc(h->set, 100, 200, NULL);
	assert_int_equal(h->pasid, 100);
	*state = h;
	return 0;
}

static inline int host_setup(void **state)
{
	return host_setup_with(state, VTD_DEV_ATS, VTD_CAP_DEFAULT);
}

/* Everything must be gone that a test or the library made. */
static inline int host_teardown(void **state)
{
	struct host *h = *state;
	struct ioasid_stats stats;

	if (is_known(h->pasid))
		ioasid_free(h->set, h->pasid);
	flush_queue();
	assert_false(is_known(h->pasid));
	assert_int_equal(ioasid_set_free(h->set), 0);
	vtd_guest_destroy(h->guest);
	iommu_detach_device(h->domain, h->dev);
	iommu_detach_device(h->domain, h->second);
	iommu_detach_device(h->domain, h->far);
	iommu_domain_free(h->domain);
	assert_int_equal(intel_iommu_disable(h->iommu), 0);
	assert_int_equal(intel_iommu_disable(h->other), 0);
	assert_int_equal(vtd_device_destroy(h->dev), 0);
	assert_int_equal(vtd_device_destroy(h->second), 0);
	assert_int_equal(vtd_device_destroy(h->far), 0);
	assert_int_equal(vtd_unit_destroy(h->iommu), 0);
	assert_int_equal(vtd_unit_destroy(h->other), 0);
	assert_int_equal(vtd_pages_used(h->machine), 0);
	assert_int_equal(vtd_machine_destroy(h->machine), 0);
	assert_int_equal(vtd_blocks_used(), 0);
	ioasid_get_stats(&stats);
	assert_int_equal(stats.live, 0);
	assert_int_equal(stats.sets, 0);
	assert_int_equal(stats.subscribers, 0);
	free(h);
	return 0;
}

/* Writes down what a subscriber hears, and can answer or act. */
struct recorder {
	struct notifier_block nb;
	int count;
	unsigned long codes[16];
	struct ioasid_nb_args args[16];
	int answer;
	void (*act)(unsigned long code, struct ioasid_nb_args *args, void *data);
	void *data;
};

static inline int record(struct notifier_block *nb, unsigned long code, void *data)
{
	struct recorder *recorder = container_of(nb, struct recorder, nb);
	struct ioasid_nb_args *args = data;

	if (recorder->count < 16) {
		recorder->codes[recorder->count] = code;
		recorder->args[recorder->count] = *args;
	}
	recorder->count++;
	if (recorder->act)
		recorder->act(code, args, recorder->data);
	return recorder->answer;
}

static inline void listen_to(struct ioasid_set *set, struct recorder *recorder, int priority)
{
	recorder->nb.notifier_call = record;
	recorder->nb.priority = priority;
	assert_int_equal(ioasid_register_notifier(set, &recorder->nb), 0);
}

#endif
