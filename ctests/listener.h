/* SPDX-License-Identifier: MIT */
/* Subscribers that write down what they hear, all into one journal, and may act on it. */
#ifndef IOASID_CTESTS_LISTENER_H
#define IOASID_CTESTS_LISTENER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

/*
 * Handlers are serialised by the library, so the journal needs no lock. An entry is "name EVENT id",
 * without id for the events of sets; entries are separated by ", ".
 */
static char journal[4096];

struct listener {
	struct notifier_block nb;
	const char *name;
	int result;
	/* What it does when it hears something; NULL for nothing. */
	void (*act)(struct listener *self, enum ioasid_notify_val event,
		    const struct ioasid_nb_args *args);
	/* Whatever the action needs. */
	void *data;
	unsigned int count;
};

static inline const char *event_name(enum ioasid_notify_val event)
{
	static const char *const names[] = {
		"?", "ALLOC", "FREE", "BIND", "UNBIND", "SET_ALLOC", "SET_FREE",
	};

	return (unsigned int)event < sizeof(names) / sizeof(names[0]) ? names[event] : names[0];
}

static inline int hear(struct notifier_block *nb, unsigned long event, void *data)
{
	struct listener *self = (struct listener *)nb;
	const struct ioasid_nb_args *args = data;
	size_t used = strlen(journal);
	char id[16] = "";

	if (pasid_valid(args->id))
		snprintf(id, sizeof(id), " %u", args->id);
	if (self->name)
		snprintf(journal + used, sizeof(journal) - used, "%s%s %s%s", used ? ", " : "",
			 self->name, event_name((enum ioasid_notify_val)event), id);
	self->count++;
	if (self->act)
		self->act(self, (enum ioasid_notify_val)event, args);
	return self->result;
}

#define LISTENER(name_, priority_, ...) \
	{ .nb = { .notifier_call = hear, .priority = (priority_) }, .name = (name_), ##__VA_ARGS__ }

/* Exactly this has been heard since the last time. */
#define assert_heard(text) \
	do { \
		assert_string_equal(journal, text); \
		journal[0] = '\0'; \
	} while (0)

static inline void listen(struct ioasid_set *set, struct listener *listener)
{
	assert_int_equal(ioasid_register_notifier(set, &listener->nb), 0);
}

static inline void leave(struct ioasid_set *set, struct listener *listener)
{
	ioasid_unregister_notifier(set, &listener->nb);
}

/* The references of an id as ioasid_dump() shows them; 0 if there is no such id. */
static inline unsigned int references(ioasid_t id)
{
	unsigned int shown, count, found = 0;
	char *text = NULL, *line, *rest;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(ioasid_dump(out), 0);
	fclose(out);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (sscanf(line, "  id %u: %*[^,], references %u", &shown, &count) == 2 &&
		    shown == id)
			found = count;
	free(text);
	return found;
}

#endif
