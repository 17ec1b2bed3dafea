/* SPDX-License-Identifier: MIT */
/* Compat: what is configured. A name that is defined as 1 is; one that is not defined is not. */
#ifndef IOASID_LINUX_KCONFIG_H
#define IOASID_LINUX_KCONFIG_H

/* The service is always there. */
#ifndef CONFIG_IOASID
#define CONFIG_IOASID 1
#endif

/*
 * For #if and for expressions. IOASID_IS_1 is two arguments, so that what follows is the second one
 * of the call; any other name is one, and the second is the 0 behind it.
 */
#define IOASID_IS_1 0, 1
#define IOASID_SECOND(first, second, ...) second
#define IOASID_PICK(...) IOASID_SECOND(__VA_ARGS__, 0, 0)
#define IOASID_JOINED(value) IOASID_PICK(IOASID_IS_##value)
#define IOASID_EXPANDED(value) IOASID_JOINED(value)

#define IS_BUILTIN(option) IOASID_EXPANDED(option)
#define IS_MODULE(option) IOASID_EXPANDED(option##_MODULE)
#define IS_ENABLED(option) (IS_BUILTIN(option) || IS_MODULE(option))
#define IS_REACHABLE(option) IS_ENABLED(option)

#endif
