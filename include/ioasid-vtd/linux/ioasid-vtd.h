/* SPDX-License-Identifier: MIT */
/* A model of Intel VT-d in scalable mode: memory, units, devices, DMA, queues and faults. */
#ifndef IOASID_LINUX_IOASID_VTD_H
#define IOASID_LINUX_IOASID_VTD_H

/**
 * DOC: the VT-d model of libioasid-vtd
 *
 * The names that begin with vtd_ are hardware, or stand for what is around it: a machine has
 * physical memory and remapping units, a unit has devices behind it, and a device does DMA. The
 * kernel's names, in <linux/intel-iommu.h>, <linux/intel-svm.h> and <linux/iommu.h>, are the
 * driver, which programs the hardware only through tables in memory and descriptors in the
 * invalidation queue. Section numbers are those of the VT-d architecture specification, revision 3.
 *
 * Modelled: root, context, PASID directory and PASID table entries; first-level, second-level,
 * nested and pass-through translation of 4-KiB, 2-MiB and 1-GiB pages; accessed and dirty bits;
 * context cache, PASID cache, IOTLB and device TLB, which keep what they have until it is invalidated
 * or pushed out; the invalidation queue; the page request queue; fault recording.
 * Not modelled: interrupt remapping, legacy mode, memory types, snooping, paging-structure caches,
 * and time: DMA and invalidation happen at once, in the caller's thread.
 *
 * Threads: every function may be called from any thread. One lock orders the hardware; it is
 * never held while a callback runs. Creating and destroying is the caller's to order: an
 * object must not be used while or after it is destroyed.
 *
 * From an ioasid notifier, the hardware may be used (DMA, memory, faults, counters), the driver may
 * not: it would wait for itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <linux/ioasid.h>
#include <linux/types.h>

#define VTD_PAGE_SIZE 4096u
/* No address: what vtd_page_alloc() returns when memory is used up. */
#define VTD_NO_ADDRESS ((u64)-1)

struct device;
struct intel_iommu;
struct iommu_domain;
struct mm_struct;
struct vtd_guest;
struct vtd_machine;

/* ---- PASID table entries, section 9.6: eight words of 64 bits ---- */

#define VTD_PASID_ENTRY_WORDS 8
/* word 0 */
#define VTD_PE_P (1ULL << 0)                   /* present */
#define VTD_PE_FPD (1ULL << 1)                 /* fault processing disabled */
#define VTD_PE_AW_SHIFT 2                      /* second-level address width: enum vtd_aw */
#define VTD_PE_PGTT_SHIFT 6                    /* translation type: enum vtd_pgtt */
#define VTD_PE_FIELD_MASK 7ULL                 /* of both, after shifting */
#define VTD_PE_ADDRESS_MASK 0xfffffffffffff000ULL /* SLPTPTR here, FLPTPTR in word 2 */
#define VTD_PE_SLADE (1ULL << 9)               /* second-level accessed and dirty bits */
/* word 1 */
#define VTD_PE_DID_MASK 0xffffULL              /* domain id */
#define VTD_PE_PWSNP (1ULL << 23)              /* page-walk snoop */
#define VTD_PE_PGSNP (1ULL << 24)              /* page snoop */
#define VTD_PE_CD (1ULL << 25)                 /* cache disable */
#define VTD_PE_EMTE (1ULL << 26)               /* extended memory type enable */
#define VTD_PE_EMT_SHIFT 27                    /* extended memory type, 3 bits */
#define VTD_PE_PWT (1ULL << 30)                /* page-level write-through */
#define VTD_PE_PCD (1ULL << 31)                /* page-level cache disable */
#define VTD_PE_PAT_SHIFT 32                    /* page attribute table, 32 bits */
/* word 2 */
#define VTD_PE_SRE (1ULL << 0)                 /* supervisor requests allowed */
#define VTD_PE_ERE (1ULL << 1)                 /* execute requests allowed */
#define VTD_PE_FLPM_SHIFT 2                    /* first-level paging: 0 is 4 levels, 1 is 5 */
#define VTD_PE_WPE (1ULL << 4)                 /* write protection for supervisor requests */
#define VTD_PE_NXE (1ULL << 5)                 /* XD of first-level entries counts; otherwise reserved */
#define VTD_PE_EAFE (1ULL << 7)                /* extended accessed flag */

/**
 * enum vtd_pgtt - how a PASID is translated
 * @VTD_PGTT_FIRST_LEVEL: by the page table of a process
 * @VTD_PGTT_SECOND_LEVEL: by the table of a domain
 * @VTD_PGTT_NESTED: by a guest's page table, whose addresses go through the domain's table
 * @VTD_PGTT_PASS_THROUGH: not at all
 */
enum vtd_pgtt {
	VTD_PGTT_FIRST_LEVEL = 1,
	VTD_PGTT_SECOND_LEVEL = 2,
	VTD_PGTT_NESTED = 3,
	VTD_PGTT_PASS_THROUGH = 4,
};

/**
 * enum vtd_aw - address width of a second-level table
 * @VTD_AW_39: 39 bits, 3 levels
 * @VTD_AW_48: 48 bits, 4 levels
 * @VTD_AW_57: 57 bits, 5 levels
 */
enum vtd_aw {
	VTD_AW_39 = 1,
	VTD_AW_48 = 2,
	VTD_AW_57 = 3,
};

/* ---- faults, section 7.2.3 ---- */

/**
 * enum vtd_fault_reason - reason codes of scalable mode, those that the model can raise
 * @VTD_FAULT_ROOT_MODE: the root table address register does not say scalable mode
 * @VTD_FAULT_ROOT_ACCESS: SRTA: the root table is outside memory
 * @VTD_FAULT_ROOT_NOT_PRESENT: the root entry is not present
 * @VTD_FAULT_ROOT_RESERVED: a reserved bit of the root entry is set
 * @VTD_FAULT_CONTEXT_ACCESS: the context table is outside memory
 * @VTD_FAULT_CONTEXT_NOT_PRESENT: the context entry is not present
 * @VTD_FAULT_CONTEXT_RESERVED: a reserved bit of the context entry is set
 * @VTD_FAULT_DTE_CLEAR: a device with ATS, and the context entry does not allow it
 * @VTD_FAULT_PASIDE_CLEAR: a request with PASID, and the context entry does not allow it
 * @VTD_FAULT_PASID_TOO_LARGE: the PASID is beyond the directory
 * @VTD_FAULT_REQUEST_PASID: RID_PASID of the context entry is beyond the directory
 * @VTD_FAULT_DIR_ACCESS: the PASID directory is outside memory
 * @VTD_FAULT_DIR_NOT_PRESENT: the directory entry is not present
 * @VTD_FAULT_DIR_RESERVED: a reserved bit of the directory entry is set
 * @VTD_FAULT_PASID_ACCESS: the PASID table is outside memory
 * @VTD_FAULT_PASID_NOT_PRESENT: the PASID table entry is not present
 * @VTD_FAULT_PASID_RESERVED: a reserved bit of the PASID table entry is set
 * @VTD_FAULT_PASID_INVALID: translation type or width the unit does not support
 * @VTD_FAULT_ERE_CLEAR: an execute request, and the entry does not allow it
 * @VTD_FAULT_SRE_CLEAR: a supervisor request, and the entry does not allow it
 * @VTD_FAULT_FL_ACCESS: a first-level entry is outside memory
 * @VTD_FAULT_FL_NOT_PRESENT: a first-level entry is not present
 * @VTD_FAULT_FL_RESERVED: a reserved bit of a first-level entry is set
 * @VTD_FAULT_FL_ROOT_ACCESS: the first-level root is outside memory
 * @VTD_FAULT_NESTED_BEYOND: a guest's table points beyond the width of the domain
 * @VTD_FAULT_NESTED_ROOT_READ: the domain does not map the guest's root table
 * @VTD_FAULT_NESTED_TABLE_READ: the domain does not map a table of the guest
 * @VTD_FAULT_NESTED_TABLE_WRITE: accessed or dirty is to be set in a table of the guest that the
 *	domain maps read-only
 * @VTD_FAULT_SL_ACCESS: a second-level entry is outside memory
 * @VTD_FAULT_SL_PERMISSION: a second-level entry allows neither reads nor writes (is not present)
 * @VTD_FAULT_SL_RESERVED: a reserved bit of a second-level entry is set
 * @VTD_FAULT_SL_POINTER: the second-level root is outside memory
 * @VTD_FAULT_NOT_CANONICAL: the address is not canonical
 * @VTD_FAULT_USER: a user request to a supervisor page
 * @VTD_FAULT_NO_EXECUTE: an execute request to a page that forbids it
 * @VTD_FAULT_BEYOND: the address is beyond the width of the table, or of memory
 * @VTD_FAULT_NESTED_ADDRESS: a guest's page is beyond the width of the domain
 * @VTD_FAULT_NO_WRITE: a write to a page that is read-only in the first or the second level
 * @VTD_FAULT_NO_READ: a read of a page that the domain maps for writing only
 * @VTD_FAULT_INTERRUPT: the address, or what it is translated to, is in the range of interrupts,
 *	0xfee00000 to 0xfeefffff
 */
enum vtd_fault_reason {
	VTD_FAULT_ROOT_MODE = 0x30,
	VTD_FAULT_ROOT_ACCESS = 0x38,
	VTD_FAULT_ROOT_NOT_PRESENT = 0x39,
	VTD_FAULT_ROOT_RESERVED = 0x3a,
	VTD_FAULT_CONTEXT_ACCESS = 0x40,
	VTD_FAULT_CONTEXT_NOT_PRESENT = 0x41,
	VTD_FAULT_CONTEXT_RESERVED = 0x42,
	VTD_FAULT_DTE_CLEAR = 0x44,
	VTD_FAULT_PASIDE_CLEAR = 0x45,
	VTD_FAULT_PASID_TOO_LARGE = 0x46,
	VTD_FAULT_REQUEST_PASID = 0x48,
	VTD_FAULT_DIR_ACCESS = 0x50,
	VTD_FAULT_DIR_NOT_PRESENT = 0x51,
	VTD_FAULT_DIR_RESERVED = 0x52,
	VTD_FAULT_PASID_ACCESS = 0x58,
	VTD_FAULT_PASID_NOT_PRESENT = 0x59,
	VTD_FAULT_PASID_RESERVED = 0x5a,
	VTD_FAULT_PASID_INVALID = 0x5b,
	VTD_FAULT_ERE_CLEAR = 0x5c,
	VTD_FAULT_SRE_CLEAR = 0x5d,
	VTD_FAULT_FL_ACCESS = 0x70,
	VTD_FAULT_FL_NOT_PRESENT = 0x71,
	VTD_FAULT_FL_RESERVED = 0x72,
	VTD_FAULT_FL_ROOT_ACCESS = 0x73,
	VTD_FAULT_NESTED_BEYOND = 0x74,
	VTD_FAULT_NESTED_ROOT_READ = 0x75,
	VTD_FAULT_NESTED_TABLE_READ = 0x76,
	VTD_FAULT_NESTED_TABLE_WRITE = 0x77,
	VTD_FAULT_SL_ACCESS = 0x78,
	VTD_FAULT_SL_PERMISSION = 0x79,
	VTD_FAULT_SL_RESERVED = 0x7a,
	VTD_FAULT_SL_POINTER = 0x7b,
	VTD_FAULT_NOT_CANONICAL = 0x80,
	VTD_FAULT_USER = 0x81,
	VTD_FAULT_NO_EXECUTE = 0x82,
	VTD_FAULT_BEYOND = 0x83,
	VTD_FAULT_NESTED_ADDRESS = 0x84,
	VTD_FAULT_NO_WRITE = 0x85,
	VTD_FAULT_NO_READ = 0x86,
	VTD_FAULT_INTERRUPT = 0x87,
};

/* What a DMA, a fault or a page request wants. Bits. */
#define VTD_DMA_READ 0x1u
#define VTD_DMA_WRITE 0x2u
#define VTD_DMA_EXEC 0x4u
#define VTD_DMA_PRIV 0x8u

/**
 * struct vtd_fault - one fault record, decoded from its 128-bit register (section 10.4.14)
 * @address: the page
 * @pasid: INVALID_IOASID for a request without one
 * @reason: enum vtd_fault_reason
 * @access: VTD_DMA_*
 * @source_id: bus, device and function
 */
struct vtd_fault {
	u64 address;
	ioasid_t pasid;
	u32 reason;
	u32 access;
	u16 source_id;
};

/* ---- invalidation descriptors, section 6.5.2 ---- */

/* A descriptor of scalable mode; the 128-bit ones leave the upper half zero. */
struct vtd_inv_desc {
	u64 qw[4];
};

enum vtd_inv_type {
	VTD_INV_CONTEXT = 1,
	VTD_INV_IOTLB = 2,
	VTD_INV_DEV_TLB = 3,
	VTD_INV_IEC = 4,
	VTD_INV_WAIT = 5,
	VTD_INV_PIOTLB = 6,
	VTD_INV_PASID_CACHE = 7,
	VTD_INV_DEV_PTLB = 8,
	VTD_INV_PAGE_RESPONSE = 9,
};

/* Granularities, bits 5:4. */
#define VTD_INV_GRAN_SHIFT 4
#define VTD_INV_CONTEXT_GLOBAL 1u
#define VTD_INV_CONTEXT_DOMAIN 2u
#define VTD_INV_CONTEXT_DEVICE 3u
#define VTD_INV_IOTLB_GLOBAL 1u
#define VTD_INV_IOTLB_DOMAIN 2u
#define VTD_INV_IOTLB_PAGE 3u
#define VTD_INV_PIOTLB_PASID 2u
#define VTD_INV_PIOTLB_PAGE 3u
#define VTD_INV_PASID_DOMAIN 0u
#define VTD_INV_PASID_ONE 1u
#define VTD_INV_PASID_GLOBAL 3u
/* Bits of the wait descriptor. */
#define VTD_INV_WAIT_IF (1ULL << 4)            /* interrupt when done */
#define VTD_INV_WAIT_SW (1ULL << 5)            /* write the status data to the status address */
#define VTD_INV_WAIT_FN (1ULL << 6)            /* fence */
#define VTD_INV_WAIT_PD (1ULL << 7)            /* page-request drain */
/* Bits of the device-TLB descriptors and of the page group response. */
#define VTD_INV_DEV_SIZE (1ULL << 0)
#define VTD_INV_DEV_GLOBAL (1ULL << 0)         /* with PASID: of every PASID */
#define VTD_INV_DEV_PSIZE (1ULL << 11)
#define VTD_INV_PAGE_RESPONSE_PASID (1ULL << 4)
#define VTD_INV_PAGE_RESPONSE_PRIVATE (1ULL << 5) /* words 2 and 3 are the request's private data */

/**
 * vtd_inv_pasid_cache() - descriptor: forget cached PASID table entries
 * @granularity: VTD_INV_PASID_*
 * @did: domain id
 * @pasid: for VTD_INV_PASID_ONE
 *
 * Return: the descriptor.
 * Context: only computes: no lock, from everywhere.
 */
static inline struct vtd_inv_desc vtd_inv_pasid_cache(u32 granularity, u16 did, u32 pasid)
{
	struct vtd_inv_desc desc = { { 0, 0, 0, 0 } };

	desc.qw[0] = VTD_INV_PASID_CACHE | (u64)granularity << VTD_INV_GRAN_SHIFT | (u64)did << 16 |
		     (u64)(pasid & 0xfffff) << 32;
	return desc;
}

/**
 * vtd_inv_piotlb() - descriptor: forget first-level and nested translations of a PASID
 * @did: domain id
 * @pasid: the PASID
 *
 * Return: the descriptor.
 * Context: only computes: no lock, from everywhere.
 */
static inline struct vtd_inv_desc vtd_inv_piotlb(u16 did, u32 pasid)
{
	struct vtd_inv_desc desc = { { 0, 0, 0, 0 } };

	desc.qw[0] = VTD_INV_PIOTLB | (u64)VTD_INV_PIOTLB_PASID << VTD_INV_GRAN_SHIFT |
		     (u64)did << 16 | (u64)(pasid & 0xfffff) << 32;
	return desc;
}

/**
 * vtd_inv_piotlb_pages() - descriptor: forget first-level and nested translations of 2^@order pages
 * @did: domain id
 * @pasid: the PASID
 * @address: the first page, aligned to their size
 * @order: how many, as a power of two
 *
 * Return: the descriptor.
 * Context: only computes: no lock, from everywhere.
 */
static inline struct vtd_inv_desc vtd_inv_piotlb_pages(u16 did, u32 pasid, u64 address, u32 order)
{
	struct vtd_inv_desc desc = vtd_inv_piotlb(did, pasid);

	desc.qw[0] |= (u64)VTD_INV_PIOTLB_PAGE << VTD_INV_GRAN_SHIFT;
	desc.qw[1] = (address & VTD_PE_ADDRESS_MASK) | (order & 0x3f);
	return desc;
}

/**
 * vtd_inv_iotlb() - descriptor: forget translations of a domain
 * @granularity: VTD_INV_IOTLB_GLOBAL or VTD_INV_IOTLB_DOMAIN
 * @did: domain id
 *
 * Return: the descriptor.
 * Context: only computes: no lock, from everywhere.
 */
static inline struct vtd_inv_desc vtd_inv_iotlb(u32 granularity, u16 did)
{
	struct vtd_inv_desc desc = { { 0, 0, 0, 0 } };

	desc.qw[0] = VTD_INV_IOTLB | (u64)granularity << VTD_INV_GRAN_SHIFT | (u64)did << 16;
	return desc;
}

/**
 * vtd_inv_dev_ptlb() - descriptor: a device forgets what it cached for a PASID
 * @source_id: the device
 * @pasid: the PASID
 *
 * Return: the descriptor.
 * Context: only computes: no lock, from everywhere.
 */
static inline struct vtd_inv_desc vtd_inv_dev_ptlb(u16 source_id, u32 pasid)
{
	struct vtd_inv_desc desc = { { 0, 0, 0, 0 } };

	desc.qw[0] = VTD_INV_DEV_PTLB | (u64)source_id << 16 | (u64)(pasid & 0xfffff) << 32;
	/* With S set, the lowest zero bit of the address gives the size: none is everything. */
	desc.qw[1] = VTD_INV_DEV_PSIZE | 0x7ffffffffffff000ULL;
	return desc;
}

/**
 * vtd_inv_dev_tlb() - descriptor: a device forgets what it cached for requests without PASID
 * @source_id: the device
 *
 * Return: the descriptor.
 * Context: only computes: no lock, from everywhere.
 */
static inline struct vtd_inv_desc vtd_inv_dev_tlb(u16 source_id)
{
	struct vtd_inv_desc desc = { { 0, 0, 0, 0 } };

	desc.qw[0] = VTD_INV_DEV_TLB | (u64)source_id << 32;
	desc.qw[1] = VTD_INV_DEV_SIZE | 0x7ffffffffffff000ULL;
	return desc;
}

/**
 * vtd_inv_context() - descriptor: forget context entries
 * @granularity: VTD_INV_CONTEXT_GLOBAL or VTD_INV_CONTEXT_DEVICE
 * @source_id: the device
 *
 * Return: the descriptor.
 * Context: only computes: no lock, from everywhere.
 */
static inline struct vtd_inv_desc vtd_inv_context(u32 granularity, u16 source_id)
{
	struct vtd_inv_desc desc = { { 0, 0, 0, 0 } };

	desc.qw[0] = VTD_INV_CONTEXT | (u64)granularity << VTD_INV_GRAN_SHIFT |
		     (u64)source_id << 32;
	return desc;
}

/**
 * vtd_inv_page_response() - descriptor: answer a page request group
 * @source_id: the device
 * @pasid: the PASID
 * @group: the group
 * @code: enum iommu_page_response_code of <linux/iommu.h>
 *
 * Return: the descriptor.
 * Context: only computes: no lock, from everywhere.
 */
static inline struct vtd_inv_desc vtd_inv_page_response(u16 source_id, u32 pasid, u32 group,
							u32 code)
{
	struct vtd_inv_desc desc = { { 0, 0, 0, 0 } };
	/* "failure" is 15 in the descriptor, 2 in the enum */
	u64 response = code == 2 ? 0xf : code & 1;

	desc.qw[0] = VTD_INV_PAGE_RESPONSE | VTD_INV_PAGE_RESPONSE_PASID | response << 12 |
		     (u64)source_id << 16 | (u64)(pasid & 0xfffff) << 32;
	desc.qw[1] = 1ULL << 2 | (u64)(group & 0x1ff) << 3;
	return desc;
}

/* ---- registers, section 10.4 ---- */

/* Offsets. That of the fault records (FRCD) is in CAP.FRO. */
#define VTD_REG_VER 0x00u
#define VTD_REG_CAP 0x08u
#define VTD_REG_ECAP 0x10u
#define VTD_REG_GCMD 0x18u
#define VTD_REG_GSTS 0x1cu
#define VTD_REG_RTADDR 0x20u
#define VTD_REG_CCMD 0x28u
#define VTD_REG_FSTS 0x34u
#define VTD_REG_FECTL 0x38u
#define VTD_REG_FEDATA 0x3cu
#define VTD_REG_FEADDR 0x40u
#define VTD_REG_FEUADDR 0x44u
#define VTD_REG_IQH 0x80u
#define VTD_REG_IQT 0x88u
#define VTD_REG_IQA 0x90u
#define VTD_REG_ICS 0x9cu
#define VTD_REG_IECTL 0xa0u
#define VTD_REG_IEDATA 0xa4u
#define VTD_REG_IEADDR 0xa8u
#define VTD_REG_IEUADDR 0xacu
#define VTD_REG_IQER 0xb0u
#define VTD_REG_PQH 0xc0u
#define VTD_REG_PQT 0xc8u
#define VTD_REG_PQA 0xd0u
#define VTD_REG_PRS 0xdcu
#define VTD_REG_PECTL 0xe0u
#define VTD_REG_PEDATA 0xe4u
#define VTD_REG_PEADDR 0xe8u
#define VTD_REG_PEUADDR 0xecu
#define VTD_REG_FRCD 0x400u                    /* 64 of 16 bytes */
#define VTD_REG_VCMD 0xe00u
#define VTD_REG_VCRSP 0xe10u
#define VTD_REG_VCCAP 0xe30u
#define VTD_REG_SPACE 0x1000u

/**
 * enum vtd_interrupt - what a unit tells by an interrupt
 * @VTD_INTERRUPT_FAULT: the first fault was recorded, one was lost, or the invalidation queue stopped
 * @VTD_INTERRUPT_PAGE_REQUEST: the first page request was queued, or one was lost
 * @VTD_INTERRUPT_INVALIDATION: a wait descriptor that asks for it was carried out
 */
enum vtd_interrupt {
	VTD_INTERRUPT_FAULT,
	VTD_INTERRUPT_PAGE_REQUEST,
	VTD_INTERRUPT_INVALIDATION,
};
#define VTD_INTERRUPTS 3u

/**
 * typedef vtd_interrupt_fn - handler of an interrupt
 * @iommu: the unit
 * @which: what happened
 * @data: as in vtd_unit_set_interrupt()
 *
 * Context: in the thread that caused it, without a lock. It may call everything.
 */
typedef void (*vtd_interrupt_fn)(struct intel_iommu *iommu, enum vtd_interrupt which, void *data);

/* ---- the virtual command register, sections 10.4.43 and 10.4.44 ---- */

#define VCMD_CMD_ALLOC 0x1
#define VCMD_CMD_FREE 0x2
#define VCMD_CMD(command) ((command) & 0xff)
#define VCMD_CMD_OPERAND(pasid) ((u64)(pasid) << 16)
#define VCMD_CMD_PASID(command) ((u32)((command) >> 16) & 0xfffff)
#define VCMD_VRSP_SC_SUCCESS 0
#define VCMD_VRSP_SC_NO_PASID_AVAIL 16
#define VCMD_VRSP_SC_INVALID_PASID 16
#define VCMD_VRSP_SC(response) (((response) & 0xff) >> 1)
#define VCMD_VRSP_RESULT_PASID(response) ((u32)((response) >> 16) & 0xfffff)
#define VCMD_VRSP(status, pasid) ((u64)(status) << 1 | (u64)(pasid) << 16)

/**
 * typedef vtd_vcmd_fn - the hypervisor behind the virtual command register of a guest's unit
 * @command: VCMD_CMD_ALLOC, or VCMD_CMD_FREE | VCMD_CMD_OPERAND(pasid)
 * @data: as in struct vtd_unit_config
 *
 * Return: VCMD_VRSP(status, pasid).
 * Context: called with the core lock of libioasid held.
 */
typedef u64 (*vtd_vcmd_fn)(u64 command, void *data);

/* ---- the machine ---- */

#define VTD_CAP_NEST 0x01u                     /* nested translation */
#define VTD_CAP_FL5LP 0x02u                    /* 5-level first-level tables */
#define VTD_CAP_SRS 0x04u                      /* supervisor requests */
#define VTD_CAP_EAFS 0x08u                     /* extended accessed flag */
#define VTD_CAP_MTS 0x10u                      /* memory types */
#define VTD_CAP_PT 0x20u                       /* pass-through */
#define VTD_CAP_PRS 0x40u                      /* page requests */
#define VTD_CAP_SL5LP 0x80u                    /* 5-level second-level tables */
#define VTD_CAP_SLADS 0x100u                   /* accessed and dirty bits of second-level tables */
/* Caching mode, of units that a hypervisor makes for a guest: what is not there is cached as well. */
#define VTD_CAP_CM 0x200u
#define VTD_CAP_DEFAULT (VTD_CAP_NEST | VTD_CAP_PT | VTD_CAP_PRS)

/**
 * struct vtd_unit_config - what a remapping unit can do
 * @capabilities: VTD_CAP_*
 * @pasid_bits: width of PASIDs, 7 to 20
 * @vcmd: the unit is a guest's, and PASIDs come from here; NULL for a host's unit
 * @vcmd_data: for @vcmd
 */
struct vtd_unit_config {
	u32 capabilities;
	u32 pasid_bits;
	vtd_vcmd_fn vcmd;
	void *vcmd_data;
};
#define VTD_UNIT_CONFIG_DEFAULT { VTD_CAP_DEFAULT, 20, NULL, NULL }

#define VTD_DEV_ATS 0x1u                       /* has a device TLB */
#define VTD_DEV_PRI 0x2u                       /* may ask for pages; only with ATS */

/**
 * struct vtd_stats - counters of a unit and the devices behind it
 * @dma: requests
 * @faults: requests that ended in a fault, recorded or not
 * @faults_lost: faults not recorded because the log was full
 * @devtlb_hits: requests that a device TLB answered
 * @iotlb_hits: requests that the IOTLB answered
 * @pasid_cache_hits: table walks that used a cached PASID table entry
 * @stale_hits: requests that a cache let through to where the tables no longer lead
 * @page_requests: page requests that devices sent
 * @invalidations: invalidation descriptors carried out, waits included
 */
struct vtd_stats {
	u64 dma;
	u64 faults;
	u64 faults_lost;
	u64 devtlb_hits;
	u64 iotlb_hits;
	u64 pasid_cache_hits;
	u64 stale_hits;
	u64 page_requests;
	u64 invalidations;
};

#ifdef __cplusplus
extern "C" {
#endif

/**
 * vtd_machine_create() - physical memory, with no unit yet
 * @memory: bytes, a multiple of VTD_PAGE_SIZE up to 2^40; costs nothing until it is used
 *
 * Return: the machine; ERR_PTR(-EINVAL) a size that cannot be; ERR_PTR(-ENOMEM).
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
struct vtd_machine *vtd_machine_create(u64 memory);

/**
 * vtd_machine_destroy() - destroy a machine
 * @machine: the machine
 *
 * Return: 0; -EINVAL no machine; -EBUSY units or domains left.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
int vtd_machine_destroy(struct vtd_machine *machine);

/**
 * vtd_page_alloc() - take pages of physical memory, zeroed and adjacent
 * @machine: the machine
 * @count: how many
 *
 * Return: the address of the first; VTD_NO_ADDRESS if there are not as many, or @count is 0.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
u64 vtd_page_alloc(struct vtd_machine *machine, unsigned int count);

/**
 * vtd_page_free() - give pages of physical memory back
 * @machine: the machine
 * @address: the first
 * @count: how many; those that are not taken are left alone
 *
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
void vtd_page_free(struct vtd_machine *machine, u64 address, unsigned int count);

/**
 * vtd_pages_used() - how many pages of physical memory are taken, the tables of the driver included
 * @machine: the machine
 *
 * Return: the number of pages.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
u64 vtd_pages_used(struct vtd_machine *machine);

/**
 * vtd_memory_read() - what the CPU reads at a physical address
 * @machine: the machine
 * @address: where
 * @buffer: filled
 * @length: how many bytes
 *
 * Return: 0; -EINVAL the range is not within memory.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
int vtd_memory_read(struct vtd_machine *machine, u64 address, void *buffer, size_t length);

/**
 * vtd_memory_write() - what the CPU writes to a physical address
 * @machine: the machine
 * @address: where
 * @buffer: what
 * @length: how many bytes
 *
 * Return: 0; -EINVAL the range is not within memory.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
int vtd_memory_write(struct vtd_machine *machine, u64 address, const void *buffer, size_t length);

/**
 * vtd_memory_map() - physical memory, as a driver sees it
 * @machine: the machine
 *
 * The byte at physical address a is that many bytes after the start. Tables may be written there while
 * the hardware reads them, a word at a time. After the first call a request that a cache answers takes
 * longer: whether it is stale is found out by walking the tables each time.
 *
 * Return: the start, until the machine is destroyed; NULL no machine.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
void *vtd_memory_map(struct vtd_machine *machine);

/**
 * vtd_unit_create() - add a remapping unit, not yet enabled
 * @machine: the machine
 * @config: what it can do; NULL is VTD_UNIT_CONFIG_DEFAULT
 *
 * Return: the unit; ERR_PTR(-EINVAL) no machine, or a configuration that cannot be;
 * ERR_PTR(-ENOMEM).
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
struct intel_iommu *vtd_unit_create(struct vtd_machine *machine,
				    const struct vtd_unit_config *config);

/**
 * vtd_unit_destroy() - take a remapping unit away
 * @iommu: the unit
 *
 * Return: 0; -EINVAL no unit; -EBUSY it is enabled or has devices.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
int vtd_unit_destroy(struct intel_iommu *iommu);

/**
 * vtd_unit_set_root() - write the root table address register (section 10.4.5)
 * @iommu: the unit
 * @root: physical address of a root table; 0 turns translation off: all DMA is then blocked
 *
 * What intel_iommu_enable() does; for programs that write the tables themselves. Caches are kept.
 *
 * Return: 0; -EINVAL no unit, or not an address of a page; -EBUSY the driver owns the unit.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
int vtd_unit_set_root(struct intel_iommu *iommu, u64 root);

/**
 * vtd_register_read() - read a register of a unit
 * @iommu: the unit; one that the driver of this library has can be looked at too
 * @offset: VTD_REG_*, a multiple of @size
 * @size: 4 or 8 bytes
 *
 * Return: the value; all bits set for no unit, or an offset or size that cannot be. What is no
 * register reads as 0.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
u64 vtd_register_read(struct intel_iommu *iommu, u32 offset, unsigned int size);

/**
 * vtd_register_write() - write a register of a unit, for a driver of one's own
 * @iommu: the unit
 * @offset: VTD_REG_*, a multiple of @size
 * @size: 4 or 8 bytes
 * @value: what
 *
 * With tables, queues and a root of the caller's own, in memory that vtd_memory_map() shows, a unit is
 * driven as hardware is. What is written is done when the call returns: there is nothing to poll for,
 * and interrupts have been delivered. The root must be of scalable mode (TTM); until GCMD.TE is set
 * nothing passes, where hardware would let everything.
 *
 * Return: 0; -EINVAL no unit, an offset or size that cannot be, or @value is larger; -EBUSY the driver
 * of this library has the unit (VCMD can be written all the same).
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 * Interrupts are called without a lock.
 */
int vtd_register_write(struct intel_iommu *iommu, u32 offset, unsigned int size, u64 value);

/**
 * vtd_unit_set_interrupt() - say who is called for an interrupt, in a driver of one's own
 * @iommu: the unit
 * @which: enum vtd_interrupt
 * @function: called while FECTL, PECTL or IECTL does not mask it, which they do at first; NULL nobody
 * @data: for @function
 *
 * When it returns, the former function is not running and will not run; from within a function of the
 * program, the calls that are running go on.
 *
 * Return: 0; -EINVAL no unit or no such interrupt; -EBUSY the driver of this library has the unit.
 * Context: may sleep: waits for calls in other threads. Takes the hardware lock.
 */
int vtd_unit_set_interrupt(struct intel_iommu *iommu, enum vtd_interrupt which,
			   vtd_interrupt_fn function, void *data);

/**
 * vtd_unit_mask_page_requests() - hold the interrupt of the page request queue back
 * @iommu: the unit
 * @masked: requests stay in the queue; false reports those that wait. PECTL.IM, which is set until
 *	a driver clears it
 *
 * Return: 0; -EINVAL no unit.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 * Handlers are called without a lock.
 */
int vtd_unit_mask_page_requests(struct intel_iommu *iommu, bool masked);

/**
 * vtd_device_create() - put a device behind a unit
 * @iommu: the unit
 * @source_id: bus, device and function, unique in the machine
 * @features: VTD_DEV_*
 *
 * If the unit is enabled, the device is at once known to the driver.
 *
 * Return: the device; ERR_PTR(-EINVAL) no unit or unknown features; ERR_PTR(-EEXIST) @source_id
 * taken; ERR_PTR(-ENOMEM).
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
struct device *vtd_device_create(struct intel_iommu *iommu, u16 source_id, unsigned int features);

/**
 * vtd_device_destroy() - take a device from behind its unit
 * @dev: the device
 *
 * Return: 0; -EINVAL no device; -EBUSY PASIDs are bound or domains attached.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
int vtd_device_destroy(struct device *dev);

/* ---- DMA ---- */

/**
 * vtd_dma() - one DMA request, answered as the hardware would, stale caches included
 * @dev: the device
 * @pasid: the PASID; INVALID_IOASID for a request without one
 * @address: where, in the address space of @pasid
 * @access: VTD_DMA_READ, VTD_DMA_WRITE or both; VTD_DMA_EXEC; with VTD_DMA_PRIV as a supervisor
 * @physical: NULL, or where to put the physical address that was reached
 *
 * A device with PRI that misses a page asks for it, see iommu_register_device_fault_handler(). If
 * the answer is there when the handler returns, the request is tried again.
 *
 * Return: 0 the access took place; above 0 it was refused for this enum vtd_fault_reason, and the
 * fault was recorded unless the entry says not to or it was a page request that got a negative
 * answer; -EAGAIN a page request is on its way: try again; -EINVAL no device, or bad @access.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 * Handlers are called without a lock.
 */
int vtd_dma(struct device *dev, ioasid_t pasid, u64 address, unsigned int access, u64 *physical);

/**
 * vtd_page_request() - one page request of a device with PRI, without the access
 * @dev: the device
 * @pasid: the PASID; INVALID_IOASID for a request without one
 * @address: the page
 * @access: as vtd_dma()
 * @group: the page request group, 0 to 511; the device's choice
 * @last: the last of its group, which is answered as a whole
 *
 * Groups of several pages are sent one request at a time, others' in between. 32 pages may wait for
 * their answer. If the queue is full a request is lost, and the unit answers the last of its group with
 * success. A group that is not complete is given up when the device is told to forget the PASID.
 *
 * Return: 0 sent; -EINVAL no device, one without PRI, or a bad argument; -EPERM the context entry does
 * not allow it; -EBUSY the group, or the page, waits for its answer; -EAGAIN too many pages wait.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 * Handlers are called without a lock.
 */
int vtd_page_request(struct device *dev, ioasid_t pasid, u64 address, unsigned int access,
		     unsigned int group, bool last);

/**
 * vtd_page_answer() - what a device was answered to a page request
 * @dev: the device
 * @pasid: the PASID; INVALID_IOASID for a request without one
 * @group: the group
 *
 * It is remembered until the device has used the pages, or is told to forget the PASID, or has no room.
 *
 * Return: the code of the answer, as PCI has it: 0 success, 1 invalid request, 15 failure; -EAGAIN the group waits, or is not complete; -ENOENT no
 * such group; -EINVAL no device, or one without PRI.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
int vtd_page_answer(struct device *dev, ioasid_t pasid, unsigned int group);

/**
 * vtd_ats_translate() - one translation request of a device with ATS, without the access
 * @dev: the device
 * @pasid: the PASID; INVALID_IOASID for a request without one
 * @address: where, in the address space of @pasid
 * @access: as vtd_dma()
 * @physical: NULL, or where to put the physical address that it was told
 *
 * The device TLB keeps the answer. What is not present in the tables of the PASID, and what the page
 * tables do not allow, is answered without rights (sections 4.2.3 and 7.1.3): that is no fault, and nothing is recorded
 * or asked for. vtd_dma() goes on from there: a device with PRI asks for the page, another sends the
 * request untranslated, which is a fault.
 *
 * Return: 0 translated; above 0 not, for this enum vtd_fault_reason; -EINVAL no device, one without
 * ATS, or bad @access.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 * Interrupts are called without a lock.
 */
int vtd_ats_translate(struct device *dev, ioasid_t pasid, u64 address, unsigned int access,
		      u64 *physical);

/**
 * vtd_dma_read() - DMA that reads memory
 * @dev: the device
 * @pasid: the PASID; INVALID_IOASID for a request without one
 * @address: where
 * @buffer: filled as far as the first page that fails
 * @length: how many bytes
 *
 * Return: as vtd_dma() for the first page that fails; 0 if none does; -EINVAL the end is beyond the
 * highest address.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 * Interrupts are called without a lock.
 */
int vtd_dma_read(struct device *dev, ioasid_t pasid, u64 address, void *buffer, size_t length);

/**
 * vtd_dma_write() - DMA that writes memory
 * @dev: the device
 * @pasid: the PASID; INVALID_IOASID for a request without one
 * @address: where
 * @buffer: what is written; what lies before the first page that fails is
 * @length: how many bytes
 *
 * Return: as vtd_dma() for the first page that fails; 0 if none does; -EINVAL the end is beyond the
 * highest address.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 * Interrupts are called without a lock.
 */
int vtd_dma_write(struct device *dev, ioasid_t pasid, u64 address, const void *buffer,
		  size_t length);

/* ---- looking at the hardware ---- */

/**
 * vtd_inv_submit() - put descriptors and a wait into the invalidation queue, and ring
 * @iommu: the unit
 * @descs: the descriptors
 * @count: how many, up to 254
 *
 * The queue is the one that comes with the unit.
 *
 * Return: 0 all were carried out; -EINVAL no unit, too many, or a descriptor that the hardware
 * rejects, where it stops (invalidation queue error); -EBUSY the program has enabled a queue of its own
 * by the registers.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 * Interrupts are called without a lock.
 */
int vtd_inv_submit(struct intel_iommu *iommu, const struct vtd_inv_desc *descs, unsigned int count);

/**
 * vtd_fault_read() - take the oldest fault record
 * @iommu: the unit
 * @fault: filled
 *
 * Return: false if there is none. The log holds 64; what does not fit is counted as lost.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
bool vtd_fault_read(struct intel_iommu *iommu, struct vtd_fault *fault);

/**
 * vtd_fault_name() - a reason code of a fault in words
 * @reason: enum vtd_fault_reason
 *
 * Return: a constant string; "unknown" for other numbers.
 * Context: takes no lock. From everywhere.
 */
const char *vtd_fault_name(int reason);

/**
 * vtd_pasid_entry() - read the PASID table entry of a device from memory, past every cache
 * @dev: the device
 * @pasid: the PASID
 * @entry: filled
 *
 * Return: 0; -EINVAL no device, or @pasid beyond the directory; -ENOENT there is no table for it.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
int vtd_pasid_entry(struct device *dev, ioasid_t pasid, u64 entry[VTD_PASID_ENTRY_WORDS]);

/**
 * vtd_pasid_entry_address() - where the PASID table entry of a device is in physical memory
 * @dev: the device
 * @pasid: the PASID
 *
 * Return: the address; VTD_NO_ADDRESS if there is none.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
u64 vtd_pasid_entry_address(struct device *dev, ioasid_t pasid);

/**
 * vtd_get_stats() - read the counters of a unit
 * @iommu: the unit
 * @stats: filled
 *
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
void vtd_get_stats(struct intel_iommu *iommu, struct vtd_stats *stats);

/* ---- address spaces: what the CPU side would do ---- */

/**
 * vtd_guest_create() - memory of a guest: pages mapped into a domain from guest address 0 on
 * @domain: the guest's domain, see iommu_map()
 * @pages: how many
 *
 * Return: the memory; ERR_PTR(-EINVAL) no domain, no pages, or its range is mapped already;
 * ERR_PTR(-ENOMEM).
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
struct vtd_guest *vtd_guest_create(struct iommu_domain *domain, unsigned int pages);

/**
 * vtd_guest_destroy() - unmap the memory of a guest and give it back; before iommu_domain_free()
 * @guest: the memory
 *
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
void vtd_guest_destroy(struct vtd_guest *guest);

/**
 * vtd_guest_page() - the guest takes a page of its memory, zeroed
 * @guest: the memory
 *
 * Return: its guest-physical address, never 0; VTD_NO_ADDRESS if the memory is used up. Pages are
 * given back by vtd_guest_destroy() only.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
u64 vtd_guest_page(struct vtd_guest *guest);

/**
 * vtd_guest_map() - the guest maps a page in a page table of its own, with 4 levels
 * @guest: the memory, which tables that are missing are taken from
 * @gpgd: guest-physical address of the root table, from vtd_guest_page()
 * @address: guest-virtual address of the page
 * @page: guest-physical address
 * @access: VTD_DMA_READ, with VTD_DMA_WRITE or not; with VTD_DMA_PRIV for a supervisor's page
 *
 * A guest that changes a present mapping must have it invalidated, as in hardware: vtd_inv_piotlb(),
 * with the domain id that the PASID table entry has, and vtd_inv_dev_ptlb().
 *
 * Return: 0; -EINVAL no guest, or an address that is none of a page or not canonical; -ENOMEM.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
int vtd_guest_map(struct vtd_guest *guest, u64 gpgd, u64 address, u64 page, unsigned int access);

/**
 * vtd_guest_unmap() - the guest unmaps a page; caches keep the translation until they are invalidated
 * @guest: the memory
 * @gpgd: guest-physical address of the root table
 * @address: guest-virtual address of the page
 *
 * Return: 0; -EINVAL as vtd_guest_map(); -ENOENT it was not mapped.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
int vtd_guest_unmap(struct vtd_guest *guest, u64 gpgd, u64 address);

/**
 * vtd_guest_read() - the guest's CPU reads its memory
 * @guest: the memory
 * @address: guest-physical address
 * @buffer: filled
 * @length: how many bytes
 *
 * Return: 0; -EINVAL no guest, or not within its memory.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
int vtd_guest_read(struct vtd_guest *guest, u64 address, void *buffer, size_t length);

/**
 * vtd_guest_write() - the guest's CPU writes its memory
 * @guest: the memory
 * @address: guest-physical address
 * @buffer: what
 * @length: how many bytes
 *
 * Return: 0; -EINVAL no guest, or not within its memory.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
int vtd_guest_write(struct vtd_guest *guest, u64 address, const void *buffer, size_t length);

/**
 * vtd_mm_map() - map a page into a process bound by intel_svm_bind_mm(), as its mmap() would
 * @mm: the process
 * @address: virtual address of the page
 * @page: physical address, from vtd_page_alloc()
 * @access: as vtd_guest_map()
 *
 * A page that is mapped there already is replaced, and the driver invalidates the caches before it returns.
 *
 * Return: 0; -EINVAL no @mm, an address that is none of a page or not canonical; -ENOENT @mm is not
 * bound; -ENOMEM.
 * Context: takes the hardware lock, briefly. From every callback, ioasid notifiers included.
 */
int vtd_mm_map(struct mm_struct *mm, u64 address, u64 page, unsigned int access);

/**
 * vtd_mm_unmap() - unmap a page of a bound process; the driver invalidates the caches before it returns
 * @mm: the process
 * @address: virtual address of the page
 *
 * Return: 0; -EINVAL as vtd_mm_map(); -ENOENT @mm is not bound, or the page not mapped.
 * Context: may sleep. Not from an ioasid notifier.
 */
int vtd_mm_unmap(struct mm_struct *mm, u64 address);

/* ---- for tests ---- */

/**
 * vtd_fail_nth() - let an allocation of libioasid-vtd fail, host memory and pages alike
 * @nth: 1 for the next one; 0 for none
 *
 * Return: how many allocations there have been since the last call.
 * Context: takes no lock. From everywhere.
 */
unsigned long vtd_fail_nth(unsigned long nth);

/**
 * vtd_blocks_used() - how many blocks of host memory libioasid-vtd holds
 *
 * Return: the number of blocks.
 * Context: takes no lock. From everywhere.
 */
unsigned long vtd_blocks_used(void);

#ifdef __cplusplus
}
#endif

#endif
