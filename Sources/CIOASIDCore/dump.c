/* SPDX-License-Identifier: MIT */
/* Writes a copy of all sets and ids: as text for people, as a graph for Graphviz. */
#include "core.h"

static const char *set_state(enum cio_set_state state)
{
	switch (state) {
	case CIO_SET_UNUSED:
		break;
	case CIO_SET_LENT:
	case CIO_SET_LIVE:
		return "live";
	case CIO_SET_DYING:
		return "dying";
	case CIO_SET_DEAD:
		return "dead";
	}
	return "?";
}

static const char *set_type(const struct cio_dump_set *set)
{
	if (set->number == 0)
		return "system";
	if (set->type == IOASID_SET_TYPE_MM)
		return "mm";
	if (set->is_declared)
		return "declared";
	return set->token ? "null" : "anonymous";
}

static const char *id_state(const struct cio_dump_id *id)
{
	return id->is_pending ? "free pending" : id->is_bound ? "bound" : "active";
}

static void text_set(FILE *out, const struct cio_dump_set *set)
{
	fprintf(out, "set %u ", set->number);
	if (set->name[0])
		fprintf(out, "\"%s\" ", set->name);
	fprintf(out, "(%s, %s): ids %ld, ", set_type(set), set_state(set->state), set->nr_ids);
	if (set->quota)
		fprintf(out, "quota %u, ", set->quota);
	else
		fprintf(out, "no quota, ");
	fprintf(out, "references %u, token %p\n", set->references, set->token);
}

static void text_id(FILE *out, const struct cio_dump_id *id)
{
	fprintf(out, "  id %u: %s, references %u", id->id, id_state(id), id->references);
	if (id->spid != INVALID_IOASID)
		fprintf(out, ", spid %u", id->spid);
	if (id->data)
		fprintf(out, ", data %p", id->data);
	if (id->is_queued)
		fputs(", its end is queued", out);
	fputc('\n', out);
}

static const char *const did[] = { "allocated", "taken", "held", "put", "freed" };

static void text_holder(FILE *out, const struct cio_dump_holder *holder, uint64_t now)
{
	char caller[160];
	uint64_t ms = (now - holder->time_ns) / 1000000;

	fprintf(out, "    %s at %s", did[holder->kind],
		cio_symbol(holder->caller, caller, sizeof(caller)));
	if (holder->tag)
		fprintf(out, " with tag %s", cio_symbol(holder->tag, caller, sizeof(caller)));
	fprintf(out, ": %u time%s, thread %d, %llu.%03llu s ago\n", holder->times,
		holder->times == 1 ? "" : "s", holder->thread, (unsigned long long)ms / 1000,
		(unsigned long long)ms % 1000);
}

static void text_subscriber(FILE *out, const struct cio_dump_subscriber *one, const char *of)
{
	char function[160];

	fprintf(out, "%ssubscriber %s, priority %d, block %p\n", of,
		cio_symbol(one->function, function, sizeof(function)), one->priority, one->block);
}

/* All of those that hear one kind of event. */
static void text_subscribers(FILE *out, const struct cio_dump *dump, uint32_t what, const char *of)
{
	for (long i = 0; i < dump->nr_subscribers; i++)
		if (dump->subscribers[i].set == what)
			text_subscriber(out, &dump->subscribers[i], of);
}

/* Sets, their subscribers and ids, and who holds these. Only what is left over, if @is_left. */
static void text_sets(FILE *out, const struct cio_dump *dump, bool is_left)
{
	const struct cio_dump_id *id = dump->ids;
	const struct cio_dump_holder *holder = dump->holders;
	uint64_t now = cio_now_ns();
	long told = 0;

	while (told < dump->nr_subscribers && dump->subscribers[told].set >= CIO_HEARS_LATER)
		told++;
	for (long i = 0; i < dump->nr_sets; i++) {
		const struct cio_dump_set *set = &dump->sets[i];
		bool is_there = set->nr_ids || (set->number && !set->is_declared);

		if (is_there || !is_left)
			text_set(out, set);
		for (; told < dump->nr_subscribers && dump->subscribers[told].set == set->number;
		     told++)
			text_subscriber(out, &dump->subscribers[told], "  ");
		for (long n = 0; n < set->nr_ids; n++, id++) {
			text_id(out, id);
			if (dump->has_history && !id->is_whole)
				fputs("    its history is not whole\n", out);
			for (long h = 0; h < id->nr_holders; h++)
				text_holder(out, holder++, now);
		}
	}
	text_subscribers(out, dump, CIO_HEARS_ALL, "to all: ");
	text_subscribers(out, dump, CIO_HEARS_RECLAIM, "to reclaim: ");
	text_subscribers(out, dump, CIO_HEARS_LATER, "waits for the set of its mm: ");
	for (long i = 0; i < dump->nr_allocators; i++) {
		char function[160];

		fprintf(out, "allocator %s: ids %u, ops %p\n",
			cio_symbol(dump->allocators[i].function, function, sizeof(function)),
			dump->allocators[i].uses, dump->allocators[i].ops);
	}
	if (dump->has_gaps)
		fputs("history: has gaps, there was no memory\n", out);
}

static int written(FILE *out)
{
	return fflush(out) || ferror(out) ? -1 : 0;
}

int cio_dump_text(FILE *out, const struct cio_dump *dump, cio_refusal_name *name)
{
	const struct ioasid_stats *stats = &dump->stats;

	fprintf(out, "capacity %llu, available %llu, ids %llu (%llu free pending), sets %llu\n",
		(unsigned long long)stats->capacity, (unsigned long long)stats->available,
		(unsigned long long)stats->live, (unsigned long long)stats->pending,
		(unsigned long long)stats->sets);
	for (unsigned int why = 0; why < IOASID_REFUSED_NR; why++)
		if (stats->refused[why])
			fprintf(out, "refused %llu times: %s\n",
				(unsigned long long)stats->refused[why],
				name((enum ioasid_refusal)why));
	if (dump->reserved)
		fprintf(out, "reserved: %u\n", dump->reserved);
	for (long i = 0; i < dump->nr_ranges; i++)
		fprintf(out, "set aside: %u-%u\n", dump->ranges[i].min, dump->ranges[i].max);
	text_sets(out, dump, false);
	return written(out);
}

int cio_dump_leaks(FILE *out, const struct cio_dump *dump, cio_refusal_name *name)
{
	const struct ioasid_stats *stats = &dump->stats;

	(void)name;
	if (!(stats->live | stats->sets | stats->dying | stats->subscribers) &&
	    !dump->nr_allocators)
		return 0;
	fprintf(out, "ioasid: left over: ids %llu, sets %llu, subscribers %llu, allocators %ld%s\n",
		(unsigned long long)stats->live, (unsigned long long)stats->sets + stats->dying,
		(unsigned long long)stats->subscribers, dump->nr_allocators,
		dump->has_history ? "" : " (IOASID_HISTORY=1 says who holds them)");
	text_sets(out, dump, true);
	return written(out);
}

static void dot_holder(FILE *out, const struct cio_dump_holder *holder, ioasid_t id, long n)
{
	char caller[160], tag[160];

	fprintf(out,
		"\tby%u_%ld [shape=note, label=\"%s\\n%s%s%s, %u times\"];\n\tby%u_%ld -> id%u;\n",
		id, n, cio_symbol(holder->caller, caller, sizeof(caller)), did[holder->kind],
		holder->tag ? " with tag " : "",
		holder->tag ? cio_symbol(holder->tag, tag, sizeof(tag)) : "", holder->times, id, n,
		id);
}

static void dot_id(FILE *out, const struct cio_dump_id *id, uint32_t set)
{
	fprintf(out, "\tid%u [label=\"%u\\n%s, %u refs\"%s];\n\tset%u -> id%u;\n", id->id, id->id,
		id_state(id), id->references, id->is_pending ? ", style=dashed" : "", set, id->id);
	if (id->spid != INVALID_IOASID)
		fprintf(out,
			"\tspid%u_%u [label=\"SPID %u\", shape=plaintext];\n\tspid%u_%u -> id%u [dir=both];\n",
			set, id->spid, id->spid, set, id->spid, id->id);
}

/* Who is told, with an arrow from the set whose events they are; those of all sets have none. */
static void dot_subscribers(FILE *out, const struct cio_dump *dump)
{
	char function[160];

	for (long i = 0; i < dump->nr_subscribers; i++) {
		const struct cio_dump_subscriber *one = &dump->subscribers[i];

		fprintf(out, "\tsub%ld [shape=component, label=\"%s\\npriority %d\"];\n", i,
			cio_symbol(one->function, function, sizeof(function)), one->priority);
		if (one->set < CIO_HEARS_LATER)
			fprintf(out, "\tset%u -> sub%ld [style=dotted];\n", one->set, i);
	}
}

int cio_dump_dot(FILE *out, const struct cio_dump *dump, cio_refusal_name *name)
{
	(void)name;
	const struct cio_dump_id *id = dump->ids;
	const struct cio_dump_holder *holder = dump->holders;

	fputs("digraph ioasid {\n\trankdir=LR;\n\tnode [shape=ellipse];\n", out);
	for (long i = 0; i < dump->nr_sets; i++) {
		const struct cio_dump_set *set = &dump->sets[i];

		fprintf(out, "\tset%u [shape=box, label=\"set %u %s%s(%s)\\n%ld of ", set->number,
			set->number, set->name, set->name[0] ? " " : "", set_type(set),
			set->nr_ids);
		if (set->quota)
			fprintf(out, "%u\"];\n", set->quota);
		else
			fprintf(out, "no quota\"];\n");
		for (long n = 0; n < set->nr_ids; n++, id++) {
			dot_id(out, id, set->number);
			for (long h = 0; h < id->nr_holders; h++)
				dot_holder(out, holder++, id->id, h);
		}
	}
	dot_subscribers(out, dump);
	fputs("}\n", out);
	return written(out);
}
