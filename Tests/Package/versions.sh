#!/bin/bash
# SPDX-License-Identifier: MIT
# versions.sh SOURCE LIBDIR SYMBOLS: what docs/abi-policy.md promises. Two major versions live in one
# process, each called by who was linked with it; two minor ones in two prefixes; and a program that
# needs a newer release is told so when it starts. The other versions are stand-ins made here.
set -euo pipefail

source=$1 libdir=$2 symbols=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
include=$source/include/ioasid
soname=$(readelf -dW "$libdir/libioasid.so" | sed -n 's/.*soname: \[\(.*\)\]/\1/p')
node=$(nm -D "$libdir/libioasid.so" | sed -n 's/.* ioasid_alloc@@//p')
[[ $soname = libioasid.so.* && $node = LIBIOASID_* ]] || { echo "FAIL: $soname, $node" >&2; exit 1; }

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# stand_in DIRECTORY SONAME NODE LAST: every function, in one node, one more in LAST if that is another.
stand_in() {
	local directory=$1 soname=$2 node=$3 last=$4 name
	mkdir -p "$directory"
	while read -r name; do
		echo "unsigned int $name(void) { return 4711; }"
	done < "$symbols" > "$work/stand-in.c"
	echo "$node { global: ioasid_*; local: *; };" > "$work/stand-in.map"
	if [ "$last" != "$node" ]; then
		echo "unsigned int newer_function(void) { return 1; }" >> "$work/stand-in.c"
		echo "$last { global: newer_function; } $node;" >> "$work/stand-in.map"
	fi
	gcc -shared -fPIC -fno-builtin "$work/stand-in.c" -Wl,-soname,"$soname" \
		-Wl,--version-script="$work/stand-in.map" -o "$directory/$soname"
	ln -sf "$soname" "$directory/libioasid.so"
}

stand_in "$work/major" libioasid.so.99 LIBIOASID_99.0 LIBIOASID_99.0
stand_in "$work/minor" "$soname" "$node" LIBIOASID_0.99

cat > "$work/plugin.c" <<- 'END'
	#include <linux/ioasid.h>
	unsigned int plugin(void);
	unsigned int plugin(void) { return ioasid_alloc(NULL, 7, 7, NULL); }
END
cat > "$work/program.c" <<- 'END'
	#include <linux/ioasid.h>
	#include <stdio.h>
	unsigned int plugin(void);
	int main(void)
	{
		unsigned int own = ioasid_alloc(NULL, 5, 5, NULL);

		printf("%u %u\n", own, plugin());
		return 0;
	}
END
gcc -shared -fPIC -I"$include" "$work/plugin.c" -L"$work/major" -lioasid -o "$work/libplugin.so"
gcc -I"$include" "$work/program.c" -L"$libdir" -lioasid -L"$work" -lplugin \
	-Wl,-rpath-link,"$work/major" -o "$work/program"
said=$(LD_LIBRARY_PATH=$libdir:$work/major:$work "$work/program")
[ "$said" = "5 4711" ] || fail "two major versions in one process: '$said', not '5 4711'"
# In the other order of loading, too.
said=$(LD_PRELOAD=$work/major/libioasid.so.99 LD_LIBRARY_PATH=$libdir:$work/major:$work "$work/program")
[ "$said" = "5 4711" ] || fail "the other one loaded first: '$said', not '5 4711'"

# One program, two prefixes: the path says which.
cat > "$work/minor.c" <<- 'END'
	#include <linux/ioasid.h>
	#include <stdio.h>
	int main(void) { printf("%u\n", ioasid_alloc(NULL, 5, 5, NULL)); return 0; }
END
gcc -I"$include" "$work/minor.c" -L"$libdir" -lioasid -o "$work/minor-program"
said="$(LD_LIBRARY_PATH=$libdir "$work/minor-program") $(LD_LIBRARY_PATH=$work/minor "$work/minor-program")"
[ "$said" = "5 4711" ] || fail "two prefixes: '$said', not '5 4711'"

# Built with a newer minor version, started with this one.
cat > "$work/newer.c" <<- 'END'
	unsigned int newer_function(void);
	int main(void) { return (int)newer_function(); }
END
gcc "$work/newer.c" -L"$work/minor" -lioasid -o "$work/newer"
if LD_LIBRARY_PATH=$libdir "$work/newer" 2> "$work/said"; then
	fail "a program that needs a newer release has started"
fi
grep -q "version .LIBIOASID_0.99' not found" "$work/said" || fail "no word of the release: $(cat "$work/said")"
echo "$soname ($node) beside libioasid.so.99 and beside another $soname; a newer program is told what it lacks"
