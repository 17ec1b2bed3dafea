// SPDX-License-Identifier: MIT
// The invalidation functions that pasid.c calls, which 6.1 has in dmar.c, over registers and memory.

#include "iommu.h"
#include "pasid.h"
#include "queue.h"

#define SLOTS 256

static struct qi_desc *ring;
static u32 *status;
static u32 tail;
static int left_out = -1, sent;

static void queue_put(const struct qi_desc *desc)
{
	ring[tail] = *desc;
	tail = (tail + 1) % SLOTS;
}

void queue_begin(void)
{
	ring = machine_take(2);
	status = machine_take(1);
	tail = 0;
	writeq(0, DMAR_IQT_REG);
	writeq(machine_physical(ring) | 1 << 11 | 1, DMAR_IQA_REG);
	writel(DMA_GCMD_QIE, DMAR_GCMD_REG);
}

void queue_end(void)
{
	writel(0, DMAR_GCMD_REG);
	machine_give(ring, 2);
	machine_give(status, 1);
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
	struct qi_desc wait = { QI_IWD_TYPE | QI_IWD_STATUS_WRITE | QI_IWD_FENCE |
				QI_IWD_STATUS_DATA(2ULL), 0, 0, 0 };
	unsigned int i;

	(void)iommu;
	if (options & QI_OPT_WAIT_DRAIN)
		wait.qw0 |= QI_IWD_PRQ_DRAIN;
	wait.qw1 = machine_physical(status);
	*status = 0;
	for (i = 0; i < count; i++)
		if (sent++ != left_out)
			queue_put(&desc[i]);
	queue_put(&wait);
	writeq(tail * sizeof(wait), DMAR_IQT_REG);
	if (*status != 2 || readl(DMAR_FSTS_REG) & DMA_FSTS_IQE) {
		printf("the queue stopped at 0x%llx\n", (unsigned long long)readq(DMAR_IQH_REG));
		abort();
	}
	return 0;
}

static void submit(struct intel_iommu *iommu, u64 low, u64 high)
{
	struct qi_desc desc = { low, high, 0, 0 };

	qi_submit_sync(iommu, &desc, 1, 0);
}

void qi_flush_iotlb(struct intel_iommu *iommu, u16 did, u64 addr, unsigned int order, u64 type)
{
	submit(iommu, QI_IOTLB_DID(did) | QI_IOTLB_DR(1) | QI_IOTLB_DW(1) | QI_IOTLB_GRAN(type) |
	       QI_IOTLB_TYPE, QI_IOTLB_ADDR(addr) | QI_IOTLB_AM(order));
}

void qi_flush_piotlb(struct intel_iommu *iommu, u16 did, u32 pasid, u64 addr, unsigned long npages,
		     bool ih)
{
	u64 low = QI_EIOTLB_PASID(pasid) | QI_EIOTLB_DID(did) | QI_EIOTLB_TYPE;

	if (npages == -1UL)
		submit(iommu, low | QI_EIOTLB_GRAN(QI_GRAN_NONG_PASID), 0);
	else
		submit(iommu, low | QI_EIOTLB_GRAN(QI_GRAN_PSI_PASID), QI_EIOTLB_ADDR(addr) |
		       QI_EIOTLB_IH(ih) | QI_EIOTLB_AM(__builtin_ctzl(npages)));
}

void qi_flush_dev_iotlb(struct intel_iommu *iommu, u16 sid, u16 pfsid, u16 qdep, u64 addr,
			unsigned int mask)
{
	addr |= (1ULL << (VTD_PAGE_SHIFT + mask - 1)) - 1;
	submit(iommu, QI_DEV_IOTLB_SID(sid) | QI_DEV_IOTLB_QDEP(qdep) | QI_DIOTLB_TYPE |
	       QI_DEV_IOTLB_PFSID(pfsid), QI_DEV_IOTLB_ADDR(addr) | QI_DEV_IOTLB_SIZE);
}

void qi_flush_dev_iotlb_pasid(struct intel_iommu *iommu, u16 sid, u16 pfsid, u32 pasid, u16 qdep,
			      u64 addr, unsigned int order)
{
	/* All ones but the highest bit: 2^order pages. */
	addr |= GENMASK_ULL(order + VTD_PAGE_SHIFT - 2, VTD_PAGE_SHIFT);
	submit(iommu, QI_DEV_EIOTLB_PASID(pasid) | QI_DEV_EIOTLB_SID(sid) |
	       QI_DEV_EIOTLB_QDEP(qdep) | QI_DEIOTLB_TYPE | QI_DEV_IOTLB_PFSID(pfsid),
	       QI_DEV_EIOTLB_ADDR(addr) | QI_DEV_EIOTLB_SIZE);
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
