// SPDX-License-Identifier: MIT
// The invalidation functions that pasid.c calls, which 6.1 has in dmar.c, over registers and memory.

#include "iommu.h"
#include "pasid.h"
#include "queue.h"
#include <pthread.h>

#define SLOTS 256

static struct queue {
	struct qi_desc *ring;
	u32 *status;
	u32 tail;
	/* The interrupt thread answers while others invalidate. */
	pthread_mutex_t mutex;
} queues[MACHINE_UNITS];
static int left_out = -1, sent;

static struct queue *queue_of(const struct intel_iommu *iommu)
{
	return &queues[(uintptr_t)iommu->reg >> 16];
}

static void queue_put(struct queue *queue, const struct qi_desc *desc)
{
	queue->ring[queue->tail] = *desc;
	queue->tail = (queue->tail + 1) % SLOTS;
}

void queue_begin(const struct intel_iommu *iommu)
{
	struct queue *queue = queue_of(iommu);

	pthread_mutex_init(&queue->mutex, NULL);
	queue->ring = machine_take(2);
	queue->status = machine_take(1);
	queue->tail = 0;
	writeq(0, iommu->reg + DMAR_IQT_REG);
	writeq(machine_physical(queue->ring) | 1 << 11 | 1, iommu->reg + DMAR_IQA_REG);
	writel(DMA_GCMD_QIE, iommu->reg + DMAR_GCMD_REG);
}

void queue_end(const struct intel_iommu *iommu)
{
	struct queue *queue = queue_of(iommu);

	writel(0, iommu->reg + DMAR_GCMD_REG);
	machine_give(queue->ring, 2);
	machine_give(queue->status, 1);
}

void queue_leave_out(int number)
{
	left_out = number;
	sent = 0;
}

int queue_sent(void)
{
	return sent;
}

/* With a wait behind it, whose status is written when all is done. */
int qi_submit_sync(struct intel_iommu *iommu, struct qi_desc *desc, unsigned int count,
		   unsigned long options)
{
	struct qi_desc wait = {
		QI_IWD_TYPE | QI_IWD_STATUS_WRITE | QI_IWD_FENCE | QI_IWD_STATUS_DATA(2ULL), 0, 0, 0
	};
	struct queue *queue = queue_of(iommu);
	unsigned int i;

	pthread_mutex_lock(&queue->mutex);
	if (options & QI_OPT_WAIT_DRAIN)
		wait.qw0 |= QI_IWD_PRQ_DRAIN;
	wait.qw1 = machine_physical(queue->status);
	*queue->status = 0;
	for (i = 0; i < count; i++)
		if (__atomic_fetch_add(&sent, 1, __ATOMIC_RELAXED) != left_out)
			queue_put(queue, &desc[i]);
	queue_put(queue, &wait);
	writeq(queue->tail * sizeof(wait), iommu->reg + DMAR_IQT_REG);
	if (__atomic_load_n(queue->status, __ATOMIC_ACQUIRE) != 2 ||
	    readl(iommu->reg + DMAR_FSTS_REG) & DMA_FSTS_IQE) {
		printf("the queue stopped at 0x%llx\n",
		       (unsigned long long)readq(iommu->reg + DMAR_IQH_REG));
		abort();
	}
	pthread_mutex_unlock(&queue->mutex);
	return 0;
}

static void submit(struct intel_iommu *iommu, u64 low, u64 high)
{
	struct qi_desc desc = { low, high, 0, 0 };

	qi_submit_sync(iommu, &desc, 1, 0);
}

void qi_flush_iotlb(struct intel_iommu *iommu, u16 did, u64 addr, unsigned int order, u64 type)
{
	submit(iommu,
	       QI_IOTLB_DID(did) | QI_IOTLB_DR(1) | QI_IOTLB_DW(1) | QI_IOTLB_GRAN(type) |
		       QI_IOTLB_TYPE,
	       QI_IOTLB_ADDR(addr) | QI_IOTLB_AM(order));
}

void qi_flush_piotlb(struct intel_iommu *iommu, u16 did, u32 pasid, u64 addr, unsigned long npages,
		     bool ih)
{
	u64 low = QI_EIOTLB_PASID(pasid) | QI_EIOTLB_DID(did) | QI_EIOTLB_TYPE;

	if (npages == -1UL)
		submit(iommu, low | QI_EIOTLB_GRAN(QI_GRAN_NONG_PASID), 0);
	else
		submit(iommu, low | QI_EIOTLB_GRAN(QI_GRAN_PSI_PASID),
		       QI_EIOTLB_ADDR(addr) | QI_EIOTLB_IH(ih) |
			       QI_EIOTLB_AM(__builtin_ctzl(npages)));
}

void qi_flush_dev_iotlb(struct intel_iommu *iommu, u16 sid, u16 pfsid, u16 qdep, u64 addr,
			unsigned int mask)
{
	addr |= (1ULL << (VTD_PAGE_SHIFT + mask - 1)) - 1;
	submit(iommu,
	       QI_DEV_IOTLB_SID(sid) | QI_DEV_IOTLB_QDEP(qdep) | QI_DIOTLB_TYPE |
		       QI_DEV_IOTLB_PFSID(pfsid),
	       QI_DEV_IOTLB_ADDR(addr) | QI_DEV_IOTLB_SIZE);
}

void qi_flush_dev_iotlb_pasid(struct intel_iommu *iommu, u16 sid, u16 pfsid, u32 pasid, u16 qdep,
			      u64 addr, unsigned int order)
{
	/* All ones but the highest bit: 2^order pages. One page has no size. */
	if (order)
		addr = (addr & ~((VTD_PAGE_SIZE << order) - 1)) |
		       ((VTD_PAGE_SIZE << (order - 1)) - VTD_PAGE_SIZE);
	submit(iommu,
	       QI_DEV_EIOTLB_PASID(pasid) | QI_DEV_EIOTLB_SID(sid) | QI_DEV_EIOTLB_QDEP(qdep) |
		       QI_DEIOTLB_TYPE | QI_DEV_IOTLB_PFSID(pfsid),
	       QI_DEV_EIOTLB_ADDR(addr) | (order ? QI_DEV_EIOTLB_SIZE : 0));
}

void *alloc_pgtable_page(int node)
{
	(void)node;
	return machine_take(1);
}

void free_pgtable_page(void *at)
{
	machine_give(at, 1);
}

void iommu_flush_write_buffer(struct intel_iommu *iommu)
{
	(void)iommu;
}
