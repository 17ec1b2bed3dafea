#!/bin/bash
# SPDX-License-Identifier: MIT
# probes.sh LIBRARY PROBE...: the library has exactly these static probe points, provider ioasid, in its code.
set -euo pipefail

library=$1
shift
notes=$(readelf -nW "$library" | awk '/Provider: / { provider = $NF } /Name: / { print provider, $2 }')
found=$(sort -u <<< "$notes")
wanted=$(printf 'ioasid %s\n' "$@" | sort)
if [ "$found" != "$wanted" ]; then
	diff <(echo "$wanted") <(echo "$found") >&2 || true
	echo "FAIL: other probe points than wanted in $library" >&2
	exit 1
fi

# A tracer attaches by address: each must lie in the code.
read -r start size < <(readelf -SW "$library" | sed -n 's/^.*\] \.text  *PROGBITS  *\([0-9a-f]*\) [0-9a-f]* \([0-9a-f]*\) .*/\1 \2/p')
while read -r pc; do
	if ((pc < 0x$start || pc >= 0x$start + 0x$size)); then
		echo "FAIL: a probe point at $pc, outside .text" >&2
		exit 1
	fi
done < <(readelf -nW "$library" | sed -n 's/^ *Location: \(0x[0-9a-f]*\),.*/\1/p')
echo "$(wc -l <<< "$notes") places of $# probe points"
