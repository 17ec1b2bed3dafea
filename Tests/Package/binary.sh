#!/bin/bash
# SPDX-License-Identifier: MIT
# binary.sh LIBRARY SONAME SYMBOLS NEEDED...: exports exactly SYMBOLS, needs no other library, is small.
set -euo pipefail

library=$1 soname=$2 symbols=$3
shift 3
max_stripped=$((128 * 1024))
# Hardware and its driver, where libioasid is a driver's one service.
case $soname in libioasid-vtd*) max_stripped=$((160 * 1024)) ;; esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

fail() {
	echo "FAIL: $*" >&2
	status=1
}

LC_ALL=C sort -uc "$symbols" || fail "$symbols is not sorted, or has a name twice"
nm -D --defined-only "$library" | awk '{ print $3 }' | LC_ALL=C sort > "$work/exported"
diff -u "$symbols" "$work/exported" || fail "exports differ from $symbols"

readelf -dW "$library" > "$work/dynamic"
grep -q "Library soname: \[$soname\]" "$work/dynamic" || fail "soname is not $soname"
for needed in $(sed -n 's/.*Shared library: \[\(.*\)\]/\1/p' "$work/dynamic"); do
	case " $* " in
	*" $needed "*) ;;
	*) fail "needs $needed" ;;
	esac
done
grep -q RUNPATH "$work/dynamic" && fail "carries a run path"
# A late dlopen() has no room for thread-local variables; nothing of ours may be unmapped under a thread.
readelf -lW "$library" | grep -qw TLS && fail "has thread-local variables"
grep -q 'FLAGS_1.*NODELETE' "$work/dynamic" || fail "may be unloaded"

# Swift's own allocator traps where malloc fails, and a lazy global may run twice: neither is linked.
nm "$library" | grep -wE 'swift_(once|slowAlloc|allocObject|initStackObject)' > "$work/runtime" &&
	fail "uses of Swift's runtime: $(awk '{ print $3 }' "$work/runtime" | tr '\n' ' ')"

strip -o "$work/stripped" "$library"
size=$(stat -c %s "$work/stripped")
((size <= max_stripped)) || fail "$size bytes stripped, more than $max_stripped"

echo "$(wc -l < "$work/exported") exports, $size bytes stripped"
exit $status
