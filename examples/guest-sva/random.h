/* SPDX-License-Identifier: MIT */
/* The random run: guests do what they like, and the hardware must agree with the contract. */
#ifndef GUEST_SVA_RANDOM_H
#define GUEST_SVA_RANDOM_H

int random_run(int seconds, unsigned long seed);

#endif
