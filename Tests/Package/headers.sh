#!/bin/bash
# SPDX-License-Identifier: MIT
# headers.sh CC CXX INCLUDE: every public header compiles alone and twice, in the oldest C and C++
# dialect, before the standard headers, in the newest, and those of RCU beside those of liburcu. All of them
# together in the dialects between.
set -euo pipefail

cc=$1 cxx=$2 include=$3
flags="-Wall -Wextra -Wpedantic -Werror -fsyntax-only"
flags+=" -I$include/ioasid-vtd -I$include/ioasid-kernel -I$include/ioasid"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Including a header twice in an otherwise empty file also shows that it needs no other before it.
mapfile -t headers < <(cd "$include" && find . -path '*/linux/*.h' -printf '%P\n' |
	sed 's,^[^/]*/,,' | sort -u)
((${#headers[@]} > 0)) || { echo "no headers in $include" >&2; exit 1; }
for header in "${headers[@]}"; do
	file=${header//\//_}
	printf '#include <%s>\n#include <%s>\nint not_empty;\n' "$header" "$header" > "$file.c"
done
for header in "${headers[@]}"; do
	printf '#include <%s>\n' "$header"
done > every_header.c

# All of them together in the dialects between.
for std in c11 c17; do
	echo "$cc -x c -std=$std $flags every_header.c"
done > commands.between
for std in c++14 c++17 c++20; do
	echo "$cxx -x c++ -std=$std $flags every_header.c"
done >> commands.between

# Names that are macros there are functions here.
for order in 'stdatomic.h linux/atomic.h' 'linux/atomic.h stdatomic.h'; do
	printf '#include <%s>\n' $order > "after_${order%%[./]*}.c"
done

for file in *.c; do
	for std in c99; do
		echo "$cc -x c -std=$std $flags $file"
	done
	for std in c++11; do
		echo "$cxx -x c++ -std=$std $flags $file"
	done
done > commands
cat commands.between >> commands

# No name of ours, macros above all, may break a standard header that comes later. Those of C++ take seconds
# and include none of ours, so one unit with every header before them shows the same.
for header in "${headers[@]}"; do
	cat > "before_${header//\//_}.c" <<-END
		#include <$header>
		#include <errno.h>
		#include <pthread.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <time.h>
		int not_empty;
	END
done
cat every_header.c - > before_every_header.c <<-END
	#ifdef __cplusplus
	#include <algorithm>
	#include <cstdlib>
	#include <iterator>
	#include <memory>
	#include <numeric>
	#include <string>
	#include <thread>
	#include <vector>
	#endif
	int not_empty;
END
for file in before_*.c; do
	echo "$cc -x c -std=c17 $flags $file"
	echo "$cxx -x c++ -std=c++20 $flags $file"
done >> commands

# liburcu's headers, where they are installed, may come before and after: they share names with ours.
for theirs in urcu.h urcu-bp.h urcu-qsbr.h urcu/urcu-bp.h urcu/call-rcu.h urcu/rculfhash.h; do
	"$cc" -fsyntax-only -include "$theirs" -x c /dev/null 2> /dev/null || continue
	for order in "$theirs linux/rculist.h" "linux/rculist.h $theirs"; do
		name=urcu_$(tr ' ./' '___' <<< "$order")
		printf '#include <%s>\n' $order > "$name.c"
		cat >> "$name.c" <<-'END'
			struct item {
				struct list_head node;
				struct rcu_head rcu;
			};
			static struct item *item;
			static void call(struct rcu_head *head)
			{
				(void)head;
			}
			int main(void)
			{
				struct item *old;

				rcu_read_lock();
				old = rcu_dereference(item);
				rcu_read_unlock();
				rcu_assign_pointer(item, (struct item *)0);
				synchronize_rcu();
				call_rcu(&old->rcu, call);
				kfree_rcu(old, rcu);
				rcu_barrier();
				return 0;
			}
		END
		echo "$cc -x c -std=gnu17 $flags -Wno-pedantic $name.c"
		echo "$cxx -x c++ -std=gnu++20 $flags -Wno-pedantic $name.c"
	done
done >> commands

# A client of each published version: all its names, as functions, under the strictest flags.
for client in "$include"/../ctests/test_api_*.c; do
	echo "$cc -std=gnu11 $flags -Wstrict-prototypes $client"
done >> commands

xargs -P 2 -d '\n' -n 1 sh -c '$0 || { echo "FAIL: $0" >&2; exit 1; }' < commands
echo "${#headers[@]} headers, $(wc -l < commands) compilations"
