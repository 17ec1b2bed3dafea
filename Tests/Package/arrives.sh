#!/bin/bash
# SPDX-License-Identifier: MIT
# arrives.sh CC INCLUDE: what sources use that include one header of the kernel only, and count on what it brings.
set -euo pipefail

cc=$1 include=$2
flags="-std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I$include/ioasid-kernel -I$include/ioasid"

# Of 21 client sources: mutex 14, list 13, err 10, kernel 10, export 10, bug 9, slab 8, sched 7, spinlock 6, ...
use() {
	case $1 in
	mutex) echo 'static DEFINE_MUTEX(m); void use_mutex(void) { mutex_lock(&m); mutex_unlock(&m); }' ;;
	list) echo 'static LIST_HEAD(l); int use_list(void) { return list_empty(&l); }' ;;
	err) echo 'int use_err(void *p) { return PTR_ERR_OR_ZERO(p); }' ;;
	kernel) echo 'int use_kernel(int a) { int b[2]; return max(a, (int)ARRAY_SIZE(b)); }' ;;
	export) echo 'void used(void) {} EXPORT_SYMBOL_GPL(used);' ;;
	bug) echo 'int use_bug(int a) { return WARN_ON(a); }' ;;
	slab) echo 'void use_slab(void) { kfree(kzalloc(1, GFP_KERNEL)); }' ;;
	sched) echo 'void *use_sched(void) { return current->mm; }' ;;
	spinlock) echo 'static DEFINE_SPINLOCK(s); void use_spin(void) { spin_lock(&s); spin_unlock(&s); }' ;;
	lockdep) echo 'void use_lockdep(struct mutex *m) { lockdep_assert_held(m); }' ;;
	workqueue) echo 'void use_work(struct work_struct *w) { schedule_work(w); }' ;;
	rcupdate) echo 'void use_rcu(void) { rcu_read_lock(); rcu_read_unlock(); }' ;;
	kref) echo 'void use_kref(struct kref *k) { kref_get(k); }' ;;
	kconfig) echo 'int use_kconfig(void) { return IS_ENABLED(CONFIG_IOASID); }' ;;
	page) echo 'unsigned long use_page(void) { return PAGE_SIZE & PAGE_MASK; }' ;;
	printk) echo 'void use_printk(void) { pr_info("x"); }' ;;
	esac
}

# What each of the kernel's brings, directly or not.
brings='
module.h     mutex list err kernel export bug slab sched spinlock lockdep workqueue rcupdate kconfig page printk
slab.h       mutex list err kernel export bug spinlock lockdep workqueue rcupdate kconfig page printk
sched/mm.h   mutex list err kernel export bug slab sched spinlock lockdep workqueue rcupdate kconfig page printk
workqueue.h  mutex list kernel bug spinlock lockdep rcupdate kconfig printk
device.h     mutex list err kernel export bug slab spinlock lockdep workqueue rcupdate kref kconfig page printk
mm.h         mutex list err kernel export bug slab sched spinlock lockdep workqueue rcupdate page printk
'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
while read -r header names; do
	[ "$header" ] || continue
	for name in $names; do
		{
			echo "#include <linux/$header>"
			use "$name"
		} > "$work/$name.c"
		# shellcheck disable=SC2086 # flags are words
		"$cc" $flags "$work/$name.c" || {
			echo "FAIL: <linux/$header> does not bring $name" >&2
			exit 1
		}
		count=$((count + 1))
	done
done <<< "$brings"

# V4 counts ids of a set with an atomic, and nothing else is included for it.
echo '#define IOASID_API 4
#include <linux/ioasid.h>
int use_count(struct ioasid_set *set) { return atomic_read(&set->nr_ioasids); }' > "$work/count.c"
"$cc" $flags "$work/count.c"

# IOASID_API comes first and has a number.
refused() {
	echo "$1" > "$work/refused.c"
	"$cc" $flags "$work/refused.c" 2> "$work/errors" && { echo "FAIL: compiles: $1" >&2; exit 1; }
	grep -q "error: #error \"IOASID_API is $2" "$work/errors" || { cat "$work/errors" >&2; exit 1; }
}
for header in ioasid.h mm_types.h sched/mm.h mmu_notifier.h; do
	for later in ioasid.h mm_types.h sched/mm.h; do
		refused "#include <linux/$header>
#define IOASID_API 505
#include <linux/$later>" 'defined behind a header'
	done
done
for first in 505 511 518 2 3 4; do
	for second in "define IOASID_API $((first + 1))" 'undef IOASID_API'; do
		echo "#define IOASID_API $first
#include <linux/sched.h>
#undef IOASID_API
#$second
#include <linux/ioasid.h>" > "$work/refused.c"
		"$cc" $flags "$work/refused.c" 2> "$work/errors" && { echo "FAIL: $first, then: $second" >&2; exit 1; }
		grep -q 'error: #error "IOASID_API is defined anew' "$work/errors" || { cat "$work/errors" >&2; exit 1; }
	done
done
for number in '' 1 5 510; do
	for header in ioasid.h mm_types.h sched/mm.h; do
		refused "#define IOASID_API $number
#include <linux/$header>" 505
	done
done
echo "$count uses arrive"
