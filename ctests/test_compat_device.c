/* SPDX-License-Identifier: MIT */
/* Devices: names, lines on the log, data, references; and those that are not ours. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#define dev_fmt(fmt) "fmt " fmt
#include <linux/device.h>
#include <linux/ioasid-kernel.h>

static char last[256];
static int last_level;
static unsigned int lines;

static void remember(void *data, int level, const char *line)
{
	(void)data;
	last_level = level;
	lines++;
	strscpy(last, line, sizeof(last));
}

static int begin(void **state)
{
	(void)state;
	lines = 0;
	ioasid_set_log_level(7);
	return ioasid_set_log(remember, NULL);
}

static int end(void **state)
{
	(void)state;
	ioasid_set_log_level(4);
	return ioasid_set_log(NULL, NULL);
}

static unsigned int released;

static void release(struct device *dev)
{
	(void)dev;
	released++;
}

static void lines_begin_with_driver_and_name(void **state)
{
	struct bus_type bus = { .name = "bus" };
	struct device_driver driver = { .name = "driver" };
	struct device dev = { .init_name = "first" }, *named;

	(void)state;
	dev_err(&dev, "%d bad\n", 3);
	assert_string_equal(last, " first: fmt 3 bad");
	assert_int_equal(last_level, 3);
	dev.bus = &bus;
	dev_warn(&dev, "plain\n");
	assert_string_equal(last, "bus first: fmt plain");
	dev.driver = &driver;
	assert_int_equal(dev_set_name(&dev, "dev%d", 7), 0);
	assert_string_equal(dev_name(&dev), "dev7");
	dev_info(&dev, "x");
	assert_string_equal(last, "driver dev7: fmt x");
	assert_int_equal(last_level, 6);
	named = &dev;
	dev_printk(KERN_NOTICE, named++, "bare");
	assert_ptr_equal(named, &dev + 1);
	assert_string_equal(last, "driver dev7: bare");
	assert_int_equal(dev_set_name(&dev, NULL), 0);
	assert_string_equal(dev_name(&dev), "(unnamed device)");
}

static void once_and_not_too_often(void **state)
{
	struct device dev = { .init_name = "d" };
	int i;

	(void)state;
	for (i = 0; i < 20; i++)
		dev_err_once(&dev, "once\n");
	assert_int_equal(lines, 1);
	for (i = 0; i < 20; i++)
		dev_err_ratelimited(&dev, "often %d\n", i);
	assert_int_equal(lines, 11);
	for (i = 0; i < 20; i++)
		dev_dbg(&dev, "debug %d\n", i);
	assert_int_equal(lines, 11);
	/* Without braces, it is one statement. */
	if (i == 0)
		dev_err_once(&dev, "never\n");
	else
		lines = 100;
	assert_int_equal(lines, 100);
	lines = 0;
	assert_true(dev_WARN_ONCE(&dev, i == 20, "odd\n"));
	assert_int_equal(lines, 2);
}

static void data_and_lock(void **state)
{
	struct device dev = { .platform_data = &lines };
	int data;

	(void)state;
	assert_null(dev_get_drvdata(&dev));
	dev_set_drvdata(&dev, &data);
	assert_ptr_equal(dev_get_drvdata(&dev), &data);
	assert_ptr_equal(dev_get_platdata(&dev), &lines);
	device_lock(&dev);
	assert_true(mutex_is_locked(&dev.mutex));
	device_unlock(&dev);
	assert_int_equal(lines, 0);
}

static void the_last_reference_releases(void **state)
{
	struct device dev = { .release = release };

	(void)state;
	released = 0;
	device_initialize(&dev);
	assert_int_equal(dev_set_name(&dev, "counted"), 0);
	assert_ptr_equal(get_device(&dev), &dev);
	put_device(&dev);
	assert_int_equal(released, 0);
	put_device(&dev);
	assert_int_equal(released, 1);
	assert_int_equal(lines, 0);
	/* A put too many, on memory that is still there. */
	dev.name = NULL;
	put_device(&dev);
	assert_int_equal(released, 1);
	assert_true(lines > 0);
}

/* Gets and puts without references change nothing: the device can be used again. */
static void a_device_begins_again_after_its_end(void **state)
{
	struct device dev = { .release = release };

	(void)state;
	released = 0;
	put_device(&dev);
	assert_string_equal(last, "put_device of a device without references");
	assert_ptr_equal(get_device(&dev), &dev);
	assert_string_equal(last, "get_device of a device without references");
	for (unsigned int i = 1; i <= 3; i++) {
		lines = 0;
		device_initialize(&dev);
		assert_int_equal(lines, 0);
		assert_int_equal(dev_set_name(&dev, "dev%u", i), 0);
		get_device(&dev);
		put_device(&dev);
		put_device(&dev);
		assert_int_equal(released, i);
		put_device(&dev);
		put_device(&dev);
		assert_int_equal(released, i);
		assert_int_equal(kref_read(&dev.ref), 0);
	}
}

static void a_second_initialisation_is_told(void **state)
{
	struct device dev = { .release = release };

	(void)state;
	device_initialize(&dev);
	get_device(&dev);
	device_initialize(&dev);
	assert_int_equal(lines, 1);
	released = 0;
	put_device(&dev);
	assert_int_equal(released, 0);
	put_device(&dev);
	assert_int_equal(released, 1);
	memset(&dev, 0, sizeof(dev));
	device_initialize(&dev);
	put_device(&dev);
	assert_non_null(strstr(last, "has no release function"));
}

/* A device of the VT-d model has something where ours have NULL. */
static void bad_and_foreign_devices(void **state)
{
	struct {
		const void *words[2];
	} foreign = { { NULL, &lines } };
	void *volatile hidden = &foreign; /* from a compiler that knows its size */
	struct device *dev = hidden;

	(void)state;
	assert_string_equal(dev_name(NULL), "(NULL device *)");
	assert_string_equal(dev_name(dev), "(unnamed device)");
	assert_string_equal(dev_driver_string(dev), "");
	dev_err(dev, "foreign\n");
	assert_string_equal(last, " (unnamed device): fmt foreign");
	dev_err((struct device *)NULL, "nothing\n");
	assert_string_equal(last, " (NULL device *): fmt nothing");
	assert_int_equal(dev_set_name(dev, "x"), -EINVAL);
	assert_int_equal(dev_set_name(NULL, "x"), -EINVAL);
	assert_null(dev_get_drvdata(dev));
	assert_null(dev_get_drvdata(NULL));
	dev_set_drvdata(dev, &lines);
	dev_set_drvdata(NULL, &lines);
	device_initialize(dev);
	device_initialize(NULL);
	assert_ptr_equal(get_device(dev), dev);
	assert_null(get_device(NULL));
	put_device(dev);
	put_device(NULL);
	device_lock(NULL);
	device_unlock(dev);
	assert_null(foreign.words[0]);
	assert_ptr_equal(foreign.words[1], &lines);
}

static void without_memory_the_name_stays(void **state)
{
	struct device dev = { .init_name = "old" };

	(void)state;
	ioasid_kernel_fail_nth(1);
	assert_int_equal(dev_set_name(&dev, "new"), -ENOMEM);
	ioasid_kernel_fail_nth(0);
	assert_string_equal(dev_name(&dev), "old");
}

static void a_stack_is_dumped(void **state)
{
	(void)state;
	dump_stack();
	assert_true(lines > 2);
}

#define DEVICE_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(lines_begin_with_driver_and_name),
		DEVICE_TEST(once_and_not_too_often),
		DEVICE_TEST(data_and_lock),
		DEVICE_TEST(the_last_reference_releases),
		DEVICE_TEST(a_device_begins_again_after_its_end),
		DEVICE_TEST(a_second_initialisation_is_told),
		DEVICE_TEST(bad_and_foreign_devices),
		DEVICE_TEST(without_memory_the_name_stays),
		DEVICE_TEST(a_stack_is_dumped),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
