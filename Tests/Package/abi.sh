#!/bin/bash
# SPDX-License-Identifier: MIT
# abi.sh SOURCE: docs/abi.md has a row for each exported symbol, no other, and names tests that exist.
set -euo pipefail

source=$1
table=$source/docs/abi.md
status=0

diff -u <(LC_ALL=C sort "$source/abi/symbols.txt") \
	<(sed -nE 's/^\| `([a-z_0-9]+)`.*/\1/p' "$table" | LC_ALL=C sort) || {
	echo "FAIL: docs/abi.md describes (+) other functions than are exported (-)" >&2
	status=1
}
for test in $(sed -nE 's/^\| `ioasid.*\| *(test_[a-z_]+) *\|$/\1/p' "$table" | sort -u); do
	[ -e "$source/ctests/$test.c" ] || {
		echo "FAIL: docs/abi.md names $test, which does not exist" >&2
		status=1
	}
done
exit $status
