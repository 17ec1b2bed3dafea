// SPDX-License-Identifier: MIT
// The table of scenario.h, and the comparison.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine.h"
#include "scenario.h"

#define PROCESSES 2
#define ADDRESS_OF(page) (SCENARIO_ADDRESS + (uint64_t)(page) * 4096)

enum action {
	END,
	START, /* with no page mapped */
	FINISH,
	MAP, /* count pages */
	UNMAP,
	BIND,
	UNBIND,
	EXIT,
	DMA, /* where it ends: the number of a page, REFUSED, WAITING */
	PLAN, /* of the handler: count */
	TOLD, /* how many requests it heard of since PLAN; waits for count */
	ASK, /* page of group count, not its last */
	ASK_LAST,
	ANSWER, /* to group count */
	ASK_FAR, /* for an address that no process has, the last of group count */
	ASK_NONE, /* without PASID */
	SAME, /* have both processes had the same PASID? */
	FAULTS, /* recorded since the last time */
	STALE, /* on all units, since the beginning */
};

#define REFUSED (-1)
#define WAITING (-2)
#define ELSEWHERE (-3)

struct step {
	enum action action;
	unsigned int unit;
	int process, page, count;
	int expected;
	/* Where this library's driver does something else: what, and why it may. */
	const char *differs;
	int ours;
};

struct scenario {
	const char *name;
	unsigned int
		flags; /* SCENARIO_TLB and SCENARIO_CACHING come by themselves where there is no choice */
	const struct step *steps;
};

/* Two units, one process; another with the PASID of the first. */
static const struct step native[] = {
	{ START, 0, 0 },
	{ MAP, 0, 0, 0, 8 },
	{ BIND, 0, 0 },
	{ BIND, 1, 0 },
	{ DMA, 0, 0, 0 },
	{ DMA, 1, 0, 0 },
	{ DMA, 0, 0, 1, .expected = 1 },
	{ DMA, 1, 0, 1, .expected = 1 },
	{ UNMAP, 0, 0, 1, 1 },
	{ DMA, 0, 0, 1, .expected = REFUSED },
	{ DMA, 1, 0, 1, .expected = REFUSED },
	{ FAULTS, .expected = 2 },
	{ DMA, 0, 0, 0 },
	{ MAP, 0, 0, 1, 1 },
	{ DMA, 0, 0, 1, .expected = 1 },
	{ DMA, 1, 0, 3, .expected = 3 },
	{ DMA, 1, 0, 5, .expected = 5 },
	{ UNMAP, 0, 0, 3, 3 },
	{ DMA, 1, 0, 3, .expected = REFUSED },
	{ DMA, 1, 0, 4, .expected = REFUSED },
	{ DMA, 1, 0, 5, .expected = REFUSED },
	{ DMA, 1, 0, 6, .expected = 6 },
	{ FAULTS, .expected = 3 },
	{ UNBIND, 0, 0 },
	{ DMA, 0, 0, 0, .expected = REFUSED },
	{ DMA, 1, 0, 0 },
	{ FAULTS, .expected = 1 },
	{ UNBIND, 1, 0 },
	{ DMA, 1, 0, 0, .expected = REFUSED },
	{ FAULTS, .expected = 1 },
	{ FINISH, 0, 0 },
	{ START, 0, 1 },
	{ MAP, 0, 1, 0, 2 },
	{ BIND, 0, 1 },
	{ BIND, 1, 1 },
	{ SAME, .expected = 1 },
	{ DMA, 0, 1, 0, .expected = 8 },
	{ DMA, 1, 1, 1, .expected = 9 },
	{ DMA, 0, 1, 3, .expected = REFUSED },
	{ FAULTS, .expected = 1 },
	{ UNBIND, 1, 1 },
	{ UNBIND, 0, 1 },
	{ FINISH, 0, 1 },
	{ STALE },
	{ END },
};

/* Bound twice on a unit and once on the other: the last unbind counts. */
static const struct step nested[] = {
	{ START, 0, 0 },
	{ MAP, 0, 0, 0, 1 },
	{ BIND, 0, 0 },
	{ BIND, 0, 0 },
	{ BIND, 1, 0 },
	{ DMA, 0, 0, 0 },
	{ DMA, 1, 0, 0 },
	{ UNBIND, 0, 0 },
	{ DMA, 0, 0, 0 },
	{ UNBIND, 1, 0 },
	{ DMA, 1, 0, 0, .expected = REFUSED },
	{ DMA, 0, 0, 0 },
	{ BIND, 1, 0 },
	{ DMA, 1, 0, 0 },
	{ UNBIND, 0, 0 },
	{ DMA, 0, 0, 0, .expected = REFUSED },
	{ DMA, 1, 0, 0 },
	{ FAULTS, .expected = 2 },
	{ UNBIND, 1, 0 },
	{ DMA, 1, 0, 0, .expected = REFUSED },
	{ FAULTS, .expected = 1 },
	{ FINISH, 0, 0 },
	{ STALE },
	{ END },
};

/* Two processes, neither of which reaches what is the other's. */
static const struct step two[] = {
	{ START, 0, 0 },
	{ START, 0, 1 },
	{ MAP, 0, 0, 0, 2 },
	{ MAP, 0, 1, 0, 2 },
	{ BIND, 0, 0 },
	{ BIND, 0, 1 },
	{ DMA, 0, 0, 0 },
	{ DMA, 0, 1, 0, .expected = 8 },
	{ DMA, 1, 0, 0, .expected = REFUSED },
	{ DMA, 1, 1, 0, .expected = REFUSED },
	{ FAULTS, .expected = 2 },
	{ UNMAP, 0, 0, 0, 1 },
	{ DMA, 0, 0, 0, .expected = REFUSED },
	{ DMA, 0, 1, 0, .expected = 8 },
	{ UNBIND, 0, 1 },
	{ DMA, 0, 1, 0, .expected = REFUSED },
	{ DMA, 0, 0, 1, .expected = 1 },
	{ FAULTS, .expected = 2 },
	{ UNBIND, 0, 0 },
	{ FINISH, 0, 0 },
	{ FINISH, 0, 1 },
	{ STALE },
	{ END },
};

/* The process ends while it is bound: nothing passes, nothing is recorded; then it is unbound. */
static const struct step ends[] = {
	{ START, 0, 0 },
	{ MAP, 0, 0, 0, 2 },
	{ BIND, 0, 0 },
	{ BIND, 1, 0 },
	{ DMA, 0, 0, 0 },
	{ DMA, 1, 0, 1, .expected = 1 },
	{ EXIT, 0, 0 },
	{ DMA, 0, 0, 0, .expected = REFUSED },
	{ DMA, 1, 0, 1, .expected = REFUSED },
	{ FAULTS },
	{ UNBIND, 0, 0 },
	{ UNBIND, 1, 0 },
	{ DMA, 0, 0, 0, .expected = REFUSED },
	{ FAULTS,
	  .differs = "6.1 leaves FPD in the entry for good, as its later fix says (cf08ca81d08a)",
	  .ours = 1 },
	{ FINISH, 0, 0 },
	{ START, 0, 1 },
	{ MAP, 0, 1, 0, 1 },
	{ BIND, 0, 1 },
	{ BIND, 1, 1 },
	{ SAME, .expected = 1 },
	{ DMA, 0, 1, 0, .expected = 8 },
	{ DMA, 1, 1, 1, .expected = REFUSED },
	{ FAULTS, .expected = 1 },
	{ UNBIND, 0, 1 },
	{ EXIT, 0, 1 },
	{ DMA, 1, 1, 0, .expected = REFUSED },
	{ FAULTS },
	{ UNBIND, 1, 1 },
	{ FINISH, 0, 1 },
	{ STALE },
	{ END },
};

/* A guest's units cache that nothing is there: what becomes present must be said. */
static const struct step absent[] = {
	{ START, 0, 0 },
	{ MAP, 0, 0, 0, 1 },
	{ BIND, 0, 0 },
	{ DMA, 1, 0, 0, .expected = REFUSED },
	{ DMA, 1, 0, 0, .expected = REFUSED },
	{ BIND, 1, 0 },
	{ DMA, 1, 0, 0 },
	{ DMA, 0, 0, 0 },
	{ DMA, 0, 0, 1, .expected = REFUSED },
	{ MAP, 0, 0, 1, 1 },
	{ DMA, 0, 0, 1, .expected = 1 },
	{ UNBIND, 1, 0 },
	{ DMA, 1, 0, 0, .expected = REFUSED },
	{ BIND, 1, 0 },
	{ DMA, 1, 0, 0 },
	{ FAULTS, .expected = 4 },
	{ UNBIND, 0, 0 },
	{ UNBIND, 1, 0 },
	{ FINISH, 0, 0 },
	{ STALE },
	{ END },
};

/* Page requests: of DMA, of groups, of others in between, refused, of nobody, and drained. */
static const struct step requests[] = {
	{ START, 0, 0 },
	{ START, 0, 1 },
	{ MAP, 0, 0, 0, 1 },
	{ BIND, 0, 0 },
	{ BIND, 1, 0 },
	{ BIND, 0, 1 },
	{ PLAN, .count = SCENARIO_GRANT },
	{ DMA, 0, 0, 1, .expected = 1 },
	{ DMA, 1, 0, 2, .expected = 2 },
	{ TOLD, .count = 2, .expected = 2 },
	{ UNMAP, 0, 0, 1, 2 },
	{ PLAN, .count = SCENARIO_REFUSE },
	{ DMA, 0, 0, 1, .expected = REFUSED },
	{ DMA, 1, 0, 2, .expected = REFUSED },
	{ TOLD, .count = 2, .expected = 2 },
	{ FAULTS },
	/* A group of three, one of another process and one of another unit in between. */
	{ PLAN, .count = SCENARIO_GRANT },
	{ ASK, 0, 0, 1, 3 },
	{ ASK, 0, 0, 2, 3 },
	{ ASK_LAST, 0, 1, 4, 4 },
	{ ASK_LAST, 1, 0, 5, 3 },
	{ ANSWER, 0, 1, 0, 4 },
	{ ANSWER, 1, 0, 0, 3 },
	{ TOLD, .count = 4, .expected = 4 },
	{ ASK_LAST, 0, 0, 3, 3 },
	{ ANSWER, 0, 0, 0, 3 },
	{ TOLD, .count = 5, .expected = 5 },
	{ DMA, 0, 0, 1, .expected = 1 },
	{ DMA, 0, 0, 2, .expected = 2 },
	{ DMA, 0, 0, 3, .expected = 3 },
	{ DMA, 0, 1, 4, .expected = 12 },
	{ DMA, 1, 0, 5, .expected = 5 },
	/* What a driver answers by itself. */
	{ PLAN, .count = SCENARIO_GRANT },
	{ ASK_NONE, 0, 0, 0, 5 },
	{ ANSWER, 0, -1, 0, 5, .expected = 1 },
	{ TOLD },
	{ PLAN, .count = SCENARIO_REFUSE },
	{ ASK_FAR, 0, 0, 0, 6 },
	{ ANSWER, 0, 0, 0, 6, .expected = 1 },
	{ TOLD,
	  .differs =
		  "whether an address can be is the handler's to say: a process may have 57 bits",
	  .ours = 1 },
	{ PLAN, .count = SCENARIO_REFUSE },
	{ ASK_LAST, 1, 1, 0, 7 },
	{ ANSWER, 1, 1, 0, 7, .expected = 1 },
	{ TOLD, .count = 0, .expected = 1,
	  .differs = "6.1 tells the handler of a PASID that is not bound to the device",
	  .ours = 0 },
	/* Drained: what waits is answered, and what comes is the next one's. */
	{ UNMAP, 0, 0, 1, 2 },
	{ PLAN, .count = SCENARIO_KEEP },
	{ DMA, 0, 0, 1, .expected = WAITING },
	{ TOLD, .count = 1, .expected = 1 },
	{ DMA, 0, 0, 1, .expected = WAITING },
	{ UNBIND, 0, 0 },
	{ DMA, 0, 0, 1, .expected = REFUSED },
	{ DMA, 1, 0, 3, .expected = 3 },
	{ PLAN, .count = SCENARIO_GRANT },
	{ BIND, 0, 0 },
	{ DMA, 0, 0, 1, .expected = 1 },
	{ TOLD, .count = 1, .expected = 1 },
	{ UNBIND, 0, 0 },
	{ UNBIND, 1, 0 },
	{ UNBIND, 0, 1 },
	{ DMA, 0, 0, 1, .expected = REFUSED },
	{ FINISH, 0, 0 },
	{ FINISH, 0, 1 },
	{ STALE },
	{ END },
};

static const struct scenario scenarios[] = {
	{ "native", 0, native },
	{ "native, with TLB", SCENARIO_TLB, native },
	{ "guest", SCENARIO_CACHING, native },
	{ "nested", 0, nested },
	{ "nested, with TLB", SCENARIO_TLB, nested },
	{ "nested, guest", SCENARIO_CACHING, nested },
	{ "two processes", 0, two },
	{ "two processes, with TLB", SCENARIO_TLB, two },
	{ "two processes, guest", SCENARIO_CACHING, two },
	{ "process ends", 0, ends },
	{ "process ends, with TLB", SCENARIO_TLB, ends },
	{ "process ends, guest", SCENARIO_CACHING, ends },
	{ "absent entries", 0, absent },
	{ "absent entries, with TLB", SCENARIO_TLB, absent },
	{ "absent entries, guest", SCENARIO_CACHING, absent },
	{ "page requests", SCENARIO_TLB | SCENARIO_REQUESTS, requests },
};

/* ---- the handler ---- */

enum scenario_plan scenario_plan;
static int told; /* atomic */
static bool is_started[PROCESSES], is_mapped[PROCESSES][SCENARIO_PAGES];

enum scenario_plan scenario_told(const struct scenario_driver *driver, uint32_t pasid,
				 uint64_t address)
{
	int process, page = (int)((address - SCENARIO_ADDRESS) / 4096);
	enum scenario_plan plan = scenario_plan;

	for (process = 0; process < PROCESSES; process++)
		if (driver->pasid(process) == pasid)
			break;
	/* Of nobody that this one knows. */
	if (process == PROCESSES || page < 0 || page >= SCENARIO_PAGES)
		plan = SCENARIO_REFUSE;
	if (plan == SCENARIO_GRANT && !is_mapped[process][page]) {
		is_mapped[process][page] = true;
		driver->map(process, page);
	}
	__atomic_fetch_add(&told, 1, __ATOMIC_RELEASE);
	return plan;
}

/* ---- a step ---- */

static void nap(int *patience)
{
	usleep(500);
	if (++*patience > 20000) {
		puts("nothing happens");
		exit(1);
	}
}

static int page_at(const struct scenario_driver *driver, uint64_t physical)
{
	for (int process = 0; process < PROCESSES; process++)
		for (int page = 0; is_started[process] && page < SCENARIO_PAGES; page++)
			if (driver->physical(process, page) == physical)
				return process * SCENARIO_PAGES + page;
	return ELSEWHERE;
}

static int dma(const struct scenario_driver *driver, const struct step *s)
{
	uint32_t pasid = driver->pasid(s->process);
	int patience = 0;
	uint64_t end;

	while ((end = machine_dma_by(s->unit, pasid, ADDRESS_OF(s->page))) == MACHINE_WAITING) {
		if (scenario_plan == SCENARIO_KEEP)
			return WAITING;
		nap(&patience);
	}
	return end == MACHINE_REFUSED ? REFUSED : page_at(driver, end);
}

static int answer(const struct scenario_driver *driver, const struct step *s)
{
	uint32_t pasid = s->process < 0 ? UINT32_MAX : driver->pasid(s->process);
	int patience = 0, code;

	while ((code = machine_answer(s->unit, pasid, (unsigned int)s->count)) == -EAGAIN)
		nap(&patience);
	return code;
}

static int carry_out(const struct scenario_driver *driver, const struct step *s)
{
	uint32_t pasid = s->process < 0 ? 0 : driver->pasid(s->process);
	unsigned int group = (unsigned int)s->count;
	int patience = 0;

	switch (s->action) {
	case START:
		for (int page = 0; page < SCENARIO_PAGES; page++)
			is_mapped[s->process][page] = false;
		driver->start(s->process);
		is_started[s->process] = true;
		return 0;
	case FINISH:
		is_started[s->process] = false;
		driver->finish(s->process);
		return 0;
	case MAP:
		for (int page = s->page; page < s->page + s->count; page++) {
			if (!is_mapped[s->process][page])
				driver->map(s->process, page);
			is_mapped[s->process][page] = true;
		}
		return 0;
	case UNMAP:
		for (int page = s->page; page < s->page + s->count; page++)
			is_mapped[s->process][page] = false;
		driver->unmap(s->process, s->page, s->count);
		return 0;
	case BIND:
		return driver->bind(s->unit, s->process);
	case UNBIND:
		driver->unbind(s->unit, s->process);
		return 0;
	case EXIT:
		driver->exit(s->process);
		return 0;
	case DMA:
		return dma(driver, s);
	case PLAN:
		scenario_plan = (enum scenario_plan)s->count;
		__atomic_store_n(&told, 0, __ATOMIC_RELEASE);
		return 0;
	case TOLD:
		while (__atomic_load_n(&told, __ATOMIC_ACQUIRE) < s->count)
			nap(&patience);
		return __atomic_load_n(&told, __ATOMIC_ACQUIRE);
	case ASK:
	case ASK_LAST:
		return machine_ask(s->unit, pasid, ADDRESS_OF(s->page), group,
				   s->action == ASK_LAST);
	case ASK_FAR:
		return machine_ask(s->unit, pasid, 1ULL << 60, group, true);
	case ASK_NONE:
		return machine_ask(s->unit, UINT32_MAX, ADDRESS_OF(0), group, true);
	case ANSWER:
		return answer(driver, s);
	case SAME:
		return driver->pasid(0) == driver->pasid(1);
	case FAULTS:
		return (int)machine_faults();
	case STALE:
		return (int)machine_stale();
	case END:
		break;
	}
	return 0;
}

/* ---- all of them ---- */

#define STEPS 128

static int run(const struct scenario_driver *driver, const struct scenario *scenario, int *seen)
{
	bool has_tlb = scenario->flags & SCENARIO_TLB;
	bool has_requests = scenario->flags & SCENARIO_REQUESTS;
	int n;

	if (scenario->flags & SCENARIO_CACHING)
		machine_begin_caching(has_tlb, has_requests);
	else
		machine_begin_with(has_tlb, has_requests);
	driver->begin(has_tlb, has_requests);
	scenario_plan = SCENARIO_GRANT;
	for (n = 0; scenario->steps[n].action != END; n++)
		seen[n] = carry_out(driver, &scenario->steps[n]);
	machine_faults();
	driver->end();
	machine_end();
	return n;
}

void scenario_compare(const struct scenario_driver *a, const struct scenario_driver *b)
{
	int seen[2][STEPS], steps = 0, wrong = 0, different = 0;
	size_t count = sizeof(scenarios) / sizeof(scenarios[0]);

	for (size_t i = 0; i < count; i++) {
		const struct scenario *scenario = &scenarios[i];
		int length = run(a, scenario, seen[0]);

		run(b, scenario, seen[1]);
		for (int n = 0; n < length; n++) {
			const struct step *s = &scenario->steps[n];
			int ours = s->differs ? s->ours : s->expected;

			steps++;
			different += s->differs != NULL;
			if (seen[0][n] == s->expected && seen[1][n] == ours)
				continue;
			wrong++;
			printf("%s, step %d: %s %d, expected %d; %s %d, expected %d\n",
			       scenario->name, n, a->name, seen[0][n], s->expected, b->name,
			       seen[1][n], ours);
		}
	}
	printf("%zu scenarios, %d steps: %s and %s show the same, but for %d steps with a reason\n",
	       count, steps, a->name, b->name, different);
	if (wrong > 0)
		exit(1);
}
