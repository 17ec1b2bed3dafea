#!/bin/bash
# SPDX-License-Identifier: MIT
# order.sh CLANG INCLUDE: operations that the kernel orders fully are so on 64-bit Arm as well: a barrier
# follows each, or what came before could trade places with what comes after. Nothing that runs here shows
# that (x86-64 orders by itself, and so does an emulator on it), so the instructions are looked at.
set -euo pipefail

clang=$1 include=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

{
	cat <<-'END'
		#include <linux/atomic.h>
		#include <linux/bitops.h>
		int x_xchg(int *p, int i) { return xchg(p, i); }
		int x_cmpxchg(int *p, int i) { return cmpxchg(p, 1, i); }
		int x_try_cmpxchg(int *p, int *q, int i) { return try_cmpxchg(p, q, i); }
	END
	for bit in set clear change; do
		echo "int x_test_and_$bit(unsigned long *p) { return test_and_${bit}_bit(3, p); }"
	done
	for op in add sub inc dec; do
		case $op in add | sub) i='i, ' ;; *) i= ;; esac
		echo "int x_${op}_return(atomic_t *v, int i) { return atomic_${op}_return(${i}v); }"
		echo "int x_fetch_$op(atomic_t *v, int i) { return (atomic_fetch_$op)(${i}v); }"
	done
	for op in and or xor andnot; do
		echo "long x_fetch_$op(atomic64_t *v, long i) { return (atomic64_fetch_$op)(i, v); }"
	done
	for op in inc_and_test dec_and_test inc_not_zero dec_if_positive; do
		echo "int x_$op(atomic_t *v) { return atomic_$op(v); }"
	done
	echo "int x_atomic_xchg(atomic_t *v, int i) { return atomic_xchg(v, i); }"
	echo "int x_atomic_cmpxchg(atomic_t *v, int i) { return atomic_cmpxchg(v, 1, i); }"
	# And what must not pay for it.
	echo "int y_relaxed(atomic_t *v) { return atomic_inc_return_relaxed(v); }"
	echo "int y_acquire(atomic_t *v) { return atomic_inc_return_acquire(v); }"
	echo "void y_inc(atomic_t *v) { atomic_inc(v); }"
	echo "void y_set_bit(unsigned long *p) { set_bit(3, p); }"
} > "$work/operations.c"

# The C library's headers are this machine's: they need not be right for more than declarations.
"$clang" -target aarch64-unknown-linux-gnu -nostdlibinc -idirafter /usr/include \
	-idirafter "/usr/include/$(gcc -print-multiarch)" -O1 -S -mno-outline-atomics -I"$include/ioasid-kernel" -I"$include/ioasid" "$work/operations.c" -o "$work/operations.s"

# For each function: its exclusive stores and its barriers. (Not which comes first: in a loop the text does not say.)
awk '/^[xy]_[a-z_]*:/ { name = $1; barriers = 0; stores = 0 }
	/\tstl?xr/ { stores++ }
	/\tdmb\tish$/ { barriers++ }
	/^\.Lfunc_end/ && name { print name, stores, barriers; name = "" }' "$work/operations.s" > "$work/found"
while read -r name stores barriers; do
	[ "$stores" -gt 0 ] || { echo "FAIL: $name has no atomic operation" >&2; status=1; }
	case $name in
	x_*) [ "$barriers" -gt 0 ] || { echo "FAIL: $name no barrier" >&2; status=1; } ;;
	y_*) [ "$barriers" -eq 0 ] || { echo "FAIL: $name a barrier that nobody asked for" >&2; status=1; } ;;
	esac
done < "$work/found"
found=$(wc -l < "$work/found")
functions=$(grep -c '^[a-z ]* [xy]_[a-z_]*(' "$work/operations.c")
[ "$found" -eq "$functions" ] || { echo "FAIL: $found of $functions functions found" >&2; status=1; }
echo "$found operations looked at"
exit $status
