/* SPDX-License-Identifier: MIT */
/* Internal: static probe points, a nop each until a tracer attaches. */
#ifndef CIOASID_PROBES_H
#define CIOASID_PROBES_H

#include <cioasid.h>

#ifdef IOASID_PROBES
/* In registers, or clang stores each argument on the stack, tracer or not. */
#define STAP_SDT_ARG_CONSTRAINT nr
#include <sys/sdt.h>
#else
#define DTRACE_PROBE1(provider, name, a) ((void)(a))
#define DTRACE_PROBE2(provider, name, a, b) ((void)(a), (void)(b))
#define DTRACE_PROBE3(provider, name, a, b, c) ((void)(a), (void)(b), (void)(c))
#endif

static inline void cio_probe_alloc(ioasid_t id, uint32_t set)
{
	DTRACE_PROBE2(ioasid, alloc, id, set);
}

static inline void cio_probe_free(ioasid_t id, uint32_t set)
{
	DTRACE_PROBE2(ioasid, free, id, set);
}

static inline void cio_probe_reclaim(ioasid_t id, uint32_t set)
{
	DTRACE_PROBE2(ioasid, reclaim, id, set);
}

static inline void cio_probe_get(ioasid_t id, uint32_t references)
{
	DTRACE_PROBE2(ioasid, get, id, references);
}

static inline void cio_probe_put(ioasid_t id, uint32_t references)
{
	DTRACE_PROBE2(ioasid, put, id, references);
}

static inline void cio_probe_bind(ioasid_t id, ioasid_t spid, uint32_t set)
{
	DTRACE_PROBE3(ioasid, bind, id, spid, set);
}

static inline void cio_probe_unbind(ioasid_t id, ioasid_t spid, uint32_t set)
{
	DTRACE_PROBE3(ioasid, unbind, id, spid, set);
}

static inline void cio_probe_refuse(ioasid_t id, enum ioasid_refusal why)
{
	DTRACE_PROBE2(ioasid, refuse, id, why);
}

#endif /* CIOASID_PROBES_H */
