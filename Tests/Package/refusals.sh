#!/bin/bash
# SPDX-License-Identifier: MIT
# refusals SOURCE: docs/refusals.md has each reason of the header in its order, and each cause that the
# sources give, once; and nothing else.
set -euo pipefail
cd "$1"

status=0
differ() {
	diff "$@" || status=1
}

reasons() {
	sed -n '/^enum ioasid_refusal {/,/^}/p' include/ioasid/linux/ioasid-debug.h |
		grep -oE 'IOASID_REFUSED_[A-Z]+' | grep -v '_NR$'
}
rows() { grep '^|' docs/refusals.md | grep -vE '^\| *reason|^\|---'; }

differ <(reasons) <(rows | grep -oE '^\| `IOASID_REFUSED_[A-Z]+`' | tr -d '|` ')

# Constant strings that are causes: of because(), of what becomes a Cause, and of the names of reasons.
causes() {
	grep -oE '"[^"]+ [^"]+"' Sources/IOASIDCore/Inspect/Refusal.swift
	find Sources/IOASIDCore -name '*.swift' ! -name Refusal.swift -exec cat {} + | tr '\n' ' ' |
		grep -oE 'because\( *"[^"]+"' | grep -oE '"[^"]+"'
	sed -n '/static func name/,/^    }/p' Sources/IOASIDRuntime/RequestError.swift |
		grep -oE '"[^"]+"'
	grep -oE 'StaticString = isID \? "[^"]+"' Sources/IOASIDRuntime/RequestError.swift |
		grep -oE '"[^"]+"'
}
differ <(causes | tr -d '"' | LC_ALL=C sort -u) \
	<(rows | awk -F' *[|] *' '{ print $3 }' | LC_ALL=C sort -u)
rows | awk -F' *[|] *' '$4 == "" { print "No remedy: " $0; exit 1 }' || status=1
exit $status
