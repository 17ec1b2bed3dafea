#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds libkernel.so in DIR: ioasid.c, the xarray and the IDA of Debian's linux-source-6.1, unchanged, for user space.
# The kernel's files are GPL: they are unpacked into DIR, used there, and are no part of this project.
set -eu
[ $# -ge 1 ] || { echo "usage: $0 DIR [CFLAGS]" >&2; exit 2; }
dir=$1 flags=${2:--O2 -g -DNDEBUG}
here=$(cd "$(dirname "$0")" && pwd)
archive=/usr/src/linux-source-6.1.tar.xz
k=$dir/linux-source-6.1

[ -e "$archive" ] || { echo "$0: needs Debian's package linux-source-6.1" >&2; exit 1; }
mkdir -p "$dir"
if [ ! -e "$dir/unpacked" ]; then
	for f in lib/xarray.c lib/radix-tree.c lib/idr.c drivers/iommu/ioasid.c include \
		tools/include tools/lib tools/arch tools/testing/radix-tree; do
		echo "linux-source-6.1/$f"
	done | tar xf "$archive" -C "$dir" -T -
	touch "$dir/unpacked"
fi

# Empty stand-ins for the headers that kernel_shim.h replaces, and what the kernel's configuration would say.
s=$dir/shim
mkdir -p "$s/linux" "$s/generated" "$s/asm-generic/bitops"
for h in linux/module linux/preempt linux/rcupdate linux/slab linux/spinlock \
	asm-generic/bitops/__ffs asm-generic/bitops/__fls asm-generic/bitops/ffz asm-generic/bitops/__ffz \
	asm-generic/bitops/fls asm-generic/bitops/fls64; do
	: >"$s/$h.h"
done
echo '#define XA_CHUNK_SHIFT 6' >"$s/generated/map-shift.h"
echo '#define CONFIG_64BIT 1' >"$s/generated/bit-length.h"
printf '#include "%s"\n' ../../linux-source-6.1/include/linux/ioasid.h >"$s/linux/ioasid.h"
printf '#include "%s"\n' ../../linux-source-6.1/include/linux/radix-tree.h >"$s/linux/radix-tree.h"

# -w: the warnings would be about somebody else's code. Only ioasid.c's functions and peer.h's leave the library.
compile() {
	${CC:-cc} $flags -w -fPIC -D_LGPL_SOURCE -DCONFIG_IOASID -fno-strict-aliasing -ftls-model=initial-exec -fvisibility="$2" \
		-I"$s" -I"$s/generated" -I"$k/tools/testing/radix-tree" -I"$k/tools/include" \
		-include "$here/kernel_shim.h" -c "$1" -o "$dir/$(basename "$1" .c).o"
}
for f in lib/xarray lib/radix-tree lib/idr tools/lib/find_bit tools/testing/radix-tree/bitmap; do
	compile "$k/$f.c" hidden
done
compile "$k/drivers/iommu/ioasid.c" default
compile "$here/kernel_shim.c" hidden
${CC:-cc} $flags -shared -Wl,-soname,libkernel.so -Wl,-z,defs -o "$dir/libkernel.so" "$dir"/*.o -lurcu-bp -lpthread
