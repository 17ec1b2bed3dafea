#!/bin/bash
# SPDX-License-Identifier: MIT
# toolchain.sh SOURCE SWIFTC: configuring without a usable Swift compiler fails and says what to do.
set -euo pipefail

source=$1 swiftc=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# refused NAME MESSAGE CMAKE-ARGUMENTS...
refused() {
	local name=$1 message=$2 log=$work/$1.log
	shift 2
	if cmake -G Ninja -S "$source" -B "$work/$name" "$@" > "$log" 2>&1; then
		echo "FAIL: $name: configured all the same" >&2
		status=1
	elif ! tr -s ' \n' ' ' < "$log" | grep -F "$message" > /dev/null; then
		echo "FAIL: $name: expected '$message' in:" >&2
		cat "$log" >&2
		status=1
	else
		echo "ok: $name"
	fi
}

# fake NAME: a swiftc whose text is standard input.
fake() {
	cat > "$work/$1"
	chmod +x "$work/$1"
	echo "$work/$1"
}

refused missing "No Swift compiler: swiftc is not on PATH" -DCMAKE_MAKE_PROGRAM="$(command -v ninja)" \
	-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF

refused broken "is not a Swift compiler that runs here" -DIOASID_SWIFTC="$(fake broken-swiftc <<-'END'
	#!/bin/sh
	echo "error while loading shared libraries" >&2
	exit 127
	END
)"

refused old "Swift 6.2.4 is too old: libioasid needs 6.3 or later" -DIOASID_SWIFTC="$(fake old-swiftc <<-'END'
	#!/bin/sh
	echo "Swift version 6.2.4 (swift-6.2.4-RELEASE)"
	END
)"

refused no-embedded "has no Embedded Swift standard library for its default target" \
	-DIOASID_SWIFTC="$(fake plain-swiftc <<-'END'
	#!/bin/sh
	[ "$1" = --version ] && exec echo "Swift version 6.3.1 (swift-6.3.1-RELEASE)"
	echo "error: module 'Swift' cannot be imported in embedded Swift mode" >&2
	exit 1
	END
)"

# The real compiler, for a target that no toolchain has it for.
refused other-target "no Embedded Swift standard library for s390x-unknown-linux-gnu" \
	-DIOASID_SWIFTC="$swiftc" -DIOASID_SWIFT_TARGET=s390x-unknown-linux-gnu

# One that it has it for, while the C compiler is this machine's.
case $(uname -m) in
aarch64) other=x86_64 ;;
*) other=aarch64 ;;
esac
refused half-crossed "Swift would be compiled for $other and C for $(uname -m)" \
	-DIOASID_SWIFTC="$swiftc" -DIOASID_SWIFT_TARGET=$other-unknown-linux-gnu

exit $status
