#!/bin/bash
# SPDX-License-Identifier: MIT
# kernel-doc.sh INCLUDE: the kernel's own script (Debian's linux-source-6.1) finds nothing wrong with the
# comments of the headers. Exits with 77 without it.
set -euo pipefail

archive=/usr/src/linux-source-6.1.tar.xz
[ -e "$archive" ] || {
	echo "no $archive: apt-get install linux-source-6.1" >&2
	exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The script lies before the end of the archive: stop reading there.
tar -xJf "$archive" -C "$work" --occurrence=1 linux-source-6.1/scripts/kernel-doc
script=$work/linux-source-6.1/scripts/kernel-doc

count=0
while read -r header; do
	perl "$script" -none "$header" > "$work/said" 2>&1 || true
	# Functions without a word on what they return are reported with -v only, beside much else.
	perl "$script" -v -none "$header" 2>&1 | grep 'No description' >> "$work/said" || true
	if [ -s "$work/said" ]; then
		cat "$work/said" >&2
		echo "FAIL: $header" >&2
		exit 1
	fi
	count=$((count + 1))
done < <(find "$1" -name '*.h' | sort)
echo "$count headers"
