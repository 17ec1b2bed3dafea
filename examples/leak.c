/* SPDX-License-Identifier: MIT */
/* A leak to be found: three users hold a guest's PASID, and one of them forgets to let it go. docs/debugging.md */
#include <linux/ioasid.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct notifier_block *forgetful;

/* Takes a reference when it attaches, and puts it when it is told that the PASID is going. Its own block is the tag. */
#define USER(name, priority_) \
	void name##_attach(struct ioasid_set *set, ioasid_t id); \
	int name##_told(struct notifier_block *nb, unsigned long event, void *data); \
	struct notifier_block name = { .notifier_call = name##_told, .priority = (priority_) }; \
\
	void name##_attach(struct ioasid_set *set, ioasid_t id) \
	{ \
		if (ioasid_get_tagged(set, id, &name)) \
			puts(#name " cannot have it"); \
	} \
\
	int name##_told(struct notifier_block *nb, unsigned long event, void *data) \
	{ \
		const struct ioasid_nb_args *args = data; \
\
		if (event == IOASID_NOTIFY_FREE && nb != forgetful) \
			ioasid_put_tagged(args->set, args->id, &name); \
		return NOTIFY_OK; \
	}

USER(kvm, IOASID_PRIO_CPU)
USER(vfio, IOASID_PRIO_IOMMU)
USER(vdpa, IOASID_PRIO_DEVICE)

/* What a guest's DMA is translated by may go when the number is back, not before. */
int page_table_told(struct notifier_block *nb, unsigned long event, void *data);
int page_table_told(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_reclaim_args *args = data;

	(void)nb;
	(void)event;
	printf("PASID %u is free: its page table may go\n", args->id);
	return NOTIFY_OK;
}
struct notifier_block page_table = { .notifier_call = page_table_told };

static void use(ioasid_t id, FILE *dump)
{
	(void)id;
	usleep(2000);
	if (dump)
		ioasid_dump(dump);
}

/* leak [fixed] [dump] [TRACE-FILE] */
int main(int argc, char **argv)
{
	struct ioasid_set *guest;
	struct ioasid_refused why;
	FILE *trace = NULL, *dump = NULL;
	char line[256];
	ioasid_t id;

	forgetful = &kvm;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "fixed"))
			forgetful = NULL;
		else if (!strcmp(argv[i], "dump"))
			dump = stdout;
		else
			trace = fopen(argv[i], "w");
	}
	if (trace)
		ioasid_trace_start(trace);

	guest = ioasid_set_alloc(NULL, 1, IOASID_SET_TYPE_NULL);
	ioasid_set_name(guest, "vm3");
	ioasid_register_notifier(guest, &vdpa);
	ioasid_register_notifier(guest, &vfio);
	ioasid_register_notifier(guest, &kvm);
	ioasid_register_reclaim(&page_table);
	id = ioasid_alloc(guest, 100, 200, NULL);
	vfio_attach(guest, id);
	kvm_attach(guest, id);
	vdpa_attach(guest, id);
	ioasid_attach_spid(id, 42);
	use(id, dump);

	/* Why is there no second one? */
	if (ioasid_alloc(guest, 100, 200, NULL) == INVALID_IOASID && ioasid_last_refusal(&why)) {
		ioasid_strrefusal(&why, line, sizeof(line));
		puts(line);
	}

	if (ioasid_free_wait(guest, id, 10))
		puts("somebody still holds the PASID");
	ioasid_unregister_reclaim(&page_table);
	ioasid_set_put(guest);
	if (trace) {
		ioasid_trace_stop();
		fclose(trace);
	}
	return 0;
}
