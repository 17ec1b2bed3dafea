#!/bin/bash
# SPDX-License-Identifier: MIT
# clash-kernel.sh CC INCLUDE: each header of libc and Linux works before and after all of those for kernel code. Names
# of the kernel are theirs, so a program's own are not asked about: clash.sh does, for everybody's header. What does
# not get on with libc in that order cannot be had. Ten are tried at once; where that fails, one at a time.
set -euo pipefail

cc=$1 include=$2/ioasid kernel=$2/ioasid-kernel
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

(cd "$kernel" && find . -name '*.h' -printf '#include <%P>\n' | grep -v ioasid-bound) > all.h
for header in errno limits pthread stdio stdlib string time unistd; do echo "#include <$header.h>"; done > libc.h
cat > try <<'END'
#!/bin/bash
cc=$1 include=$2 kernel=$3
shift 3
compile() { printf "#include %s\n" "$@" | "$cc" -std=gnu11 -w "-I$kernel" "-I$include" -I. -fsyntax-only -xc -; }
plainly() { printf "#include %s\n" "$@" | "$cc" -std=gnu11 -w -I. -fsyntax-only -xc - 2> /dev/null; }
headers=("${@/#/<}")
headers=("${headers[@]/%/>}")
if ! { compile '"all.h"' "${headers[@]}" && compile "${headers[@]}" '"all.h"'; } 2> /dev/null; then
	for header in "${headers[@]}"; do
		compile '"all.h"' "$header" 2> "after.$$" || ! plainly '"libc.h"' "$header" ||
			{ cat "after.$$" >&2; echo "FAIL: $header after those for kernel code" >&2; exit 1; }
		compile "$header" '"all.h"' 2> "before.$$" || ! plainly "$header" '"libc.h"' ||
			{ cat "before.$$" >&2; echo "FAIL: $header before those for kernel code" >&2; exit 1; }
		rm "after.$$" "before.$$"
	done
fi
printf '%s\n' "$@" >> "$(dirname "$0")/tried"
END
chmod +x try
{
	printf '%s.h\n' assert complex ctype dirent dlfcn endian err errno fcntl fenv float fnmatch ftw getopt glob grp \
		iconv ifaddrs inttypes langinfo libgen limits link locale malloc math mntent mqueue netdb nl_types \
		poll pthread pty pwd regex sched search semaphore setjmp signal spawn stdint stdio stdlib string \
		strings syslog termios tgmath threads time uchar ucontext unistd utime utmpx wait wchar wctype wordexp
	(cd /usr/include && find . -maxdepth 2 -path './linux/*.h' -printf '%P\n')
	find /usr/include -path '*/sys/*.h' -printf 'sys/%f\n'
} | sort -u | xargs -P 2 -n 10 ./try "$cc" "$include" "$kernel"
echo "$(wc -l < tried) headers of libc and Linux, before and after"
