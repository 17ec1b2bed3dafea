#!/bin/bash
# SPDX-License-Identifier: MIT
# constructor.sh CC INCLUDE LIBDIR: dlopen() runs a constructor that uses the library, while another thread writes a
# trace with names, or begins a history: neither may want the lock that dlopen() holds.
set -euo pipefail

cc=$1 include=$2 libdir=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/module.c" << 'EOF'
#include <linux/ioasid.h>
#include <unistd.h>

__attribute__((constructor)) static void use(void)
{
	for (int i = 0; i < 200; i++) {
		ioasid_free(NULL, ioasid_alloc(NULL, 0, 1000, NULL));
		usleep(100);
	}
}
EOF
cat > "$work/program.c" << 'EOF'
#include <linux/ioasid.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool done;

/* The C library's unwinder is loaded by the first history: not with a lock that the constructor wants. */
static void *keep_a_history(void *unused)
{
	usleep(5000);
	ioasid_history_start();
	ioasid_history_stop();
	return unused;
}

static int told(struct notifier_block *nb, unsigned long event, void *data)
{
	(void)nb, (void)event, (void)data;
	return NOTIFY_OK;
}

static void *trace(void *set)
{
	while (!__atomic_load_n(&done, __ATOMIC_RELAXED))
		ioasid_free(set, ioasid_alloc(set, 1001, 2000, NULL));
	return NULL;
}

int main(int argc, char **argv)
{
	struct notifier_block nb = { .notifier_call = told };
	FILE *out = fopen("/dev/null", "w");
	pthread_t thread;

	alarm(60);
	if (argc > 2) {
		pthread_create(&thread, NULL, keep_a_history, NULL);
		return !dlopen(argv[1], RTLD_NOW) || pthread_join(thread, NULL);
	}
	ioasid_history_start();
	ioasid_register_notifier(NULL, &nb);
	ioasid_trace_start(out);
	pthread_create(&thread, NULL, trace, NULL);
	usleep(10000);
	if (argc < 2 || !dlopen(argv[1], RTLD_NOW))
		return 1;
	__atomic_store_n(&done, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	ioasid_trace_stop();
	return 0;
}
EOF
"$cc" -Wall -O1 -shared -fPIC "-I$include/ioasid" "$work/module.c" "-L$libdir" -lioasid -o "$work/module.so"
"$cc" -Wall -O1 -pthread "-I$include/ioasid" "$work/program.c" "-L$libdir" -lioasid -ldl -o "$work/program"
for mode in "" history; do
	LD_LIBRARY_PATH=$libdir "$work/program" "$work/module.so" $mode ||
		{ echo "FAIL: $mode ended with status $?" >&2; exit 1; }
done
