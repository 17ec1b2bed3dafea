/* SPDX-License-Identifier: MIT */
/* The least that shows that a program found header and library: one id there and back. C and C++. */
#include <linux/ioasid.h>
#include <stdio.h>

int main(void)
{
	ioasid_t id = ioasid_alloc(NULL, 5, 5, NULL);

	if (id != 5)
		return 1;
	ioasid_free(NULL, id);
	printf("%d.%d.%d\n", IOASID_VERSION_MAJOR, IOASID_VERSION_MINOR, IOASID_VERSION_PATCH);
	return 0;
}
