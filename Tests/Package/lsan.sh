#!/bin/bash
# SPDX-License-Identifier: MIT
# lsan.sh INCLUDE LIBDIR CC...: a program with AddressSanitizer, by each compiler, and the library as it ships.
set -euo pipefail

include=$1 libdir=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for cc; do
	"$cc" -std=gnu11 -O1 -g -fsanitize=address "-I$include/ioasid" "$(dirname "$0")/lsan.c" "-L$libdir" -lioasid \
		-o "$work/lsan" 2> "$work/log" || { cat "$work/log"; exit 1; }
	echo "$cc: $(LD_LIBRARY_PATH=$libdir "$work/lsan" 2> "$work/reports")" || {
		cat "$work/reports"
		exit 1
	}
done
