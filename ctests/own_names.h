/* SPDX-License-Identifier: MIT */
/* Functions of a client's own, named like those of the versions that it is not written for. */
#ifndef IOASID_TESTS_OWN_NAMES_H
#define IOASID_TESTS_OWN_NAMES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* They are global, so that the dynamic linker finds them before those of the libraries. */
#define OWN(name) \
	void name(void); \
	void name(void) \
	{ \
		fail_msg("the library calls the program's own " #name "()"); \
	}

#if IOASID_API != 2 && IOASID_API != 3 && IOASID_API != 4 && IOASID_API != 505 && IOASID_API != 518
OWN(ioasid_free)
#endif
#if IOASID_API != 2 && IOASID_API != 3 && IOASID_API != 4 && IOASID_API != 511
OWN(ioasid_get)
OWN(ioasid_put)
#endif
#if IOASID_API != 2 && IOASID_API != 3 && IOASID_API != 4
OWN(ioasid_attach_data)
OWN(ioasid_attach_spid)
OWN(ioasid_find_by_spid)
OWN(ioasid_get_locked)
OWN(ioasid_install_capacity)
OWN(ioasid_put_locked)
OWN(ioasid_register_notifier)
OWN(ioasid_register_notifier_mm)
OWN(ioasid_set_for_each_ioasid)
OWN(ioasid_unregister_notifier)
OWN(ioasid_unregister_notifier_mm)
#endif
#if IOASID_API != 505 && IOASID_API != 511 && IOASID_API != 518
OWN(ioasid_set_data)
#endif
#if IOASID_API != 2 && IOASID_API != 3
OWN(ioasid_adjust_set)
OWN(ioasid_get_capacity)
OWN(ioasid_set_get)
OWN(ioasid_set_put)
#endif
#if IOASID_API != 3 && IOASID_API != 4
OWN(ioasid_detach_data)
OWN(ioasid_detach_spid)
OWN(ioasid_set_alloc)
#endif
#if IOASID_API != 2
OWN(ioasid_alloc_set)
OWN(ioasid_is_active)
OWN(ioasid_is_in_set)
OWN(ioasid_notify)
OWN(ioasid_set_get_locked)
OWN(ioasid_set_put_locked)
#endif
#if IOASID_API != 4
OWN(ioasid_cancel_capacity)
OWN(ioasid_cg_charge)
OWN(ioasid_cg_uncharge)
OWN(ioasid_find_mm_set)
OWN(ioasid_find_set)
OWN(ioasid_free_all_in_set)
OWN(ioasid_get_if_owned)
OWN(ioasid_queue_work)
OWN(ioasid_reserve_capacity)
OWN(ioasid_set_free)
#endif

/* And types and constants. */
#if IOASID_API > 4
enum {
	IOASID_ALLOC = 70,
	IOASID_FREE,
	IOASID_BIND,
	IOASID_UNBIND,
	IOASID_SET_ALLOC,
	IOASID_SET_FREE
};
enum { IOASID_NOTIFY_ALLOC = 80, IOASID_NOTIFY_FREE, IOASID_NOTIFY_BIND, IOASID_NOTIFY_UNBIND };
enum { IOASID_NOTIFY_ALL = 90, IOASID_NOTIFY_SET, IOASID_NOTIFY_FLAG_ALL, IOASID_NOTIFY_FLAG_SET };
enum ioasid_set_type { IOASID_SET_TYPE_NULL, IOASID_SET_TYPE_MM, IOASID_SET_TYPE_NR };
enum ioasid_notify_val { own_notify_val };
enum ioasid_notifier_prios {
	IOASID_PRIO_LAST,
	IOASID_PRIO_DEVICE,
	IOASID_PRIO_IOMMU,
	IOASID_PRIO_CPU
};
struct ioasid_nb_args {
	int own;
};
#elif IOASID_API == 2
enum { IOASID_NOTIFY_ALLOC = 80, IOASID_NOTIFY_FREE, IOASID_NOTIFY_BIND, IOASID_NOTIFY_UNBIND };
enum { IOASID_NOTIFY_FLAG_ALL = 90, IOASID_NOTIFY_FLAG_SET };
#else
enum {
	IOASID_ALLOC = 70,
	IOASID_FREE,
	IOASID_BIND,
	IOASID_UNBIND,
	IOASID_SET_ALLOC,
	IOASID_SET_FREE
};
enum { IOASID_NOTIFY_ALL = 90, IOASID_NOTIFY_SET };
#endif
enum { IOASID_NOTIFY_SET_ALLOC = 100, IOASID_NOTIFY_SET_FREE, IOASID_NOTIFY_RECLAIM };
#if IOASID_API != 518
static int pasid_valid __attribute__((__unused__));
#endif
static int ioasid_is_err __attribute__((__unused__)), ioasid_err __attribute__((__unused__));
#if IOASID_API < 5
static int DECLARE_IOASID_SET __attribute__((__unused__));
#endif
struct ioasid_reclaim_args {
	int own;
};

#undef OWN

#endif
