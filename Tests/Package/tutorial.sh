#!/bin/bash
# SPDX-License-Identifier: MIT
# tutorial.sh DOCUMENT COUNT INCLUDE LIBDIR: each of the C programs of the document, so many, compiles, alone, and prints the text
# beside it.
set -euo pipefail

document=$1 wanted=$2 include=$3 libdir=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Blocks are numbered: step-1.c and step-1.text belong together.
awk -v work="$work" '
	/^```(c|text)$/ { kind = substr($0, 4); n[kind]++; file = work "/step-" n[kind] "." kind; next }
	/^```/ { file = ""; next }
	file { print > file }' "$document"
count=$(find "$work" -name '*.c' | wc -l)
((count == wanted)) && [ "$count" -eq "$(find "$work" -name '*.text' | wc -l)" ] ||
	{ echo "FAIL: $count programs, $wanted wanted, or another number of outputs" >&2; exit 1; }
# Offsets, threads and times of a history differ from run to run.
without_chance() {
	sed -E 's/\+0x[0-9a-f]+: /+0x0: /; s/thread [0-9]+, [0-9]+\.[0-9]+ s ago/thread 1, 0 s ago/'
}
for ((step = 1; step <= count; step++)); do
	cc -Wall -Wextra -Werror -I"$include" "$work/step-$step.c" -L"$libdir" -lioasid -o "$work/step"
	LD_LIBRARY_PATH=$libdir "$work/step" > "$work/said"
	diff -u <(without_chance < "$work/step-$step.text") <(without_chance < "$work/said") ||
		{ echo "FAIL: step $step" >&2; exit 1; }
done
echo "$count steps"
