#!/bin/bash
# SPDX-License-Identifier: MIT
# readme.sh README INCLUDE LIBDIR: the first C example of the README compiles and prints what it says.
set -euo pipefail

readme=$1 include=$2 libdir=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# block LANGUAGE: the first fenced block of that language.
block() {
	awk -v fence="\`\`\`$1" '$0 == fence { inside = 1; next } inside && /^```/ { exit } inside' "$readme"
}

block c > "$work/example.c"
block text > "$work/expected"
[ -s "$work/example.c" ] && [ -s "$work/expected" ] || { echo "FAIL: no example" >&2; exit 1; }
cc -Wall -Wextra -Werror -I"$include" "$work/example.c" -L"$libdir" -lioasid -o "$work/example"
LD_LIBRARY_PATH=$libdir "$work/example" | diff -u "$work/expected" -
echo "$(wc -l < "$work/example.c") lines"
