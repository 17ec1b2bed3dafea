/* SPDX-License-Identifier: MIT */
/* A filter of system calls that lets some through, and says which other one was called. */
#ifndef TESTS_PACKAGE_FILTER_H
#define TESTS_PACKAGE_FILTER_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL(name) { #name, SYS_##name }
static const struct {
	const char *name;
	int number;
} calls[] = {
	CALL(brk),
	CALL(clock_gettime),
	CALL(clock_nanosleep),
	CALL(clone),
	CALL(clone3),
	CALL(close),
	CALL(exit),
	CALL(exit_group),
	CALL(fstat),
	CALL(futex),
	CALL(getpid),
	CALL(getrandom),
	CALL(gettid),
	CALL(madvise),
	CALL(membarrier),
	CALL(mmap),
	CALL(mprotect),
	CALL(mremap),
	CALL(munmap),
	CALL(nanosleep),
	CALL(newfstatat),
	CALL(openat),
	CALL(prctl),
	CALL(pause),
	CALL(pread64),
	CALL(read),
	CALL(rseq),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(sched_getaffinity),
	CALL(sched_yield),
	CALL(set_robust_list),
	CALL(tgkill),
	CALL(wait4),
	CALL(write),
	CALL(writev),
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* No printf(): what was refused may be anywhere. A thread that blocks all signals ends by SIGSYS instead. */
static void say_refused(int signal, siginfo_t *info, void *context)
{
	char number[16] = "?", *name = number;
	int left = info->si_syscall, at = sizeof(number) - 1;

	(void)signal, (void)context;
	number[at] = '\0';
	do
		number[--at] = (char)('0' + left % 10);
	while (left /= 10);
	name = number + at;
	for (size_t i = 0; i < CALLS; i++)
		if (calls[i].number == info->si_syscall)
			name = (char *)calls[i].name;
	if (write(STDOUT_FILENO, "refused: ", 9) != 9 ||
	    write(STDOUT_FILENO, name, strlen(name)) < 0 || write(STDOUT_FILENO, "\n", 1) != 1)
		_exit(2);
	_exit(1);
}

static struct sock_filter rules[2 * CALLS + 4];

/* Allocates nothing: the first call of malloc() is to be under the filter. */
static void allow_only(char **names)
{
	struct sigaction action = { .sa_sigaction = say_refused, .sa_flags = SA_SIGINFO };
	struct sock_fprog program = { .filter = rules };
	unsigned short nr = 0;

	rules[nr++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, nr));
	for (; *names; names++) {
		size_t i = 0;

		while (i < CALLS && strcmp(calls[i].name, *names))
			i++;
		if (i == CALLS || nr + 3u > sizeof(rules) / sizeof(rules[0])) {
			fprintf(stderr, "%s: no room, or not known to filter.h\n", *names);
			exit(2);
		}
		rules[nr++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   (unsigned int)calls[i].number, 0, 1);
		rules[nr++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	rules[nr++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
	program.len = nr;
	sigaction(SIGSYS, &action, NULL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("seccomp");
		exit(77);
	}
}

#endif
