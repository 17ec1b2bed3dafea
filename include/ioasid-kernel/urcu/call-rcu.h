/* SPDX-License-Identifier: MIT */
/* Compat: stands before liburcu's header of this name, so that it may come after ours. */

/*
 * Both declare a struct rcu_head, of two words. Where liburcu's comes first, ours does without. Where
 * ours came first, liburcu's gets another name; and that one holds from here on if liburcu takes over
 * the names of its functions as well, as <urcu.h> does. To use one structure with both: liburcu first.
 */
#if defined(IOASID_RCU_HEAD) && !defined(IOASID_URCU_CALL_RCU_H)
#define IOASID_URCU_CALL_RCU_H
#define rcu_head ioasid_urcu_rcu_head
/* Without a flavour it declares functions that are in no library. */
#ifndef call_rcu
#define IOASID_URCU_NO_FLAVOR
#define call_rcu ioasid_urcu_call_rcu
#define rcu_barrier ioasid_urcu_rcu_barrier
#endif
#endif

#pragma GCC system_header /* #include_next is an extension */
#include_next <urcu/call-rcu.h>

#ifdef IOASID_URCU_NO_FLAVOR
#undef IOASID_URCU_NO_FLAVOR
#undef call_rcu
#undef rcu_barrier
#endif
#ifndef URCU_API_MAP
#undef rcu_head
#endif
