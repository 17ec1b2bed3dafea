#!/bin/bash
# SPDX-License-Identifier: MIT
# install.sh SOURCE BUILD VERSION: installs into fresh prefixes; consumers find, build and run against them.
set -euo pipefail

source=$1 build=$2 version=$3
consumer=$source/Tests/Package/consumer
soversion=${version%%.*}
work=$(mktemp -d)

# shellcheck source=Tests/Package/manifests.sh
. "$source/Tests/Package/manifests.sh"
keep_manifests "$build" "$work"
cleanup() {
	restore_manifests "$build" "$work"
	rm -rf "$work"
}
trap cleanup EXIT

step() {
	echo "-- $*"
}

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

exists() {
	for path; do
		[ -e "$path" ] || fail "$path is missing"
	done
}

# Runs a consumer, which prints the version that it was compiled with.
runs() {
	local said
	said=$(LD_LIBRARY_PATH=$1 "$2") || fail "$2 exited with $?"
	[ "$said" = "$version" ] || fail "$2 printed '$said', not $version"
}

with_pkg_config() {
	local prefix=$1 module=$2 language=$3 compiler=$4 flags
	export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
	[ "$(pkg-config --modversion "$module")" = "$version" ] || fail "$module.pc has another version"
	flags=$(pkg-config --cflags --libs "$module")
	# shellcheck disable=SC2086 # flags are words
	"$compiler" -Wall -Wextra -Werror -x "$language" "$consumer/consumer.c" -x none \
		$flags -o "$work/consumer"
	runs "$prefix/lib" "$work/consumer"
}

with_find_package() {
	local prefix=$1 language=$2 components=$3
	rm -rf "$work/cmake"
	cmake -G Ninja -S "$consumer" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" \
		-DWANTED_VERSION="${version%.*}" -DWANTED_COMPONENTS="$components" \
		-DCONSUMER_LANGUAGE="$language" > "$work/log" || { cat "$work/log"; fail "find_package"; }
	cmake --build "$work/cmake" > "$work/log" || { cat "$work/log"; fail "consumer"; }
	runs "$prefix/lib" "$work/cmake/consumer"
}

consume() {
	local prefix=$1 component
	with_pkg_config "$prefix" ioasid c cc
	with_pkg_config "$prefix" ioasid c++ c++
	with_find_package "$prefix" C ""
	with_find_package "$prefix" CXX ""
	for component in kernel vtd; do
		[ -e "$prefix/lib/libioasid-$component.so" ] || continue
		with_pkg_config "$prefix" "ioasid-$component" c cc
		with_find_package "$prefix" C "$component"
	done
}

# asks PREFIX VERSION COMPONENTS: what a find_package of these says.
asks() {
	rm -rf "$work/cmake"
	cmake -G Ninja -S "$consumer" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$1" \
		-DWANTED_VERSION="$2" -DWANTED_COMPONENTS="$3" -DCONSUMER_LANGUAGE=C > "$work/log" 2>&1
}

# Versions and components that do not fit are refused with a reason.
refuses() {
	local prefix=$1 major=${version%%.*}
	asks "$prefix" "$version...<$((major + 1))" "" || { cat "$work/log"; fail "range of this major version"; }
	! asks "$prefix" "$((major + 1))" "" || fail "accepted as the next major version"
	! asks "$prefix" "$major.999" "" || fail "accepted as a newer minor version"
	! asks "$prefix" "$version" "ktrenel" || fail "an unknown component was found"
	tr -s ' \n' ' ' < "$work/log" | grep "has no component 'ktrenel': there are kernel and vtd" > /dev/null ||
		{ cat "$work/log"; fail "no reason for an unknown component"; }
}

install_to() {
	cmake --install "$build" --prefix "$@" > /dev/null
}

step "fresh prefix"
install_to "$work/prefix"
exists "$work/prefix"/lib/{libioasid.so,"libioasid.so.$soversion","libioasid.so.$version"}
exists "$work/prefix"/lib/{pkgconfig/ioasid.pc,cmake/ioasid/ioasid{Config,ConfigVersion,Targets}.cmake}
(cd "$source/include" && find . -type f | sort) > "$work/headers"
(cd "$work/prefix/include" && find . -type f | sort) |
	diff -u "$work/headers" - || fail "installed headers differ from include/"
consume "$work/prefix"
refuses "$work/prefix"

step "prefix moved elsewhere"
mv "$work/prefix" "$work/moved"
consume "$work/moved"
grep -rIlF -e "$work/prefix" -e "$build" -e "$source" "$work/moved" &&
	fail "installed files name the build machine's directories"

step "uninstall"
mv "$work/moved" "$work/prefix"
cmake --build "$build" --target uninstall > /dev/null
[ ! -e "$work/prefix" ] || fail "uninstall left: $(find "$work/prefix")"

step "uninstall leaves what was there, and what is in use"
mkdir -p "$work/shared/lib/pkgconfig" "$work/shared/include"
install_to "$work/shared"
install_to "$work/shared" # nothing is new to it
mkdir "$work/shared/lib/cmake/other"
: > "$work/shared/share/.hidden"
cmake --build "$build" --target uninstall > /dev/null
left=$(cd "$work/shared" && find . ! -name . | sort | tr '\n' ' ')
[ "$left" = "./include ./lib ./lib/cmake ./lib/cmake/other ./lib/pkgconfig ./share ./share/.hidden " ] ||
	fail "uninstall left in the shared prefix: $left"

step "staged with DESTDIR"
DESTDIR=$work/stage install_to /opt/ioasid
exists "$work/stage/opt/ioasid/lib/libioasid.so.$version"
consume "$work/stage/opt/ioasid"
DESTDIR=$work/stage cmake --build "$build" --target uninstall > /dev/null
[ ! -e "$work/stage" ] || fail "uninstall with DESTDIR left: $(find "$work/stage")"

step "components"
install_to "$work/runtime" --component runtime
installed=$(cd "$work/runtime" && find . ! -type d | sort | tr '\n' ' ')
[ "$installed" = "./lib/libioasid.so.$soversion ./lib/libioasid.so.$version " ] ||
	fail "component runtime has: $installed"
install_to "$work/runtime" --component development
with_pkg_config "$work/runtime" ioasid c cc
with_find_package "$work/runtime" C ""
! asks "$work/runtime" "$version" vtd || fail "a component that is not installed was found"
tr -s ' \n' ' ' < "$work/log" | grep "libioasid-vtd is not installed" > /dev/null ||
	{ cat "$work/log"; fail "no reason for a component that is not installed"; }

echo "installed, moved, staged and removed"
