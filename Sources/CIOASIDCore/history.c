// SPDX-License-Identifier: MIT
// The history of references: who took and who put those of each id that lives, and where.
#define _GNU_SOURCE
#include <execinfo.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core.h"
#include "module.h"

#define COLD __attribute__((cold, noinline))

/* All guarded by the core lock. */
struct place {
	struct place *next;
	struct cio_dump_holder seen;
};

struct story {
	struct story *next; /* in its bucket */
	struct place *places;
	ioasid_t id;
	uint32_t life;
	const void *freed_by; /* whose put is the owner's, still to come */
	bool is_whole; /* since its allocation, and nothing was lost for want of memory */
};

#define BUCKETS 1024
static struct story **buckets;
static long nr_places;
static bool has_gaps;
static const void *next_tag;
static uintptr_t code_start, code_end;

/* ---- who called the library ---- */

COLD static int find_code(struct dl_phdr_info *module, size_t size, void *data)
{
	uintptr_t own = (uintptr_t)find_code;

	(void)size;
	(void)data;
	for (int i = 0; i < module->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
		uintptr_t start = module->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD || own < start || own - start >= segment->p_memsz)
			continue;
		code_start = start;
		code_end = start + segment->p_memsz;
		return 1;
	}
	return 0;
}

/* The first return address outside the library; it has unwind tables throughout. */
COLD static const void *find_caller(void)
{
	void *frames[32];
	int count = backtrace(frames, 32);

	for (int i = 1; i < count; i++)
		if ((uintptr_t)frames[i] < code_start || (uintptr_t)frames[i] >= code_end)
			return frames[i];
	return NULL;
}

/* ---- stories ---- */

static struct story **bucket(ioasid_t id)
{
	return &buckets[id * 0x9e3779b1u >> 22];
}

COLD static struct story *find(ioasid_t id, uint32_t life)
{
	struct story *story = buckets ? *bucket(id) : NULL;

	while (story && (story->id != id || story->life != life))
		story = story->next;
	return story;
}

COLD static struct story *make(ioasid_t id, uint32_t life, bool is_whole)
{
	struct story *story = cio_history_allocate(sizeof(*story));

	if (!story) {
		has_gaps = true;
		return NULL;
	}
	*story =
		(struct story){ .next = *bucket(id), .id = id, .life = life, .is_whole = is_whole };
	*bucket(id) = story;
	return story;
}

COLD static void forget(struct story **at)
{
	struct story *story = *at;
	struct place *place;

	*at = story->next;
	while ((place = story->places)) {
		story->places = place->next;
		cio_history_release(place);
		nr_places--;
	}
	cio_history_release(story);
}

COLD static void note(struct story *story, enum cio_holder_kind kind, const void *caller,
		      const void *tag)
{
	struct place **at = &story->places, *place;

	while ((place = *at) &&
	       (place->seen.kind != kind || place->seen.caller != caller || place->seen.tag != tag))
		at = &place->next;
	if (!place) {
		place = cio_history_allocate(sizeof(*place));
		if (!place) {
			has_gaps = true;
			story->is_whole = false;
			return;
		}
		*place = (struct place){ .seen = { .kind = kind, .caller = caller, .tag = tag } };
		*at = place;
		nr_places++;
	}
	place->seen.times++;
	place->seen.thread = (int)syscall(SYS_gettid);
	place->seen.time_ns = cio_now_ns();
}

/* Takes one reference with this tag off the story. */
COLD static bool settle(struct story *story, const void *tag)
{
	for (struct place **at = &story->places; *at; at = &(*at)->next) {
		struct place *place = *at;

		if (place->seen.kind != CIO_HOLDER_TAG || place->seen.tag != tag)
			continue;
		if (!--place->seen.times) {
			*at = place->next;
			cio_history_release(place);
			nr_places--;
		}
		return true;
	}
	return false;
}

/* ---- what happens ---- */

/*
 * Without the core lock: the C library loads the unwinder with the first backtrace(). Another thread may be in
 * dlopen(), which has the loader's lock while it runs constructors, which may wait for ours.
 */
COLD void cio_history_prepare(void)
{
	void *frame;

	backtrace(&frame, 1);
}

COLD bool cio_history_start(void)
{
	static char here;

	if (!code_start)
		cio_visit_module(&here, find_code, NULL);
	buckets = cio_history_allocate(BUCKETS * sizeof(*buckets));
	if (!buckets)
		return false;
	has_gaps = false;
	cio_watch(CIO_WATCH_HISTORY, true);
	return true;
}

COLD void cio_history_stop(void)
{
	if (!buckets)
		return;
	cio_watch(CIO_WATCH_HISTORY, false);
	for (int i = 0; i < BUCKETS; i++)
		while (buckets[i])
			forget(&buckets[i]);
	cio_history_release(buckets);
	buckets = NULL;
	next_tag = NULL;
}

COLD bool cio_history_is_asked(void)
{
	const char *wanted = secure_getenv("IOASID_HISTORY");

	if (!wanted || !wanted[0] || !strcmp(wanted, "0"))
		return false;
	if (!strcmp(wanted, "1"))
		return true;
	cio_refuse_variable("IOASID_HISTORY", wanted, "0 or 1");
	return false;
}

COLD bool cio_history_is_on(void)
{
	return __atomic_load_n(&cio_tracing, __ATOMIC_RELAXED) & CIO_WATCH_HISTORY;
}

COLD void cio_history_alloc(ioasid_t id, uint32_t life)
{
	struct story *story = buckets ? make(id, life, true) : NULL;

	if (story)
		note(story, CIO_HOLDER_ALLOC, find_caller(), NULL);
}

COLD void cio_history_free(ioasid_t id, uint32_t life)
{
	struct story *story = find(id, life);

	if (!story)
		return;
	story->freed_by = find_caller();
	note(story, CIO_HOLDER_FREE, story->freed_by, NULL);
}

COLD void cio_history_reference(bool is_get, ioasid_t id, uint32_t life)
{
	const void *tag, *caller = find_caller();
	struct story *story;

	cio_core_lock();
	tag = next_tag;
	next_tag = NULL;
	story = find(id, life);
	/* One that was there before has a story from now on. */
	if (!story && buckets)
		story = make(id, life, false);
	if (story && is_get)
		note(story, tag ? CIO_HOLDER_TAG : CIO_HOLDER_GET, caller, tag);
	else if (story && !tag && caller && story->freed_by == caller)
		story->freed_by = NULL;
	else if (story && !(tag && settle(story, tag)))
		note(story, CIO_HOLDER_PUT, caller, tag);
	cio_core_unlock();
}

COLD void cio_history_reclaim(ioasid_t id, uint32_t life)
{
	struct story **at = buckets ? bucket(id) : NULL;

	while (at && *at && ((*at)->id != id || (*at)->life != life))
		at = &(*at)->next;
	if (at && *at)
		forget(at);
}

COLD void cio_history_tag(const void *tag)
{
	next_tag = tag;
}

COLD bool cio_history_has_tag(ioasid_t id, uint32_t life, const void *tag)
{
	const struct story *story = find(id, life);
	const struct place *place = story ? story->places : NULL;

	if (!story || !story->is_whole)
		return true;
	while (place && (place->seen.kind != CIO_HOLDER_TAG || place->seen.tag != tag))
		place = place->next;
	return place;
}

COLD bool cio_history_is_whole(ioasid_t id, uint32_t life)
{
	const struct story *story = find(id, life);

	return story && story->is_whole;
}

COLD const void *cio_history_caller(void)
{
	return cio_history_is_on() ? find_caller() : NULL;
}

COLD const void *cio_history_next_tag(void)
{
	return next_tag;
}

/* ---- what is shown ---- */

COLD long cio_history_count(void)
{
	return nr_places;
}

COLD bool cio_history_has_gaps(void)
{
	return has_gaps;
}

COLD long cio_history_copy(ioasid_t id, uint32_t life, struct cio_dump_holder *to)
{
	const struct story *story = find(id, life);
	long count = 0;

	for (const struct place *place = story ? story->places : NULL; place; place = place->next)
		to[count++] = place->seen;
	return count;
}
