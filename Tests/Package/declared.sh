#!/bin/bash
# SPDX-License-Identifier: MIT
# declared.sh INCLUDE SYMBOLS...: the public headers declare exactly the functions that are exported.
set -euo pipefail

include=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

LC_ALL=C sort "$@" > "$work/exported"

# gcc lists every declaration with its file; the ones of ours that are not static are promises.
(cd "$include" && find . -path '*/linux/*.h' -printf '%P\n') | sed 's,^[^/]*/\(.*\),#include <\1>,' |
	sort -u > "$work/all.c"
gcc -std=gnu11 -I"$include/ioasid-vtd" -I"$include/ioasid-kernel" -I"$include/ioasid" -fsyntax-only -aux-info "$work/declarations" "$work/all.c"
grep -F "$include" "$work/declarations" |
	sed -nE 's|.*\*/ extern [^(]*[ *]([a-z_0-9]+) +\(.*|\1|p' |
	cat - <(sed -nE -e 's/.*IOASID_BOUND\((ioasid_api_[a-z_0-9]+)\).*/\1/p' \
		-e 's/^#pragma redefine_extname .* (ioasid_api_[a-z_0-9]+)$/\1/p' \
		"$include"/ioasid-kernel/linux/ioasid-{api,bound}.h) |
	LC_ALL=C sort -u > "$work/declared"

diff -u "$work/exported" "$work/declared" || {
	echo "FAIL: the headers declare (+) other functions than are exported (-)" >&2
	exit 1
}
echo "$(wc -l < "$work/declared") functions"
