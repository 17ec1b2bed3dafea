/* SPDX-License-Identifier: MIT */
/* A user of the kernel's own dec_and_lock.c: the last reference comes with the lock held. */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include <linux/atomic.h>
#include <linux/spinlock.h>

int _atomic_dec_and_lock(atomic_t *atomic, spinlock_t *lock);
int _atomic_dec_and_lock_irqsave(atomic_t *atomic, spinlock_t *lock, unsigned long *flags);

int main(void)
{
	atomic_t references = ATOMIC_INIT(2);
	unsigned long flags = 0;
	DEFINE_SPINLOCK(lock);

	assert(!_atomic_dec_and_lock(&references, &lock));
	assert(!spin_is_locked(&lock));
	assert(_atomic_dec_and_lock(&references, &lock));
	assert(spin_is_locked(&lock));
	assert(atomic_read(&references) == 0);
	spin_unlock(&lock);

	atomic_set(&references, 1);
	assert(_atomic_dec_and_lock_irqsave(&references, &lock, &flags));
	spin_unlock_irqrestore(&lock, flags);
	assert(!spin_is_locked(&lock));
	puts("the last reference comes with the lock");
	return 0;
}
