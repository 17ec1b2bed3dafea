# SPDX-License-Identifier: MIT
"""The bar: what libioasid must reach on each kind of work, as ratios within one run or figures."""

from dataclasses import dataclass

OURS, KERNEL, IDA, LIMIT = "libioasid", "kernel 6.1", "kernel IDA", "one mutex"
UNITS = {"ns": 1, "us": 1000, "B": 1, "KiB": 1}    # how many of what is measured make one


# A check has `against`, the (column, test) it compares with, or None; said(), the bar in words; and
# judge(figure, other), which gives what was measured in the bar's terms, and whether that is met.

@dataclass(frozen=True)
class AtMost:
    """The figure itself is bounded."""
    bound: float
    unit: str = "ns"
    against = None

    def said(self):
        return f"<= {self.bound:g} {self.unit}"

    def judge(self, figure, _other):
        scaled = figure / UNITS[self.unit]
        return f"{scaled:.0f} {self.unit}", scaled <= self.bound


@dataclass(frozen=True)
class Times:
    """At most so many times another figure of the same run."""
    factor: float
    against: tuple
    said_as: str

    def said(self):
        return f"<= {self.factor:g}x {self.said_as}"

    def judge(self, figure, other):
        return f"{figure / other:.2f}x", figure <= self.factor * other


@dataclass(frozen=True)
class Faster:
    """At least so many times faster than another figure of the same run."""
    factor: float
    against: tuple

    def said(self):
        return f">= {self.factor:g}x faster than {self.against[0]}"

    def judge(self, figure, other):
        return f"{other / figure:.1f}x", other >= self.factor * figure


@dataclass(frozen=True)
class Scales:
    """Two threads together do at least so many times what one does alone."""
    factor: float
    against: tuple

    def said(self):
        return f"2 threads >= {self.factor:g}x"

    def judge(self, figure, other):
        return f"{2 * other / figure:.2f}x", 2 * other >= self.factor * figure


@dataclass(frozen=True)
class Row:
    work: str
    test: str
    checks: tuple
    unit: str = "ns"


def limit(factor, test):
    return Times(factor, (LIMIT, test), LIMIT)


def like(test, said_as, factor):
    return Times(factor, (OURS, test), said_as)


def kernel(factor, test):
    return Faster(factor, (KERNEL, test))


def ida(factor, test):
    return Times(factor, (IDA, test), IDA)


ROWS = (
    Row("find, 1k live, random", "find-1k", (limit(2.5, "find-1k"), kernel(3, "find-1k"))),
    Row("find, 64k live", "find-64k", (limit(3, "find-64k"), kernel(8, "find-64k"))),
    Row("find, 2^20 live", "find-1m", (limit(2, "find-1m"), kernel(8, "find-1m"))),
    Row("find, 2^20 live, chained", "find-chained-1m", (limit(1.2, "find-chained-1m"),)),
    # "As one thread", with a tenth for the memory that two threads share.
    Row("find, 1k live, 2 threads", "find-1k-2t", (like("find-1k", "1 thread", 1.1),)),
    Row("find, 64k live, 2 threads", "find-64k-2t", (like("find-64k", "1 thread", 1.1),)),
    Row("find, 2^20 live, 2 threads", "find-1m-2t", (like("find-1m", "1 thread", 1.1),)),
    Row("alloc + free, 1k live", "pair-1k", (limit(1.4, "pair-1k"), kernel(4, "pair-1k"))),
    Row("alloc + free, 1k live, 2 threads", "pair-1k-2t",
        (limit(1.5, "pair-1k-2t"), ida(1.8, "pair-1k-2t"), kernel(3.5, "pair-1k-2t"))),
    # By all threads together, on two CPUs.
    Row("alloc + free, 4 threads", "threads-pair@4", (limit(1.2, "threads-pair@4"),)),
    Row("alloc + free, 8 threads", "threads-pair@8", (limit(1.2, "threads-pair@8"),)),
    Row("2^20 allocs in sequence", "seq-alloc", (kernel(3, "seq-alloc"),)),
    Row("2^20 frees in sequence", "seq-free", (kernel(2.5, "seq-free"),)),
    Row("random half of 2^20 freed", "hole-free", (kernel(6, "hole-free"),)),
    Row("those holes allocated", "hole-alloc", (kernel(6, "hole-alloc"),)),
    Row("get + put", "getput-1k", (AtMost(25),)),
    Row("get + put, 2 threads, own ids", "getput-1k-2t", (Scales(1.9, (OURS, "getput-1k")),)),
    Row("find_by_spid, set of 1k", "spid-1k", (AtMost(60),)),
    Row("find_by_spid, set of 64k", "spid-64k", (AtMost(60),)),
    # A bucket, and then the id: two loads that the cache does not have, one after the other.
    Row("find_by_spid, set of 2^20", "spid-1m",
        (Times(2.6, ("raw", "raw-load-16MiB-chained"), "a dependent miss"),)),
    Row("find_by_spid, set of 2^20, in sequence", "spid-seq-1m", (AtMost(60),)),
    Row("event to 1 subscriber", "event-1", (AtMost(12),)),
    Row("event to 4 subscribers", "event-4", (AtMost(30),)),
    Row("attach_data, nothing to wait for", "attach-first", (AtMost(60),)),
    Row("attach_data over old data", "attach-again",
        (like("grace-period", "a bare synchronize_rcu", 1.3),)),
    Row("90 % find, 10 % alloc + free, 64k, 2 threads", "mix-64k-2t", (limit(1.3, "mix-64k-2t"),)),
    Row("set of 2^20 torn down, an id", "teardown", (AtMost(60),)),
    Row("memory of a live id", "memory-id", (AtMost(40, "B"),), "B"),
    Row("memory of a live id with SPID", "memory-id-spid", (AtMost(56, "B"),), "B"),
    Row("memory kept after all are freed", "memory-kept", (AtMost(1024, "KiB"),), "KiB"),
    Row("memory of the first set and id", "memory-first", (AtMost(128, "KiB"),), "KiB"),
    Row("dlopen, first set, first id", "first-id", (AtMost(120, "us"),), "us"),
    # The model of VT-d: 350 to 400 ns, and no scaling at all, when requests took the hardware lock.
    Row("vtd_dma, warm IOTLB", "dma-iotlb", (AtMost(60),)),
    Row("vtd_dma, 2 devices, 2 threads", "dma-iotlb-2t", (Scales(1.8, (OURS, "dma-iotlb")),)),
    Row("vtd_dma beside another domain's unmaps", "dma-beside-unmap", (AtMost(60),)),
    # 10,000 in 0.1 s.
    Row("vtd_domain_alloc, of 10,000", "domain-alloc", (AtMost(10, "us"),), "us"),
    Row("iommu_unmap, 4 pages in 2^38", "unmap-sparse", (AtMost(100, "us"),), "us"),
)
