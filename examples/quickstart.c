/* SPDX-License-Identifier: MIT */
/* A first program: a guest's set of PASIDs, one of them in use, a subscriber that hears of it. */
#include <linux/ioasid.h>
#include <stdio.h>

struct device {
	const char *name;
};

static int on_event(struct notifier_block *nb, unsigned long event, void *data)
{
	static const char *const names[] = {
		[IOASID_NOTIFY_ALLOC] = "allocated",
		[IOASID_NOTIFY_FREE] = "freed",
		[IOASID_NOTIFY_BIND] = "bound",
		[IOASID_NOTIFY_UNBIND] = "unbound",
	};
	const struct ioasid_nb_args *args = data;

	(void)nb;
	if (event < sizeof(names) / sizeof(names[0]) && names[event])
		printf("  subscriber hears: PASID %u was %s\n", args->id, names[event]);
	return NOTIFY_OK;
}

int main(void)
{
	struct device disk = { "disk" };
	struct notifier_block nb = { .notifier_call = on_event, .priority = IOASID_PRIO_DEVICE };
	struct ioasid_set *guest;
	struct device *found;
	ioasid_t id;

	printf("A guest may have 8 PASIDs.\n");
	guest = ioasid_set_alloc(NULL, 8, IOASID_SET_TYPE_NULL);
	if (ioasid_is_err(guest) || ioasid_register_notifier(guest, &nb))
		return 1;

	printf("Its device gets one, and the guest calls it 42.\n");
	id = ioasid_alloc(guest, 100, 1000, &disk);
	if (id == INVALID_IOASID || ioasid_attach_spid(id, 42))
		return 1;

	found = ioasid_find(guest, id, NULL);
	if (!found || ioasid_is_err(found))
		return 1;
	printf("PASID %u belongs to the %s; guest PASID 42 is %u here.\n", id, found->name,
	       ioasid_find_by_spid_ref(guest, 42, false));

	printf("The guest goes away.\n");
	ioasid_set_put(guest);
	printf("PASID %u is %s.\n", id, ioasid_is_active(id) ? "still there" : "free again");
	return 0;
}
