// SPDX-License-Identifier: MIT
/* The VT-d model: DMA with warm caches, by one device and by two, beside others' work; domains; unmapping. */
#include "harness.h"
#include <linux/intel-iommu.h>
#include <linux/intel-svm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define MEMORY (1ull << 30)
#define ADDRESS 0x7f0000400000ull
#define PAGES 16
#define DOMAINS 10000

static struct vtd_machine *machine;
static struct intel_iommu *iommu;
static struct device *dev[2];
static struct iommu_domain *domain;
static struct ioasid_set *set;
static ioasid_t pasid[2];

static void must(int error, const char *what)
{
	if (error)
		bench_fail(what);
}

/* A guest's process on each device, with PAGES pages. */
static void bind(struct vtd_guest *guest, int which)
{
	u64 root = vtd_guest_page(guest);
	struct iommu_gpasid_bind_data data;
	int i;

	for (i = 0; i < PAGES; i++)
		must(vtd_guest_map(guest, root, ADDRESS + i * VTD_PAGE_SIZE, vtd_guest_page(guest),
				   VTD_DMA_READ | VTD_DMA_WRITE),
		     "vtd_guest_map");
	pasid[which] = ioasid_alloc(set, 1, 1000, NULL);
	memset(&data, 0, sizeof(data));
	data.argsz = sizeof(data);
	data.version = IOMMU_GPASID_BIND_VERSION_1;
	data.format = IOMMU_PASID_FORMAT_INTEL_VTD;
	data.addr_width = 48;
	data.gpgd = root;
	data.hpasid = pasid[which];
	must(intel_svm_bind_gpasid(domain, dev[which], &data), "intel_svm_bind_gpasid");
}

static void set_up(unsigned int features)
{
	struct vtd_unit_config config = { VTD_CAP_DEFAULT, 20, NULL, NULL };
	struct vtd_guest *guest;
	static char token;
	int i;

	machine = vtd_machine_create(MEMORY);
	iommu = vtd_unit_create(machine, &config);
	must(intel_iommu_enable(iommu), "intel_iommu_enable");
	domain = vtd_domain_alloc(machine, IOMMU_DOMAIN_UNMANAGED);
	set = ioasid_set_alloc(&token, 1000, IOASID_SET_TYPE_NULL);
	for (i = 0; i < 2; i++) {
		dev[i] = vtd_device_create(iommu, 0x1000 + 8 * i, features);
		must(iommu_attach_device(domain, dev[i]), "iommu_attach_device");
	}
	guest = vtd_guest_create(domain, 256);
	bind(guest, 0);
	bind(guest, 1);
}

static void dma(int thread, uint64_t n)
{
	u64 physical;

	while (n--) {
		u64 address = ADDRESS + n % PAGES * VTD_PAGE_SIZE + (n & 0xff8);

		if (vtd_dma(dev[thread], pasid[thread], address, VTD_DMA_READ, &physical))
			bench_fail("vtd_dma");
		bench_use(physical);
	}
}

static void transfer(int thread, uint64_t n)
{
	char buffer[256];

	while (n--)
		if (vtd_dma_write(dev[thread], pasid[thread], ADDRESS + n % PAGES * VTD_PAGE_SIZE,
				  buffer, sizeof(buffer)))
			bench_fail("vtd_dma_write");
}

/* Another domain, of no device: mapped and unmapped all the time. */
static atomic_bool stop;

static void *churn(void *unused)
{
	struct iommu_domain *other = vtd_domain_alloc(machine, IOMMU_DOMAIN_UNMANAGED);

	while (!stop) {
		must(iommu_map(other, 1ull << 30, 0, 64 << 20, IOMMU_READ), "iommu_map");
		if (iommu_unmap(other, 1ull << 30, 64 << 20) != 64 << 20)
			bench_fail("iommu_unmap");
	}
	iommu_domain_free(other);
	return unused;
}

static void beside(void)
{
	pthread_t thread;

	stop = false;
	must(pthread_create(&thread, NULL, churn, NULL), "no thread");
	bench_one("dma-beside-unmap", dma);
	stop = true;
	pthread_join(thread, NULL);
}

static void domains(void)
{
	static struct iommu_domain *all[DOMAINS];
	int i;

	bench_begin();
	for (i = 0; i < DOMAINS; i++) {
		all[i] = vtd_domain_alloc(machine, IOMMU_DOMAIN_UNMANAGED);
		if (IS_ERR(all[i]))
			bench_fail("vtd_domain_alloc");
	}
	bench_end("domain-alloc", DOMAINS);
	bench_begin();
	for (i = 0; i < DOMAINS; i++)
		iommu_domain_free(all[i]);
	bench_end("domain-free", DOMAINS);
}

/* Four pages in a range of 2^38 bytes. */
static void unmapping(void)
{
	const int rounds = 100;
	int i, j;

	for (i = 0; i < rounds; i++) {
		for (j = 0; j < 4; j++)
			must(iommu_map(domain, (1ull << 40) + ((u64)j << 36), j * VTD_PAGE_SIZE,
				       VTD_PAGE_SIZE, IOMMU_READ),
			     "iommu_map");
		bench_begin();
		if (iommu_unmap(domain, 1ull << 40, 1ull << 38) != 4 * VTD_PAGE_SIZE)
			bench_fail("iommu_unmap");
		bench_end("unmap-sparse", 1);
	}
}

int main(int argc, char **argv)
{
	bench_init(argc, argv);
	set_up(0);
	bench_one("dma-iotlb", dma);
	bench_two("dma-iotlb-2t", dma);
	bench_one("dma-write-256", transfer);
	bench_two("dma-write-256-2t", transfer);
	beside();
	domains();
	unmapping();
	return 0;
}
