#!/bin/bash
# SPDX-License-Identifier: MIT
# lsan.sh INCLUDE LIBDIR CC...: a program with AddressSanitizer, by each compiler, and the library as it ships.
set -euo pipefail

include=$1 libdir=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build() { # CC SOURCE FLAG...
	local cc=$1 source=$2
	shift 2
	"$cc" -std=gnu11 -O1 -g -pthread -fsanitize=address "$(dirname "$0")/$source" "$@" -o "$work/lsan" \
		2> "$work/log" || { cat "$work/log"; exit 1; }
}

try() { # CC [PART]
	LD_LIBRARY_PATH=$libdir "$work/lsan" "${@:2}" > "$work/said" 2> "$work/reports" || {
		cat "$work/said" "$work/reports"
		exit 1
	}
	echo "$1: $(cat "$work/said")"
}

for cc; do
	build "$cc" lsan.c "-I$include/ioasid" "-L$libdir" -lioasid
	for part in data token block ops; do
		try "$cc" "$part"
	done
	build "$cc" lsan_queued.c "-I$include/ioasid-kernel" "-I$include/ioasid" "-L$libdir" -lioasid-kernel -lioasid
	try "$cc"
done
