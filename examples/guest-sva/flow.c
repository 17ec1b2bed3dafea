// SPDX-License-Identifier: MIT
// Compares each step of a flow, and what the library says after it, with the flow's table.

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "flow.h"
#include "host.h"

/* The flow that runs; one in a process. */
static struct {
	const struct flow *flow;
	const char *directory;
	FILE *mermaid;
	FILE *trace;
	bool recording;
	pthread_mutex_t lock;
	size_t nr_steps;
	int failures;
} now = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- looking ---- */

struct seen look_at(ioasid_t id)
{
	struct seen seen = { 0, INVALID_IOASID, "-" };
	char *text = NULL, *line, *rest;
	size_t size = 0;
	FILE *dump = open_memstream(&text, &size);
	unsigned int number;

	if (!dump || ioasid_dump(dump) || fclose(dump))
		die("cannot dump");
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *spid = strstr(line, ", spid ");

		if (sscanf(line, "  id %u: ", &number) != 1 || number != id)
			continue;
		if (sscanf(line, "  id %*u: %15[^,], references %d", seen.state,
			   &seen.references) != 2)
			die("cannot read the dump: %s", line);
		if (spid)
			seen.spid = strtoul(spid + strlen(", spid "), NULL, 10);
	}
	free(text);
	return seen;
}

/* ---- writing ---- */

/* A step as it happened. */
struct happened {
	struct flow_row row;
	ioasid_t id;
	struct seen seen;
	bool wrong_memory;
};

static FILE *open_file(const char *suffix)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.%s", now.directory, now.flow->name, suffix);
	file = fopen(path, "w");
	if (!file)
		die("cannot write %s", path);
	return file;
}

/* Sets, ids, references and SPIDs as they are now. */
void flow_picture(void)
{
	FILE *file;

	if (!now.directory)
		return;
	file = open_file("dot");
	if (ioasid_dump_dot(file) || fclose(file))
		die("cannot draw");
}

#define COLUMNS "  %3s  %-2s %-5s > %-5s  %-46s %5s %5s %4s  %-12s  %-7s  %s\n"

static const char *number_or_dash(char buffer[12], long number, bool given)
{
	if (!given)
		return "-";
	snprintf(buffer, 12, "%ld", number);
	return buffer;
}

static void print_step(const struct happened *this)
{
	const struct flow_words *words = &flow_words[this->row.step];
	bool has_id = this->row.references != NO_ID;
	char step[12], vm[12], id[12], spid[12], references[12];

	printf(COLUMNS, number_or_dash(step, now.nr_steps + 1, true),
	       number_or_dash(vm, this->row.vm, this->row.vm), flow_actors[words->from],
	       flow_actors[words->to], words->what, number_or_dash(id, this->id, has_id),
	       number_or_dash(spid, this->seen.spid, has_id && pasid_valid(this->seen.spid)),
	       number_or_dash(references, this->row.references, has_id),
	       !has_id		      ? "-"
	       : this->row.references ? this->seen.state
				      : "reclaimed",
	       !has_id	       ? "-"
	       : this->row.dma ? "passes"
			       : "blocked",
	       this->row.result ? strerrorname_np(-this->row.result) : "ok");
}

static void write_actor(enum flow_actor actor, int vm)
{
	fputs(flow_actors[actor], now.mermaid);
	if (actor == GUEST)
		fprintf(now.mermaid, "%d", vm);
}

static void draw_step(const struct happened *this)
{
	const struct flow_words *words = &flow_words[this->row.step];

	fputs("    ", now.mermaid);
	write_actor(words->from, this->row.vm);
	fputs("->>", now.mermaid);
	write_actor(words->to, this->row.vm);
	fprintf(now.mermaid, ": %s", words->what);
	if (this->row.references != NO_ID)
		fprintf(now.mermaid, " [PASID %u, Ref %d, DMA %s]", this->id, this->row.references,
			this->row.dma ? "passes" : "blocked");
	if (this->row.result)
		fprintf(now.mermaid, " = -%s", strerrorname_np(-this->row.result));
	fputc('\n', now.mermaid);
}

/* ---- comparing ---- */

static void expected(const struct flow_row *want)
{
	printf("       EXPECTED: guest %d, %s: %s; references %d, DMA %s, result %d\n", want->vm,
	       flow_actors[flow_words[want->step].from], flow_words[want->step].what,
	       want->references, want->dma ? "passes" : "blocked", want->result);
	now.failures++;
}

static void compare(const struct happened *this)
{
	const struct flow_row *got = &this->row, *want = &now.flow->rows[now.nr_steps];

	if (this->wrong_memory) {
		printf("       WRONG: DMA reached memory that is not this guest's\n");
		now.failures++;
	}
	if (now.nr_steps >= now.flow->nr_rows) {
		printf("       EXPECTED: nothing more\n");
		now.failures++;
	} else if (want->step != got->step || want->vm != got->vm || want->dma != got->dma ||
		   want->references != got->references || want->result != got->result) {
		expected(want);
	}
}

/* Tries the hardware: the step may be in a handler, where that is allowed. */
static bool dma_passes(struct vm *vm, ioasid_t id, bool *wrong_memory)
{
	u64 physical;

	if (vtd_dma(vm->mdevs[0].dev, id, BUFFER, VTD_DMA_READ, &physical))
		return false;
	*wrong_memory = !vm_has_page(vm, physical);
	return true;
}

void flow_note(enum flow_step step, struct vm *vm, ioasid_t id, int result)
{
	struct happened this = { .row = { step, vm ? vm->number : 0, NO_ID, BLOCKED, result } };

	if (!now.recording)
		return;
	this.id = id;
	if (pasid_valid(id)) {
		this.seen = look_at(id);
		this.row.references = this.seen.references;
		this.row.dma = dma_passes(vm, id, &this.wrong_memory);
	}
	/* Taken last: handlers come here with the library's lock held. */
	pthread_mutex_lock(&now.lock);
	print_step(&this);
	compare(&this);
	if (now.mermaid)
		draw_step(&this);
	now.nr_steps++;
	pthread_mutex_unlock(&now.lock);
}

/* What a table has no column for. */
void flow_check(bool ok, const char *what)
{
	printf("       %s: %s\n", ok ? "also" : "NOT SO", what);
	now.failures += !ok;
}

void flow_record(bool on)
{
	now.recording = on;
}

bool flow_is_running(void)
{
	return now.flow;
}

/* Returns 0 if everything was as the table says. */
int flow_run(const struct flow *flow, const char *directory)
{
	now.flow = flow;
	now.directory = directory;
	if (directory) {
		now.mermaid = open_file("mmd");
		now.trace = open_file("trace");
		ioasid_trace_start(now.trace);
		fputs("sequenceDiagram\n", now.mermaid);
	}
	printf("\n%s: %s\n", flow->name, flow->title);
	printf(COLUMNS, "", "VM", "who", "whom", "what", "id", "SPID", "refs", "state", "DMA",
	       "result");
	flow->run();
	for (; now.nr_steps < flow->nr_rows; now.nr_steps++)
		expected(&flow->rows[now.nr_steps]);
	if (now.mermaid && fclose(now.mermaid))
		die("cannot write the diagram");
	ioasid_trace_stop();
	if (now.trace && fclose(now.trace))
		die("cannot write the trace");
	if (now.failures)
		printf("  %d DIFFERENCES from what must happen\n", now.failures);
	else
		printf("  %zu steps as expected. %s\n", now.nr_steps, flow->shows);
	return now.failures ? 1 : 0;
}
