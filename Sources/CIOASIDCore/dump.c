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
	fprintf(out, "set %u (%s, %s): ids %ld, ", set->number, set_type(set),
		set_state(set->state), set->nr_ids);
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
	fputc('\n', out);
}

static int written(FILE *out)
{
	return fflush(out) || ferror(out) ? -1 : 0;
}

int cio_dump_text(FILE *out, const struct cio_dump *dump, cio_refusal_name *name)
{
	const struct ioasid_stats *stats = &dump->stats;
	const struct cio_dump_id *id = dump->ids;

	fprintf(out, "capacity %llu, available %llu, ids %llu (%llu free pending), sets %llu\n",
		(unsigned long long)stats->capacity, (unsigned long long)stats->available,
		(unsigned long long)stats->live, (unsigned long long)stats->pending,
		(unsigned long long)stats->sets);
	for (unsigned int why = 0; why < IOASID_REFUSED_NR; why++)
		if (stats->refused[why])
			fprintf(out, "refused %llu times: %s\n",
				(unsigned long long)stats->refused[why],
				name((enum ioasid_refusal)why));
	for (long i = 0; i < dump->nr_sets; i++) {
		text_set(out, &dump->sets[i]);
		for (long n = 0; n < dump->sets[i].nr_ids; n++)
			text_id(out, id++);
	}
	return written(out);
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

int cio_dump_dot(FILE *out, const struct cio_dump *dump, cio_refusal_name *name)
{
	(void)name;
	const struct cio_dump_id *id = dump->ids;

	fputs("digraph ioasid {\n\trankdir=LR;\n\tnode [shape=ellipse];\n", out);
	for (long i = 0; i < dump->nr_sets; i++) {
		const struct cio_dump_set *set = &dump->sets[i];

		fprintf(out, "\tset%u [shape=box, label=\"set %u (%s)\\n%ld of ", set->number,
			set->number, set_type(set), set->nr_ids);
		if (set->quota)
			fprintf(out, "%u\"];\n", set->quota);
		else
			fprintf(out, "no quota\"];\n");
		for (long n = 0; n < set->nr_ids; n++)
			dot_id(out, id++, set->number);
	}
	fputs("}\n", out);
	return written(out);
}
