/* SPDX-License-Identifier: MIT */
/* Records of threads and words of the read side under public names: <linux/rcupdate.h> reads them in line. */
#include <runtime.h>

#include <linux/ioasid-hooks.h>
#include <linux/ioasid-rcu.h>

_Static_assert(offsetof(struct cio_thread, id) == offsetof(struct ioasid_rcu_reader, id), "");
_Static_assert(offsetof(struct cio_thread, life) == offsetof(struct ioasid_rcu_reader, life), "");
_Static_assert(offsetof(struct cio_thread, pointer) == offsetof(struct ioasid_rcu_reader, pointer),
	       "");
_Static_assert(offsetof(struct cio_thread, section) == offsetof(struct ioasid_rcu_reader, section),
	       "");
_Static_assert(CIO_THREAD_DIRECTORY == IOASID_RCU_READERS, "");
_Static_assert(CIO_READ_DEPTH == IOASID_RCU_DEPTH, "");
_Static_assert(offsetof(struct cio_read, directory) == offsetof(struct ioasid_rcu_words, readers),
	       "");
_Static_assert(offsetof(struct cio_read, phase) == offsetof(struct ioasid_rcu_words, phase), "");
_Static_assert(offsetof(struct cio_read, fences) == offsetof(struct ioasid_rcu_words, fences), "");
_Static_assert(sizeof(unsigned long) == sizeof(uint64_t), "");
#ifdef __x86_64__
_Static_assert(CIO_TID_OFFSET == 0x2d0, "as in <linux/rcupdate.h>");
#endif
_Static_assert(CIO_THREADS == IOASID_THREADS, "");

const struct ioasid_rcu_words *ioasid_rcu_view(void)
{
	return (const struct ioasid_rcu_words *)&cio_read;
}

unsigned int ioasid_thread(unsigned int *life)
{
	const struct cio_thread *thread = cio_thread_self();

	if (life)
		*life = thread ? cio_thread_life(thread) : UINT32_MAX;
	return thread ? cio_thread_index(thread) : 0;
}
