#!/bin/bash
# SPDX-License-Identifier: MIT
# clash.sh CC INCLUDE: a program that has libioasid's flags first compiles as it did without: its own names are its
# own, and each system header works before and after ours.
set -euo pipefail

cc=$1 include=$2/ioasid
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Names that kernel headers have, and programs too: as types, objects, functions and macros.
cat > own.h <<'END'
#include <stddef.h>
struct list_head { int a; };
struct hlist_node { int a; };
struct rcu_head { int a; };
struct work_struct { int a; };
struct task_struct { int a; };
struct ratelimit_state { int a; };
struct mm_struct { int a; };
struct device { int a; };
typedef struct { int a; } atomic_t, atomic64_t, refcount_t, spinlock_t;
typedef int gfp_t, u8, u16, u32, u64, s8, s32, s64, dma_addr_t, phys_addr_t, notifier_fn_t;
static int current = 1, noinline = 2, IS_ERR = 3, ERR_PTR = 4, PTR_ERR = 5, container_of = 6, likely = 7;
static int BIT(int x) { return x; }
static int min(int a, int b) { return a < b ? a : b; }
static int max(int a, int b) { return a > b ? a : b; }
#define LIST_HEAD(name, type) struct name { struct type *first; }
LIST_HEAD(items, item);
enum { READ_ONCE, WRITE_ONCE, BUG_ON, WARN_ON, ENABLED, pr_info, pr_err, printk, kfree, kmalloc };
int use_all(struct items *items);
int use_all(struct items *items)
{
	return current + noinline + IS_ERR + ERR_PTR + PTR_ERR + container_of + likely + BIT(1) + min(1, 2) +
	       max(1, 2) + READ_ONCE + (items->first != NULL);
}
END
# The ways of ioasid.h itself.
cat > use.h <<'END'
static int hear(struct notifier_block *nb, unsigned long event, void *data)
{
	struct ioasid_nb_args *args = data;

	(void)nb;
	return event == IOASID_NOTIFY_FREE && pasid_valid(args->id) ? NOTIFY_OK : NOTIFY_DONE;
}
int use_ids(void);
int use_ids(void)
{
	struct notifier_block nb = { .notifier_call = hear };
	struct ioasid_set *set = ioasid_set_alloc(0, 1, IOASID_SET_TYPE_NULL);

	if (ioasid_is_err(set))
		return ioasid_err(set);
	return ioasid_register_notifier(set, &nb);
}
END
printf '#include "own.h"\n#include <linux/ioasid.h>\n#include "use.h"\n' > own_first.c
printf '#include <linux/ioasid.h>\n#include "own.h"\n#include "use.h"\n' > own_last.c
for part in log debug rcu hooks; do echo "#include <linux/ioasid-$part.h>"; done | tee -a own_last.c >> own_first.c
for file in own_first own_last; do
	for std in gnu99 gnu11 gnu17; do
		"$cc" "-std=$std" -Wall -Wextra -Werror "-I$include" -fsyntax-only "$file.c" ||
			{ echo "FAIL: $file with -std=$std" >&2; exit 1; }
	done
done

# Every header of the system that compiles alone must do so beside ours.
cat > try <<'END'
#!/bin/bash
cc=$1 include=$2 header=$3
alone() { printf '#include <%s>\nint x;\n' "$header" | "$cc" -std=gnu11 -w "$@" -fsyntax-only -xc - 2> /dev/null; }
alone || exit 0
alone "-I$include" || { echo "FAIL: <$header> with -I alone" >&2; exit 1; }
for order in "$header linux/ioasid.h" "linux/ioasid.h $header"; do
	printf '#include <%s>\n' $order | "$cc" -std=gnu11 -w "-I$include" -fsyntax-only -xc - ||
		{ echo "FAIL: $order" >&2; exit 1; }
done
echo "$header" >> "$(dirname "$0")/tried"
END
chmod +x try
(cd /usr/include && find . -maxdepth 2 -path './*.h' \( -path './linux/*' -o -path './sys/*' -o -path './pci/*' -o ! -path './*/*' \) -printf '%P\n') |
	xargs -P 2 -n 1 ./try "$cc" "$include"
echo "$(wc -l < tried) headers of the system, before and after"
