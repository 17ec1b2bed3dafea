// SPDX-License-Identifier: MIT
// Parameters of modules: <linux/moduleparam.h>.
#define _GNU_SOURCE
#include "kernel.h"

#include <linux/moduleparam.h>
#include <linux/printk.h>

#define ENVIRONMENT "IOASID_PARAM_"

static struct ioasid_param *params;

static int set_signed(struct ioasid_param *param, const char *text, size_t size)
{
	long long value;
	int err = ioasid_kstrtoll(text, 0, &value);
	unsigned int unused = 64 - 8 * (unsigned int)size;

	if (err)
		return err;
	if ((long long)((unsigned long long)value << unused) >> unused != value)
		return -ERANGE;
	/* The lowest bytes are the number. */
	memcpy(param->value, &value, size);
	return 0;
}

static int set_unsigned(struct ioasid_param *param, const char *text, size_t size)
{
	unsigned long long value;
	int err = ioasid_kstrtoull(text, 0, &value);

	if (err)
		return err;
	if (size < 8 && value >> (8 * size))
		return -ERANGE;
	memcpy(param->value, &value, size);
	return 0;
}

static int set_bool(struct ioasid_param *param, const char *text, bool turn)
{
	bool value = true;
	int err = text ? ioasid_kstrtobool(text, &value) : 0;

	if (!err)
		*(bool *)param->value = value != turn;
	return err;
}

static int set_text(struct ioasid_param *param, const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = cio_allocate(bytes);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, bytes);
	*(char **)param->value = copy;
	cio_free(param->text);
	param->text = copy;
	return 0;
}

static size_t size_of(enum ioasid_param_type type)
{
	switch (type) {
	case IOASID_PARAM_byte:
		return 1;
	case IOASID_PARAM_short:
	case IOASID_PARAM_ushort:
		return sizeof(short);
	case IOASID_PARAM_int:
	case IOASID_PARAM_uint:
	case IOASID_PARAM_hexint:
		return sizeof(int);
	case IOASID_PARAM_bool:
	case IOASID_PARAM_invbool:
		return sizeof(bool);
	case IOASID_PARAM_charp:
		return sizeof(char *);
	default:
		return sizeof(long long);
	}
}

static int set(struct ioasid_param *param, const char *text)
{
	size_t size = size_of(param->type);

	if (size != param->size || !param->value)
		return -EINVAL;
	if (param->type == IOASID_PARAM_bool || param->type == IOASID_PARAM_invbool)
		return set_bool(param, text, param->type == IOASID_PARAM_invbool);
	if (!text)
		return -EINVAL;
	switch (param->type) {
	case IOASID_PARAM_charp:
		return set_text(param, text);
	case IOASID_PARAM_short:
	case IOASID_PARAM_int:
	case IOASID_PARAM_long:
		return set_signed(param, text, size);
	default:
		return set_unsigned(param, text, size);
	}
}

static void set_from_environment(struct ioasid_param *param)
{
	char name[128];
	const char *text;
	int length = snprintf(name, sizeof(name), ENVIRONMENT "%s", param->name), err;

	if (length < 0 || (size_t)length >= sizeof(name))
		return;
	text = secure_getenv(name);
	if (!text)
		return;
	err = set(param, text);
	if (err)
		ioasid_printk(KERN_ERR "parameter %s: '%s' is refused: %d\n", param->name, text,
			      err);
}

static struct ioasid_param **place(const struct ioasid_param *param)
{
	struct ioasid_param **link = &params;

	while (*link && *link != param)
		link = &(*link)->next;
	return link;
}

void ioasid_param_register(struct ioasid_param *param)
{
	struct ioasid_param **link;

	if (!param || !param->name)
		return;
	pthread_mutex_lock(&cio_param_mutex);
	link = place(param);
	if (!*link) {
		param->next = NULL;
		*link = param;
	} else {
		param = NULL;
	}
	pthread_mutex_unlock(&cio_param_mutex);
	/* The log may call users' code: not with the lock. */
	if (param)
		set_from_environment(param);
}

void ioasid_param_unregister(struct ioasid_param *param)
{
	struct ioasid_param **link;

	if (!param)
		return;
	pthread_mutex_lock(&cio_param_mutex);
	link = place(param);
	if (*link) {
		*link = param->next;
		param->next = NULL;
		if (param->text && *(char **)param->value == param->text)
			*(char **)param->value = NULL;
		cio_free(param->text);
		param->text = NULL;
	}
	pthread_mutex_unlock(&cio_param_mutex);
}

int ioasid_param_set(const char *name, const char *value)
{
	struct ioasid_param *param;
	bool found = false;
	int err = 0;

	if (!name)
		return -EINVAL;
	pthread_mutex_lock(&cio_param_mutex);
	for (param = params; param && !err; param = param->next) {
		if (strcmp(param->name, name))
			continue;
		found = true;
		err = set(param, value);
	}
	pthread_mutex_unlock(&cio_param_mutex);
	return found ? err : -ENOENT;
}
