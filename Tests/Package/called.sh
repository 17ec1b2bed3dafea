#!/bin/bash
# SPDX-License-Identifier: MIT
# called.sh SYMBOLS OBJECT...: every exported function is called by one of the test objects.
set -euo pipefail

symbols=$1
shift
uncalled=$(nm -u "$@" | awk '$1 == "U" { print $2 }' | LC_ALL=C sort -u | LC_ALL=C comm -13 - "$symbols")
if [ -n "$uncalled" ]; then
	echo "FAIL: in $symbols, but no test calls:" $uncalled >&2
	exit 1
fi
echo "$(wc -l < "$symbols") functions"
