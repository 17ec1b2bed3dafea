#!/bin/bash
# SPDX-License-Identifier: MIT
# sanitized.sh INCLUDE LIBDIR CC...: user code under sanitizers, and under valgrind, with the library as it ships: no
# report of what is right, by each compiler that has the sanitizer; and a race of the program's own is reported.
set -euo pipefail

include=$1 libdir=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LD_LIBRARY_PATH=$libdir
status=0
tried=0

build() { # CC FLAG...
	"$@" -std=gnu11 -O1 -g -pthread "-I$include/ioasid" "$(dirname "$0")/sanitized.c" "-L$libdir" -lioasid \
		-o "$work/program" 2> "$work/log"
}

quiet() { # NAME COMMAND...
	local name=$1
	shift
	tried=$((tried + 1))
	if "$@" > "$work/out" 2>&1 && [ "$(cat "$work/out")" = "nothing found" ]; then
		echo "$name: nothing found"
	else
		echo "FAIL: $name" >&2
		head -60 "$work/out" >&2
		status=1
	fi
}

for cc; do
	command -v "$cc" > /dev/null || continue
	if build "$cc" -fsanitize=thread; then
		quiet "$cc, ThreadSanitizer" "$work/program"
		if "$work/program" race > "$work/out" 2>&1 || ! grep -q 'data race' "$work/out"; then
			echo "FAIL: $cc, ThreadSanitizer: the program's own race is not reported" >&2
			status=1
		fi
	else
		echo "$cc: no ThreadSanitizer: $(head -1 "$work/log")"
	fi
	if build "$cc" -fsanitize=address,undefined; then
		quiet "$cc, AddressSanitizer" "$work/program"
	else
		echo "$cc: no AddressSanitizer: $(head -1 "$work/log")"
	fi
done
if command -v valgrind > /dev/null; then
	build cc || { cat "$work/log"; exit 1; }
	quiet "valgrind" valgrind --quiet --fair-sched=yes --leak-check=full --error-exitcode=9 "$work/program" few
fi
((tried)) || { echo "neither a sanitizer nor valgrind" >&2; exit 77; }
exit $status
