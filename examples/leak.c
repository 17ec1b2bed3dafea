/* SPDX-License-Identifier: MIT */
/* A leak to be found: three users hold a guest's PASID, and one of them forgets to let it go. */
#include <linux/ioasid.h>
#include <stdio.h>

#define USER(name) \
	void name##_attach(struct ioasid_set *set, ioasid_t id); \
	void name##_detach(struct ioasid_set *set, ioasid_t id); \
	void name##_attach(struct ioasid_set *set, ioasid_t id) \
	{ \
		if (ioasid_get(set, id)) \
			puts(#name " cannot have it"); \
	} \
	void name##_detach(struct ioasid_set *set, ioasid_t id) \
	{ \
		ioasid_put(set, id); \
	}

USER(vfio)
USER(kvm)
USER(vdpa)

/* What a guest's DMA is translated by may go when the number is back, not before. */
static int reclaimed(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct ioasid_reclaim_args *args = data;

	(void)nb;
	(void)event;
	printf("PASID %u is free: its page table may go\n", args->id);
	return NOTIFY_OK;
}

int main(int argc, char **argv)
{
	struct notifier_block nb = { .notifier_call = reclaimed };
	struct ioasid_set *guest = ioasid_set_alloc(NULL, 1, IOASID_SET_TYPE_NULL);
	struct ioasid_refused why;
	char line[256];
	ioasid_t id;

	(void)argv;
	ioasid_set_name(guest, "vm3");
	ioasid_register_reclaim(&nb);
	id = ioasid_alloc(guest, 100, 200, NULL);
	vfio_attach(guest, id);
	kvm_attach(guest, id);
	vdpa_attach(guest, id);

	/* Why is there no second one? */
	if (ioasid_alloc(guest, 100, 200, NULL) == INVALID_IOASID && ioasid_last_refusal(&why)) {
		ioasid_strrefusal(&why, line, sizeof(line));
		puts(line);
	}

	vfio_detach(guest, id);
	if (argc > 1) /* "fixed" */
		kvm_detach(guest, id);
	vdpa_detach(guest, id);
	if (ioasid_free_wait(guest, id, 10))
		puts("somebody still holds the PASID");
	ioasid_unregister_reclaim(&nb);
	ioasid_set_put(guest);
	return 0;
}
