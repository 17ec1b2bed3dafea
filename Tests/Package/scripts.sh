#!/bin/bash
# SPDX-License-Identifier: MIT
# scripts.sh SOURCE: each script says with --help what it does, and refuses an option that it does not know: at once,
# and without doing anything. scripts/site deletes no folder of somebody else's.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tree"
cp -r "$1/scripts" "$1/models" "$work/tree"
cd "$work/tree"
find . | sort > "$work/before"
status=0

# run NAME ARGUMENT...: in a tree that has only scripts, so that nothing can begin.
run() {
	result=0
	PYTHONDONTWRITEBYTECODE=1 timeout 20 "scripts/$@" > "$work/out" 2> "$work/err" < /dev/null || result=$?
}
for script in scripts/*; do
	name=${script#scripts/}
	for option in --help -h; do
		run "$name" $option
		{ [ $result = 0 ] && grep -q "$name" "$work/out" && [ ! -s "$work/err" ]; } || {
			echo "FAIL: $script $option: exit status $result" >&2
			status=1
		}
	done
	run "$name" --no-such-option
	{ [ $result = 2 ] && grep -q "$name" "$work/err"; } || {
		echo "FAIL: $script --no-such-option: exit status $result, not 2" >&2
		status=1
	}
done
find . | sort | diff "$work/before" - || { echo "FAIL: something was written" >&2; status=1; }

mkdir "$work/mine"
echo precious > "$work/mine/file"
run site "$work/mine"
{ [ $result = 1 ] && [ -e "$work/mine/file" ] && grep -q "not empty" "$work/err"; } || {
	echo "FAIL: scripts/site takes a folder with files of somebody else's" >&2
	status=1
}
exit $status
