#!/bin/bash
# SPDX-License-Identifier: MIT
# iommufd.sh SOURCE LIBDIR: the code of docs/iommufd.md compiles and does what the page says (iommufd.c).
# Without the kernel's structures in <linux/vfio.h> it is tried with the same by other names, and counts as
# skipped.
set -euo pipefail

source=$1 libdir=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '/^```c$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$source/docs/iommufd.md" > "$work/page.h"
grep -q 'ioctl(device' "$work/page.h" || { echo "FAIL: docs/iommufd.md has no code" >&2; exit 1; }
flags=(-std=gnu11 -Wall -Wextra -Werror -I"$source/include/ioasid" -I"$work")

has=$(printf '#include <linux/vfio.h>\nVFIO_DEVICE_ATTACH_PASID\n' | cc -E -xc - | tail -n 1)
if [ "$has" = VFIO_DEVICE_ATTACH_PASID ]; then
	cat > "$work/standin.h" <<-'END'
		#include <linux/types.h>
		#include <linux/vfio.h>
		#undef VFIO_DEVICE_ATTACH_IOMMUFD_PT
		#undef VFIO_DEVICE_DETACH_IOMMUFD_PT
		#define VFIO_DEVICE_ATTACH_PASID 1
		#define VFIO_DEVICE_DETACH_PASID 1
		#define VFIO_DEVICE_ATTACH_IOMMUFD_PT 101
		#define VFIO_DEVICE_DETACH_IOMMUFD_PT 102
		#define vfio_device_attach_iommufd_pt ioasid_test_attach
		#define vfio_device_detach_iommufd_pt ioasid_test_detach
		struct vfio_device_attach_iommufd_pt { __u32 argsz, flags, pt_id, pasid; };
		struct vfio_device_detach_iommufd_pt { __u32 argsz, flags, pasid; };
	END
	flags+=(-include "$work/standin.h")
fi
cc "${flags[@]}" "$source/Tests/Package/iommufd.c" -L"$libdir" -lioasid -o "$work/iommufd"
LD_LIBRARY_PATH=$libdir "$work/iommufd"
if [ "$has" = VFIO_DEVICE_ATTACH_PASID ]; then
	echo "runs with stand-ins; not compared with the kernel's: <linux/vfio.h> here is older than 6.15" >&2
	exit 77
fi
