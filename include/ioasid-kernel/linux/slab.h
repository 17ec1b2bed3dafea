/* SPDX-License-Identifier: MIT */
/* Compat: kmalloc and its family, over malloc(): memory of one may be freed by the other. */
#ifndef IOASID_LINUX_SLAB_H
#define IOASID_LINUX_SLAB_H

#include <stdlib.h>
#include <string.h>

#include <linux/export.h> /* sources that use this header count on it */
#include <linux/gfp.h>

static inline void *kmalloc(size_t size, gfp_t flags)
{
	return flags & __GFP_ZERO ? calloc(1, size) : malloc(size);
}

static inline void *kzalloc(size_t size, gfp_t flags)
{
	return kmalloc(size, flags | __GFP_ZERO);
}

static inline void *kmalloc_array(size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return kmalloc(bytes, flags);
}

static inline void *kcalloc(size_t n, size_t size, gfp_t flags)
{
	return kmalloc_array(n, size, flags | __GFP_ZERO);
}

static inline void kfree(const void *ptr)
{
	free((void *)ptr);
}

/* As in the kernel: size 0 frees; on failure the old block stays. It does not know the old size,
 * so there is no __GFP_ZERO here. */
static inline void *krealloc(const void *ptr, size_t size, gfp_t flags)
{
	(void)flags;
	if (!size) {
		kfree(ptr);
		return NULL;
	}
	return realloc((void *)ptr, size);
}

static inline void *kmemdup(const void *src, size_t size, gfp_t flags)
{
	void *copy = kmalloc(size, flags & ~__GFP_ZERO);

	return copy ? memcpy(copy, src, size) : NULL;
}

static inline char *kstrdup(const char *text, gfp_t flags)
{
	return text ? (char *)kmemdup(text, strlen(text) + 1, flags) : NULL;
}

#endif
