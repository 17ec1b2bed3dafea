#!/bin/bash
# SPDX-License-Identifier: MIT
# debian.sh SOURCE: debian/ speaks of the version in the header, and each library's symbols file has a line for each
# release whose node the library has; what makes the HTML is a build dependency. scripts/package asks too, before it builds.
set -euo pipefail
cd "$1"

version=$(awk '/^#define IOASID_VERSION_(MAJOR|MINOR|PATCH)/ { printf "%s%s", dot, $3; dot = "." }' \
	include/ioasid/linux/ioasid.h)
packaged=$(sed -nE '1s/.*\((.*)-[^-]*\).*/\1/p' debian/changelog)
[ "$packaged" = "$version" ] || {
	echo "FAIL: debian/changelog has $packaged, the header $version" >&2
	exit 1
}
for library in '' -kernel -vtd; do
	symbols=abi/${library#-}${library:+-}symbols.txt node=LIBIOASID$(tr a-z- A-Z_ <<< "$library")
	# Names without a release are new in this one.
	for release in $(awk -v now="${version%.*}" 'FILENAME == ARGV[1] { brought[$1] = $2; next }
		/^[a-z]/ { print $1 in brought ? brought[$1] : now }' abi/released.txt "$symbols" | sort -u); do
		grep -qF "(symver)${node}_$release " "debian/libioasid${library}0.symbols" || {
			echo "FAIL: debian/libioasid${library}0.symbols: no line for ${node}_$release" >&2
			exit 1
		}
	done
done
# The documents as HTML are built as a package too: by what scripts/site asks for.
needed=$(sed -n 's/^for tool in \(.*\); do$/\1/p' scripts/site)
for tool in ${needed:?}; do
	awk '/^[^ ]/ { field = $1 } field == "Build-Depends-Indep:"' debian/control | grep -wF "$tool" > /dev/null || {
		echo "FAIL: debian/control: scripts/site needs $tool to build" >&2
		exit 1
	}
done
echo "debian/ speaks of $version"
