#!/bin/bash
# SPDX-License-Identifier: MIT
# binary.sh LIBRARY SONAME SYMBOLS NEEDED...: exports exactly SYMBOLS, needs no other library, is small.
set -euo pipefail

library=$1 soname=$2 symbols=$3
shift 3
# Unwind tables are a seventh of it. A page of code must buy its place: docs/architecture.md, decision 1. Ranges, a
# capacity that may change and the reset bought two, names in traces one, huge pages and addresses looked up without
# the loader's lock another.
max_loaded=$((176 * 1024))

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

fail() {
	echo "FAIL: $*" >&2
	status=1
}

LC_ALL=C sort -uc "$symbols" || fail "$symbols is not sorted, or has a name twice"
# "A" is a node of symbol versions, every other line a name and the node that it is in.
nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' > "$work/versioned"
sed 's/@.*//' "$work/versioned" | LC_ALL=C sort > "$work/exported"
diff -u "$symbols" "$work/exported" || fail "exports differ from $symbols"
node=${soname%%.so.*}
node=${node^^}
strays=$(grep -vE "@@${node//-/_}_[0-9]+\.[0-9]+\$" "$work/versioned" || true)
[ -z "$strays" ] || fail "in no node of a release: $strays"

# A program may have a function that is named like one of another version: what has a second name,
# ioasid_api_*, is called by that. See cmake/EmbeddedLibrary.cmake.
first_names=$(cat "$(dirname "$symbols")"/*symbols.txt | sed -n 's/^ioasid_api_/ioasid_/p')
calls=$(readelf -rW "$library" | awk '{ print $5 }' | sed 's/@.*//' | sort -u | grep -xF "$first_names" || true)
[ -z "$calls" ] || fail "calls what a program may have of its own:" $calls

readelf -dW "$library" > "$work/dynamic"
grep -q "Library soname: \[$soname\]" "$work/dynamic" || fail "soname is not $soname"
for needed in $(sed -n 's/.*Shared library: \[\(.*\)\]/\1/p' "$work/dynamic"); do
	# The second is a part of the first: on some architectures it has the stack protector's secret.
	case " $* ${*/#libc.so.6/ld-linux-aarch64.so.1} " in
	*" $needed "*) ;;
	*) fail "needs $needed" ;;
	esac
done
# A library that needs another of ours looks beside itself, and nobody looks anywhere else.
paths=$(sed -n 's/.*(RUNPATH).*\[\(.*\)\]/\1/p' "$work/dynamic")
if grep -q 'Shared library: \[libioasid' "$work/dynamic"; then expected='$ORIGIN'; else expected=; fi
[ "$paths" = "$expected" ] || fail "run path is '$paths', not '$expected'"
grep -q TEXTREL "$work/dynamic" && fail "code is written to when it is loaded"
# A late dlopen() has no room for thread-local variables; nothing of ours may be unmapped under a thread.
readelf -lW "$library" | grep -w TLS > /dev/null && fail "has thread-local variables"
grep -q 'FLAGS_1.*NODELETE' "$work/dynamic" || fail "may be unloaded"

# Swift's own allocator traps where malloc fails, and a lazy global may run twice: neither is linked.
nm "$library" | grep -wE 'swift_(once|slowAlloc|allocObject|initStackObject)' > "$work/runtime" &&
	fail "uses of Swift's runtime: $(awk '{ print $3 }' "$work/runtime" | tr '\n' ' ')"

# As many unwind tables as functions; what the linker adds (_init, the PLT) has its own.
functions=$(readelf -sW "$library" | awk '$4 == "FUNC" && $7 != "UND" && $3 > 0 { print $2 }' | sort -u | wc -l)
tables=$(readelf --debug-dump=frames "$library" 2> /dev/null | grep -c 'FDE' || true)
((tables >= functions)) || fail "$functions functions, $tables unwind tables"

# Not the size of the file: where pages may be 64 KiB large there is as much between its segments.
size=0
while read -r bytes; do
	size=$((size + bytes))
done < <(readelf -lW "$library" | awk '$1 == "LOAD" { print $5 }')
((size > 0 && size <= max_loaded)) || fail "$size bytes are loaded, more than $max_loaded"

echo "$(wc -l < "$work/exported") exports, $size bytes are loaded, $functions functions with unwind tables"
exit $status
