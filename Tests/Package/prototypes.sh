#!/bin/bash
# SPDX-License-Identifier: MIT
# prototypes.sh INCLUDE OBJECT SYMBOLS...: the headers declare exactly the exports; OBJECT calls them all.
set -euo pipefail

include=$1 object=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

LC_ALL=C sort "$@" > "$work/exports"

# gcc lists each declaration with its file; ours that are not static are the promised ones.
(cd "$include" && find linux -name '*.h' -exec printf '#include <%s>\n' {} +) > "$work/all.c"
gcc -std=gnu11 -I"$include" -fsyntax-only -aux-info "$work/declarations" "$work/all.c"
grep -F "$include/" "$work/declarations" |
	sed -nE 's|.*\*/ extern [^(]*[ *]([a-z_0-9]+) +\(.*|\1|p' |
	LC_ALL=C sort -u > "$work/declared"
if ! diff -u "$work/exports" "$work/declared"; then
	echo "FAIL: the headers declare (+) other functions than are exported (-)" >&2
	status=1
fi

nm -u "$object" | awk '{ print $2 }' | LC_ALL=C sort > "$work/called"
if [ -n "$(LC_ALL=C comm -23 "$work/exports" "$work/called")" ]; then
	echo "FAIL: never called by $object:" >&2
	LC_ALL=C comm -23 "$work/exports" "$work/called" >&2
	status=1
fi

echo "$(wc -l < "$work/exports") functions"
exit $status
