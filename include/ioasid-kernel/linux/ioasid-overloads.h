/* SPDX-License-Identifier: MIT */
/* Argument counts of other versions: ioasid_free(id) and the like. Included last by ioasid.h. */
#ifndef IOASID_LINUX_IOASID_OVERLOADS_H
#define IOASID_LINUX_IOASID_OVERLOADS_H

/*
 * Function-like macros: they expand only in a call, so that the address of a function is that of
 * the exported symbol. Mainline's one-argument forms do not check the set.
 */
#define IOASID_ARG3(one, two, three, ...) three
#define IOASID_ARG4(one, two, three, four, ...) four

#define IOASID_FREE_1(id) (ioasid_free)(IOASID_NULL, id)
#define IOASID_FREE_2(set, id) (ioasid_free)(set, id)
#define ioasid_free(...) \
	IOASID_ARG3(__VA_ARGS__, IOASID_FREE_2, IOASID_FREE_1, 0)(__VA_ARGS__)

#define IOASID_GET_1(id) (ioasid_get)(IOASID_NULL, id)
#define IOASID_GET_2(set, id) (ioasid_get)(set, id)
#define ioasid_get(...) IOASID_ARG3(__VA_ARGS__, IOASID_GET_2, IOASID_GET_1, 0)(__VA_ARGS__)

#define IOASID_PUT_1(id) (ioasid_put)(IOASID_NULL, id)
#define IOASID_PUT_2(set, id) (ioasid_put)(set, id)
#define ioasid_put(...) IOASID_ARG3(__VA_ARGS__, IOASID_PUT_2, IOASID_PUT_1, 0)(__VA_ARGS__)

/* V4 says whether it wants the reference */
#define IOASID_SPID_2(set, spid) (ioasid_find_by_spid)(set, spid)
#define IOASID_SPID_3(set, spid, get) ioasid_find_by_spid_ref(set, spid, get)
#define ioasid_find_by_spid(...) \
	IOASID_ARG4(__VA_ARGS__, IOASID_SPID_3, IOASID_SPID_2, 0, 0)(__VA_ARGS__)

#endif
