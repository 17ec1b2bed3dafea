/* SPDX-License-Identifier: MIT */
/* Compat: parameters of modules, set by the environment before module_init(), or by a call. */
#ifndef IOASID_LINUX_MODULEPARAM_H
#define IOASID_LINUX_MODULEPARAM_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/kernel.h>

/* Readable with modinfo or readelf -p .modinfo, as in a kernel module; one of a kind a line. */
#define MODULE_INFO(tag, text) ioasid_modinfo(tag, text, __LINE__)
#define ioasid_modinfo(tag, text, line) ioasid_modinfo_line(tag, text, line)
#define ioasid_modinfo_line(tag, text, line) \
	static const char ioasid_modinfo_##tag##line[] \
		__attribute__((__used__, __section__(".modinfo"))) = #tag "=" text

#define MODULE_PARM_DESC(param, text) MODULE_INFO(parm, #param ":" text)

/*
 * enum ioasid_param_type - what a parameter is, named as module_param() has it
 *
 * Numbers are what kstrtoll() and kstrtoull() take with base 0. A boolean may come without a value.
 * Text is copied; the pointer is good until the parameter is set again.
 */
enum ioasid_param_type {
	IOASID_PARAM_byte,
	IOASID_PARAM_short,
	IOASID_PARAM_ushort,
	IOASID_PARAM_int,
	IOASID_PARAM_uint,
	IOASID_PARAM_long,
	IOASID_PARAM_ulong,
	IOASID_PARAM_ullong,
	IOASID_PARAM_hexint,
	IOASID_PARAM_bool,
	IOASID_PARAM__Bool = IOASID_PARAM_bool, /* <stdbool.h> makes it that */
	IOASID_PARAM_invbool,
	IOASID_PARAM_charp,
};

/**
 * struct ioasid_param - a parameter
 * @name: what it is called
 * @type: what it is
 * @size: bytes of the variable: a type that does not fit is refused
 * @value: the variable
 * @text: a copy that it points to (library's own)
 * @next: all are in one list (library's own)
 */
struct ioasid_param {
	const char *name;
	enum ioasid_param_type type;
	size_t size;
	void *value;
	char *text;
	struct ioasid_param *next;
};

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ioasid_param_register() - make a module parameter known
 * @param: the parameter; module_param() makes one
 *
 * The environment's IOASID_PARAM_<name> is its value, if there is one. What cannot be one is an
 * error on the log, and the variable stays as it was.
 *
 * Context: any thread. One that is there already is left alone.
 */
void ioasid_param_register(struct ioasid_param *param);

/**
 * ioasid_param_unregister() - forget a module parameter, and its copy of a text
 * @param: the parameter, known or not
 *
 * Context: any thread.
 */
void ioasid_param_unregister(struct ioasid_param *param);

/**
 * ioasid_param_set() - set every module parameter of a name
 * @name: of the parameter
 * @value: the value as text; may be NULL for a boolean, which is true then
 *
 * Who reads the variable meanwhile is the module's affair, as in the kernel.
 *
 * Return: 0; -ENOENT if there is none; -EINVAL, -ERANGE if @value cannot be one; -ENOMEM. After an error
 *	those of the name that come after the one it is about are unchanged.
 * Context: any thread.
 */
int ioasid_param_set(const char *name, const char *value);

#ifdef __cplusplus
}
#endif

/* The permissions are for files in sysfs, of which there are none. */
#define module_param(name, type, perm) module_param_named(name, name, type, perm)
#define module_param_unsafe(name, type, perm) module_param(name, type, perm)

/* Before any module_init(), which may look at it. */
#define module_param_named(name_, variable, type_, perm) \
	static struct ioasid_param ioasid_param_##name_ = { \
		#name_, IOASID_PARAM_##type_, sizeof(variable), &(variable), NULL, NULL, \
	}; \
	static __attribute__((__constructor__(1000))) void ioasid_param_enter_##name_(void) \
	{ \
		(void)sizeof(char[1 - 2 * ((perm) < 0)]); \
		ioasid_param_register(&ioasid_param_##name_); \
	} \
	static __attribute__((__destructor__(1000))) void ioasid_param_leave_##name_(void) \
	{ \
		ioasid_param_unregister(&ioasid_param_##name_); \
	} \
	extern int ioasid_takes_the_semicolon

#endif
