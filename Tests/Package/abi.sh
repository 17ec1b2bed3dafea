#!/bin/bash
# SPDX-License-Identifier: MIT
# abi.sh SOURCE: the tables of the documents name each function, no other, and tests that exist.
set -euo pipefail

source=$1
status=0

# described SYMBOLS...: without second names, ioasid_api_X of an ioasid_X; docs/abi.md says what they are.
described() {
	LC_ALL=C sort "$@" | awk '{ have[$0]; name[NR] = $0 }
		END {
			for (i = 1; i <= NR; i++) {
				first = name[i]
				sub(/^ioasid_api_/, "ioasid_", first)
				if (first == name[i] || !(first in have))
					print name[i]
			}
		}'
}

# check_table DOCUMENT SYMBOLS...: a row begins with the function and ends with its test.
check_table() {
	local test

	diff -u <(cd "$source" && described "${@:2}") \
		<(sed -nE 's/^\| `([a-z_0-9]+)` \|.*/\1/p' "$source/$1" | LC_ALL=C sort) || {
		echo "FAIL: $1 describes (+) other functions than ${*:2} export (-)" >&2
		status=1
	}
	while read -r test; do
		[ -e "$source/ctests/$test.c" ] || {
			echo "FAIL: $1 names '$test' as a test, which does not exist" >&2
			status=1
		}
	done < <(sed -nE 's/^\| `[a-z_0-9]+` \|.*\|([^|]*)\|$/\1/p' "$source/$1" | sort -u)
}
check_table docs/abi.md abi/symbols.txt abi/kernel-symbols.txt
check_table docs/vtd.md abi/vtd-symbols.txt

# The README leaves the ioasid_ out; its third column has the names, other spellings included.
diff -u <(cd "$source/include/ioasid/linux" &&
		sed -nE -e 's/^[a-z][^(]*[ *]ioasid_([a-z_]+)\(.*/\1/p' \
			-e 's/^#define ioasid_([a-z_]+) ioasid_[a-z_]+$/\1/p' \
			ioasid*.h | LC_ALL=C sort) \
	<(sed -n '/^## Functions/,/^## What/p' "$source/README.md" |
		awk -F'|' '$3 ~ /`ioasid(-[a-z]+)?\.h`/ { print $4 }' |
		grep -oE '`[a-z_]+`' | tr -d '`' | LC_ALL=C sort) || {
	echo "FAIL: README.md names (+) other functions than the headers declare (-)" >&2
	status=1
}
exit $status
