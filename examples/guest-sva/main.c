// SPDX-License-Identifier: MIT
// guest-sva: guest shared virtual addressing from end to end, told as flows or at random.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "flow.h"
#include "guest.h"
#include "random.h"

static int usage(void)
{
	fputs("usage: guest-sva flows [DIRECTORY]          every flow; diagrams into DIRECTORY\n"
	      "       guest-sva flow NAME [DIRECTORY]      one of them\n"
	      "       guest-sva random [SECONDS [SEED]]    a random run\n",
	      stderr);
	return 2;
}

/* Each flow in a process of its own: it begins with a library that nobody has used. */
static int run_apart(const struct flow *flow, const char *directory)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork: %m");
	if (pid == 0)
		exit(flow_run(flow, directory));
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid: %m");
	if (WIFSIGNALED(status))
		printf("  KILLED by signal %d\n", WTERMSIG(status));
	return status != 0;
}

/* All flows, or the one of this name; then what they showed. */
static int run_flows(const char *name, const char *directory)
{
	bool ok[NR_FLOWS_MAX] = { false };
	int run = 0, failed = 0;

	for (int i = 0; flows[i]; i++) {
		if (name && strcmp(name, flows[i]->name))
			continue;
		ok[i] = !run_apart(flows[i], directory);
		run++;
		failed += !ok[i];
	}
	if (!run)
		return usage();
	puts("\nWhat was shown");
	for (int i = 0; flows[i]; i++) {
		if (name && strcmp(name, flows[i]->name))
			continue;
		printf("  %-6s %-17s %s\n%26s%s\n", ok[i] ? "ok" : "FAILED", flows[i]->name,
		       flows[i]->title, "", flows[i]->shows);
	}
	printf("  %d flows, %d failed\n", run, failed);
	return failed != 0;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	/* Refusals are part of the stories; errors are not. */
	ioasid_set_log_level(IOASID_LOG_ERR);
	if (!strcmp(command, "guest"))
		return guest_main(STDIN_FILENO);
	if (!strcmp(command, "flows"))
		return run_flows(NULL, argv[2]);
	if (!strcmp(command, "flow") && argc > 2)
		return run_flows(argv[2], argv[3]);
	if (!strcmp(command, "random"))
		return random_run(argc > 2 ? atoi(argv[2]) : 5,
				  argc > 3 ? strtoul(argv[3], NULL, 0) : 1);
	return usage();
}
