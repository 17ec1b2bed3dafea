/* SPDX-License-Identifier: MIT */
/* A program around a kernel module: the module's init function runs before this, its exit after. */

int main(void)
{
	return 0;
}
