#!/bin/bash
# SPDX-License-Identifier: MIT
# guest-sva.sh SOURCE BUILD CC CFLAGS LDFLAGS [EMULATOR]: builds the example against an installation, runs it.
set -euo pipefail

source=$1 build=$2 cc=$3 cflags=$4 ldflags=$5
shift 5
# shellcheck source=Tests/Package/manifests.sh
. "$source/Tests/Package/manifests.sh"
work=$(mktemp -d)

keep_manifests "$build" "$work"
cleanup() {
	restore_manifests "$build" "$work"
	rm -rf "$work"
}
trap cleanup EXIT

cmake --install "$build" --prefix "$work/prefix" > /dev/null
export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig LD_LIBRARY_PATH=$work/prefix/lib
make -s -C "$source/examples/guest-sva" O="$work/out" CC="$cc" CFLAGS="$cflags -Werror" \
	LDFLAGS="$ldflags"

mkdir "$work/flows"
"$@" "$work/out/guest-sva" flows "$work/flows"
"$source/scripts/flow-diagrams" directory="$work/flows" "$source/docs/guest-sva.md" |
	diff -u "$source/docs/guest-sva.md" - ||
	{ echo "FAIL: the diagrams are not current, see scripts/flow-diagrams" >&2; exit 1; }
"$@" "$work/out/guest-sva" random 5 "${GUEST_SVA_SEED:-$RANDOM}"
