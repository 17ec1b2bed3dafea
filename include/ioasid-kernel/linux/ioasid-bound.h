/* SPDX-License-Identifier: MIT */
/* For libioasid-kernel and libioasid-vtd themselves: they call the ids by names that no program has. */
#ifndef IOASID_LINUX_IOASID_BOUND_H
#define IOASID_LINUX_IOASID_BOUND_H

/*
 * A program that is written for one version may have functions that are named like those of another,
 * and the dynamic linker finds the program's first. <linux/ioasid-api.h> binds its names in the same way.
 */
#pragma redefine_extname ioasid_adjust_set ioasid_api_adjust_set
#pragma redefine_extname ioasid_alloc ioasid_api_alloc
#pragma redefine_extname ioasid_attach_data ioasid_api_attach_data
#pragma redefine_extname ioasid_attach_spid ioasid_api_attach_spid
#pragma redefine_extname ioasid_cancel_capacity ioasid_api_cancel_capacity
#pragma redefine_extname ioasid_detach_data ioasid_api_detach_data
#pragma redefine_extname ioasid_detach_spid ioasid_api_detach_spid
#pragma redefine_extname ioasid_find ioasid_api_find
#pragma redefine_extname ioasid_find_by_spid ioasid_api_find_by_spid
#pragma redefine_extname ioasid_find_mm_set ioasid_api_find_mm_set
#pragma redefine_extname ioasid_find_set ioasid_api_find_set
#pragma redefine_extname ioasid_free ioasid_api_free
#pragma redefine_extname ioasid_free_all_in_set ioasid_api_free_all_in_set
#pragma redefine_extname ioasid_get ioasid_api_get
#pragma redefine_extname ioasid_get_capacity ioasid_api_get_capacity
#pragma redefine_extname ioasid_get_if_owned ioasid_api_get_if_owned
#pragma redefine_extname ioasid_get_locked ioasid_api_get_locked
#pragma redefine_extname ioasid_install_capacity ioasid_api_install_capacity
#pragma redefine_extname ioasid_is_active ioasid_api_is_active
#pragma redefine_extname ioasid_is_in_set ioasid_api_is_in_set
#pragma redefine_extname ioasid_notify ioasid_api_notify
#pragma redefine_extname ioasid_put ioasid_api_put
#pragma redefine_extname ioasid_put_locked ioasid_api_put_locked
#pragma redefine_extname ioasid_register_allocator ioasid_api_register_allocator
#pragma redefine_extname ioasid_register_notifier ioasid_api_register_notifier
#pragma redefine_extname ioasid_register_notifier_mm ioasid_api_register_notifier_mm
#pragma redefine_extname ioasid_reserve_capacity ioasid_api_reserve_capacity
#pragma redefine_extname ioasid_set_alloc ioasid_api_set_alloc
#pragma redefine_extname ioasid_set_for_each_ioasid ioasid_api_set_for_each_ioasid
#pragma redefine_extname ioasid_set_free ioasid_api_set_free
#pragma redefine_extname ioasid_set_get ioasid_api_set_get
#pragma redefine_extname ioasid_set_get_locked ioasid_api_set_get_locked
#pragma redefine_extname ioasid_set_put ioasid_api_set_put
#pragma redefine_extname ioasid_set_put_locked ioasid_api_set_put_locked
#pragma redefine_extname ioasid_unregister_allocator ioasid_api_unregister_allocator
#pragma redefine_extname ioasid_unregister_notifier ioasid_api_unregister_notifier
#pragma redefine_extname ioasid_unregister_notifier_mm ioasid_api_unregister_notifier_mm

/* What libioasid-kernel itself is the maker of. */
#ifndef IOASID_KERNEL_LIBRARY
#pragma redefine_extname ioasid_queue_work ioasid_api_queue_work
#endif

#endif
