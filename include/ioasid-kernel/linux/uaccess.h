/* SPDX-License-Identifier: MIT */
/* Compat: memory of the user, which is our own: plain copies that refuse NULL. */
#ifndef IOASID_LINUX_UACCESS_H
#define IOASID_LINUX_UACCESS_H

#include <string.h>

#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/slab.h>

/* NULL, and a range that wraps, are no memory. Other pointers are taken at their word. */
static inline bool access_ok(const void __user *addr, unsigned long size)
{
	return addr && (unsigned long)addr + size >= (unsigned long)addr;
}

/* How much was not copied: 0, or all of it; @to has zeros then. */
static inline unsigned long __must_check copy_from_user(void *to, const void __user *from,
							unsigned long n)
{
	if (!n || !access_ok(to, n))
		return n;
	if (!access_ok(from, n)) {
		memset(to, 0, n);
		return n;
	}
	memcpy(to, from, n);
	return 0;
}

/* How much was not copied: 0, or all of it. */
static inline unsigned long __must_check copy_to_user(void __user *to, const void *from,
						      unsigned long n)
{
	if (!n || !access_ok(to, n) || !access_ok(from, n))
		return n;
	memcpy(to, from, n);
	return 0;
}

static inline unsigned long __must_check clear_user(void __user *to, unsigned long n)
{
	if (n && !access_ok(to, n))
		return n;
	if (n)
		memset(to, 0, n);
	return 0;
}

/* @ksize bytes of a structure that the user knows with @usize: the rest is zero, or must be. */
static inline int __must_check copy_struct_from_user(void *dst, size_t ksize,
						     const void __user *src, size_t usize)
{
	size_t both = ksize < usize ? ksize : usize, i;

	if (!dst || (usize && !access_ok(src, usize)))
		return -EFAULT;
	for (i = ksize; i < usize; i++) {
		if (((const char *)src)[i])
			return -E2BIG;
	}
	memset(dst, 0, ksize);
	if (both)
		memcpy(dst, src, both);
	return 0;
}

/* -EFAULT, and a value of 0, for NULL. */
#define get_user(x, ptr) \
	__extension__({ \
		const __typeof__(*(ptr)) *ioasid_from = (ptr); \
		(x) = ioasid_from ? *ioasid_from : (__typeof__(*(ptr)))0; \
		ioasid_from ? 0 : -EFAULT; \
	})
#define put_user(x, ptr) \
	__extension__({ \
		__typeof__(*(ptr)) *ioasid_to = (ptr); \
		if (ioasid_to) \
			*ioasid_to = (x); \
		ioasid_to ? 0 : -EFAULT; \
	})

/* A copy to kfree(), ZERO_SIZE_PTR of no bytes, or ERR_PTR(-EFAULT), ERR_PTR(-ENOMEM). */
static inline void *memdup_user(const void __user *src, size_t n)
{
	void *copy;

	if (!n)
		return ZERO_SIZE_PTR;
	if (!access_ok(src, n))
		return ERR_PTR(-EFAULT);
	copy = kmalloc(n, GFP_KERNEL);
	if (!copy)
		return ERR_PTR(-ENOMEM);
	return memcpy(copy, src, n);
}

#endif
