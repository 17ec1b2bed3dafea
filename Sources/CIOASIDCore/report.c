// SPDX-License-Identifier: MIT
// What is left over, said when the process ends: only if the environment asks for it.
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core.h"

#define STATUS_OF_LEAKS 23
#define COLD __attribute__((cold, noinline))

/* Whose end it is: what a child of fork() has is a copy of its parent's. */
static pid_t process;

COLD void cio_report_begin(void)
{
	process = getpid();
}

/* A thread that goes on, or was stopped, may have the lock: then nothing is said rather than waited for. */
COLD static bool try_lock(void)
{
	for (int tries = 0; tries < 1000; tries++) {
		if (cio_core_lock_at_once())
			return true;
		usleep(1000);
	}
	return false;
}

COLD static ssize_t write_all(void *cookie, const char *text, size_t size)
{
	size_t done = 0;

	(void)cookie;
	while (done < size) {
		ssize_t now = write(STDERR_FILENO, text + done, size - done);

		if (now < 0 && errno == EINTR)
			continue;
		if (now <= 0)
			return 0;
		done += (size_t)now;
	}
	return (ssize_t)size;
}

/* To the descriptor, and by a stream of our own: another thread may keep the lock of stderr. */
COLD static bool report(void)
{
	static char buffer[4096];
	cookie_io_functions_t functions = { .write = write_all };
	FILE *out = fopencookie(NULL, "w", functions);
	int left;

	if (!out)
		return false;
	setvbuf(out, buffer, _IOFBF, sizeof(buffer));
	left = cio_report_leaks(out);
	fclose(out);
	return left != -ENOMEM;
}

COLD static void *flush_all(void *unused)
{
	(void)unused;
	fflush(NULL);
	return NULL;
}

/* As exit() would; but a stream whose lock somebody keeps is waited for for a second. */
COLD static void flush_streams(void)
{
	struct timespec until;
	pthread_t thread;

	if (!ftrylockfile(stdout)) {
		fflush(stdout);
		funlockfile(stdout);
	}
	if (pthread_create(&thread, NULL, flush_all, NULL))
		return;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	pthread_timedjoin_np(thread, NULL, &until);
}

COLD static bool is_left_over(void)
{
	bool had = cio_core_is_mine();
	char line[80];
	int left;

	if (!try_lock()) {
		static const char not_known[] =
			"ioasid: left over: not known, a thread has the library's lock\n";

		write_all(NULL, not_known, sizeof(not_known) - 1);
		return true;
	}
	left = cio_left_over();
	if (left && !report()) {
		snprintf(line, sizeof(line), "ioasid: left over: %d, not listed: out of memory\n",
			 left);
		write_all(NULL, line, strlen(line));
	}
	if (!had)
		cio_core_unlock();
	return left;
}

COLD void cio_report_at_exit(void)
{
	const char *wanted = secure_getenv("IOASID_REPORT_LEAKS");
	bool may_fail = wanted && !strcmp(wanted, "fail");

	if (!wanted || !wanted[0] || !strcmp(wanted, "0") || getpid() != process)
		return;
	if (!may_fail && strcmp(wanted, "1")) {
		cio_refuse_variable("IOASID_REPORT_LEAKS", wanted, "0, 1 or fail");
		return;
	}
	cio_loader_is_alone = true;
	if (is_left_over() && may_fail) {
		flush_streams();
		_exit(STATUS_OF_LEAKS);
	}
}
