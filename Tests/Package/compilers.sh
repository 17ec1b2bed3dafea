#!/bin/bash
# SPDX-License-Identifier: MIT
# compilers.sh INCLUDE CLANG: everybody's headers, with every gcc and clang that is installed, in every
# dialect that it knows, under the warnings that strict projects turn on. The kernel's names have
# all dialects too, with the usual warnings. musl, where it is there; 32-bit targets are told why not.
set -euo pipefail

include=$1 own_clang=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

usual="-Wall -Wextra -Wpedantic -Werror -fsyntax-only"
strict="$usual -Wconversion -Wsign-conversion -Wcast-qual -Wshadow -Wundef -Wpointer-arith -Wredundant-decls"
strict_c="$strict -Wstrict-prototypes -Wmissing-prototypes -Wdeclaration-after-statement"
strict_cxx="$strict -Wold-style-cast -Wzero-as-null-pointer-constant -Wextra-semi"

(cd "$include/ioasid" && find linux -name '*.h' | sort) > everybody
(cd "$include" && find ioasid-kernel ioasid-vtd -path '*/linux/*.h' -printf '%P\n' | sort -u) > kernel
while read -r header; do
	printf '#include <%s>\n#include <%s>\nextern int not_empty;\n' "$header" "$header" > "one_${header//\//_}"
done < everybody
# What a program's own lines draw: the inline functions and macros in use.
cat > one_user.h <<- 'END'
	#include <linux/ioasid.h>
	static DECLARE_IOASID_SET(a_set);
	extern int use(struct notifier_block *nb);
	int use(struct notifier_block *nb)
	{
		ioasid_t id = ioasid_alloc(&a_set, 1, 2, IOASID_NULL);
		if (!pasid_valid(id) || ioasid_is_err(ioasid_find(&a_set, id, IOASID_NULL)))
			return ioasid_err(ioasid_find_set(id)) + notifier_to_errno(notifier_from_errno(-1));
		return ioasid_register_notifier(&a_set, nb);
	}
END
sed 's/.*/#include <&>/' kernel > all_kernel.h

compilers=()
for name in gcc gcc-1{0,1,2,3,4,5} clang clang-1{3,4,5,6,7,8,9} clang-2{0,1} "$own_clang"; do
	command -v "$name" > /dev/null && compilers+=("$name")
done

# knows COMPILER LANGUAGE STD: has this dialect, and a standard library for it.
knows() {
	local line='#include <stddef.h>'
	[ "$2" = c ] || line='#include <cstddef>'
	"$1" -x "$2" "-std=$3" -fsyntax-only - <<< "$line" 2> /dev/null
}

runs=0 dialects=0
seen=" "
check() {
	"$@" 2> said || { echo "$*" >&2; head -n 12 said >&2; echo "FAIL" >&2; exit 1; }
	runs=$((runs + 1))
}
for compiler in "${compilers[@]}"; do
	# gcc is one of gcc-1x.
	path=$(readlink -f "$(command -v "$compiler")")
	[[ $seen != *" $path "* ]] || continue
	seen+="$path "
	for std in c99 c11 c17 c2x c23 gnu11 gnu17; do
		knows "$compiler" c "$std" || continue
		dialects=$((dialects + 1))
		for header in one_*; do
			check "$compiler" -x c "-std=$std" $strict_c -I"$include/ioasid" "$header"
		done
		check "$compiler" -x c "-std=$std" $usual -I"$include"/ioasid{-vtd,-kernel,} all_kernel.h
	done
	for std in c++11 c++14 c++17 c++20 c++23 c++26; do
		knows "$compiler" c++ "$std" || continue
		dialects=$((dialects + 1))
		for header in one_*; do
			check "$compiler" -x c++ "-std=$std" $strict_cxx -I"$include/ioasid" "$header"
		done
		check "$compiler" -x c++ "-std=$std" $usual -I"$include"/ioasid{-vtd,-kernel,} all_kernel.h
	done
done

musl="no musl-gcc"
if command -v musl-gcc > /dev/null; then
	for header in one_*; do
		check musl-gcc -x c -std=c11 $strict_c -I"$include/ioasid" "$header"
	done
	musl="musl"
fi
narrow="no 32-bit headers"
for compiler in "${compilers[@]}"; do
	"$compiler" -m32 -x c -fsyntax-only - <<< '#include <stdint.h>' 2> /dev/null || continue
	if "$compiler" -m32 -x c -fsyntax-only -I"$include/ioasid" one_linux_ioasid.h 2> said; then
		echo "FAIL: compiles for 32 bits" >&2
		exit 1
	fi
	grep -q 'libioasid is for 64-bit targets' said || { cat said >&2; echo "FAIL: no word of 32 bits" >&2; exit 1; }
	narrow="32 bits refused with a reason"
done
echo "${#compilers[@]} compilers, $dialects dialects, $runs compilations; $musl; $narrow"
