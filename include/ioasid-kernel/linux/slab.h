/* SPDX-License-Identifier: MIT */
/* Compat: kmalloc and its family, over malloc(): memory of one may be freed by the other. */
#ifndef IOASID_LINUX_SLAB_H
#define IOASID_LINUX_SLAB_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/gfp.h>

/* Sources that use this header count on what comes with the kernel's. */
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/string.h>
#include <linux/workqueue.h>

/* What krealloc() and memdup_user() give for no bytes: no memory, no failure, and kfree() knows it. */
#define ZERO_SIZE_PTR ((void *)16)
#define ZERO_OR_NULL_PTR(ptr) ((unsigned long)(ptr) <= (unsigned long)ZERO_SIZE_PTR)

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
	void *block = (void *)ptr;

	/* gcc looks into kref_put(), and would take what it may have freed for freed. */
	__asm__("" : "+r"(block));
	if (!ZERO_OR_NULL_PTR(block))
		free(block);
}

/* As in the kernel: size 0 frees and gives ZERO_SIZE_PTR; on failure, NULL, the old block stays. It does not know
 * the old size, so there is no __GFP_ZERO here. */
static inline void *krealloc(const void *ptr, size_t size, gfp_t flags)
{
	(void)flags;
	if (!size) {
		kfree(ptr);
		return ZERO_SIZE_PTR;
	}
	return realloc(ZERO_OR_NULL_PTR(ptr) ? NULL : (void *)ptr, size);
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

static inline char *kstrndup(const char *text, size_t most, gfp_t flags)
{
	const char *end = text && most ? (const char *)memchr(text, 0, most) : text;
	size_t length = end ? (size_t)(end - text) : most;
	char *copy = text ? (char *)kmalloc(length + 1, flags) : NULL;

	if (copy) {
		memcpy(copy, text, length);
		copy[length] = '\0';
	}
	return copy;
}

/* NULL for want of memory. */
__printf(2, 0) static inline char *kvasprintf(gfp_t flags, const char *fmt, va_list args)
{
	va_list again;
	char *text = NULL;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (length >= 0)
		text = (char *)kmalloc((size_t)length + 1, flags);
	if (text)
		vsnprintf(text, (size_t)length + 1, fmt, args);
	return text;
}

__printf(2, 3) static inline char *kasprintf(gfp_t flags, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = kvasprintf(flags, fmt, args);
	va_end(args);
	return text;
}

/* Small or large, it is all the same here. */
static inline void *kvmalloc(size_t size, gfp_t flags)
{
	return kmalloc(size, flags);
}

static inline void *kvzalloc(size_t size, gfp_t flags)
{
	return kzalloc(size, flags);
}

static inline void *kvmalloc_array(size_t n, size_t size, gfp_t flags)
{
	return kmalloc_array(n, size, flags);
}

static inline void *kvcalloc(size_t n, size_t size, gfp_t flags)
{
	return kcalloc(n, size, flags);
}

static inline void kvfree(const void *ptr)
{
	kfree(ptr);
}

#endif
