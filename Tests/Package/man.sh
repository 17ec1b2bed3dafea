#!/bin/bash
# SPDX-License-Identifier: MIT
# man.sh SOURCE PAGES SYMBOLS...: every exported function has a page whose summary stands by itself, no
# page is of something else, and mandoc finds nothing to say. Without mandoc the last is skipped.
set -euo pipefail

source=$1 pages=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

"$source/scripts/man" "$work"
for folder in ioasid ioasid-kernel ioasid-vtd; do
	diff -r "$work/$folder" "$pages/$folder" || fail "$folder: the pages built are not of these headers"
done

LC_ALL=C sort "$@" > "$work/exported"
# Pages of what is in the headers only: inline functions, and the one of ioasid_api_*.
find "$work"/*/man3 -name '*.3' -printf '%f\n' | sed 's/\.3$//' | LC_ALL=C sort > "$work/described"
missing=$(LC_ALL=C comm -23 "$work/exported" "$work/described")
[ -z "$missing" ] || fail "no page of: $missing"
for name in $(LC_ALL=C comm -13 "$work/exported" "$work/described"); do
	[ "$name" = ioasid_api ] || grep -rqE "\b$name\(|define $name\b" "$source/include" ||
		fail "$name has a page and no declaration"
done

# A summary is all that man -k and a NAME line show.
summaries=$(grep -hE '^\.Nd ' "$work"/*/man3/*.3 | sort)
bad=$(grep -iE '^\.Nd ((the (opposite|same)|as|like)\b|[a-z_]+\(\)|[^ ]+$)' <<< "$summaries" || true)
[ -z "$bad" ] || fail "summaries that need another page: $bad"
twice=$(find "$work"/*/man3 -type f -exec grep -hE '^\.Nd ' {} + | sort | uniq -d)
[ -z "$twice" ] || fail "two functions with one summary: $twice"

# Comments that make a wrong page are refused. The edit is of the first such line of ioasid.h.
refuses() {
	rm -rf "$work/tree"
	mkdir "$work/tree"
	cp -r "$source/include" "$source/scripts" "$source/man" "$work/tree"
	sed -i "$1" "$work/tree/include/ioasid/linux/ioasid.h"
	if "$work/tree/scripts/man" "$work/wrong" > "$work/log" 2>&1 || ! grep -q "$2" "$work/log"; then
		fail "scripts/man takes a comment that it should refuse: $2"
	fi
}
refuses '0,/^ \* @min: /s//&\n * @min: /' 'describes @min twice'
refuses '0,/^ \* @min: /s// * @least: /' 'describes @least, which its prototype does not have'
refuses '0,/^ \* Context: .*/s// */' 'has no Context'

# Of whom a page is, its header and footer say. groff is what man(1) takes; mandoc says the same.
for page in "$work"/ioasid/man3/ioasid_alloc.3 "$work"/ioasid-vtd/man3/intel_pasid_max.3 "$work"/ioasid/man7/*.7 \
	"$source"/debian/*.1; do
	for tool in 'groff -mandoc -Tascii -P-cbou' 'mandoc -T ascii'; do
		command -v "${tool%% *}" > /dev/null || continue
		$tool "$page" > "$work/text" 2> /dev/null
		grep -q BSD "$work/text" && fail "$tool: $page is said to be BSD's: $(grep -m 1 BSD "$work/text")"
		tail -n 1 "$work/text" | grep -q '^libioasid.*libioasid' || fail "$tool: $page: the last line is not libioasid's"
	done
done

count=$(wc -l < "$work/described")
command -v mandoc > /dev/null || {
	echo "$count pages; not linted: no mandoc (Debian: apt-get install mandoc)" >&2
	exit 77
}
mkdir "$work/all"
for folder in "$work"/ioasid*; do
	cp -a "$folder"/man? "$work/all"
done
# It looks for references among what is installed, we among these pages. It would have no system named: pages are the library's,
# and an empty .Os would give them to BSD.
mandoc -T lint "$work/all"/man?/* | grep -vE 'referenced manual not found|operating system explicitly' > "$work/lint" || true
if [ -s "$work/lint" ]; then
	head -n 40 "$work/lint" >&2
	fail "mandoc -T lint has $(wc -l < "$work/lint") lines"
fi
while read -r _ name section _; do
	[ -e "$work/all/man$section/$name.$section" ] || fail "a page refers to $name($section)"
done < <(grep -rhE '^\.Xr ' "$work/all")
echo "$count pages of section 3, $(find "$work"/all/man7 -type f | wc -l) of section 7"
