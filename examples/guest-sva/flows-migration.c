// SPDX-License-Identifier: MIT
// Migration: a guest goes from one host to another, each a process with a library of its own.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "flows.h"

/* What the device writes on the first host, and reads on the second. */
#define NOTE_AT (BUFFER + 64)
static const char note[] = "written by DMA before the migration";

/* What goes from host to host: the guest's PASIDs by its own numbers, and its memory. */
static struct stream {
	ioasid_t pasids[2];
	u64 roots[2];
	u8 memory[VM_PAGES * VTD_PAGE_SIZE];
} stream;

/* From the source to the target, and from both to the guest. */
static int hosts[2], sockets[2];

static void send_stream(void)
{
	const char *at = (const char *)&stream, *end = at + sizeof(stream);
	ssize_t count;

	for (; at < end; at += count) {
		count = write(hosts[0], at, end - at);
		if (count <= 0)
			die("migration: %m");
	}
}

static void receive_stream(void)
{
	char *at = (char *)&stream, *end = at + sizeof(stream);
	ssize_t count;

	for (; at < end; at += count) {
		count = read(hosts[1], at, end - at);
		if (count <= 0)
			die("migration: the stream ends");
	}
}

/* ---- the host that the guest leaves ---- */

/* clang-format off */
static const struct flow_row source_rows[] = {
	{ GUEST_STARTS, 1, 4, PASSES, 0 },
	/* now the guest stands still; its host does what it would do */
	{ GUEST_STOPS, 1, 4, PASSES, 0 },
	{ VFIO_SAVES, 1, NO_ID, BLOCKED, 0 },
	{ VDCM_CLEARS, 1, 3, PASSES, 0 },
	{ UNBIND_IS_TOLD, 1, 3, BLOCKED, 0 },
	{ KVM_CLEARS, 1, 2, BLOCKED, 0 },
	{ IOMMU_PUTS, 1, 1, BLOCKED, 0 },
	{ FREE_IS_TOLD, 1, 1, BLOCKED, 0 },
	{ FREE_RETURNS, 1, 0, BLOCKED, 0 },
	{ UNBIND_IS_TOLD, 1, 3, BLOCKED, 0 },
	{ KVM_CLEARS, 1, 2, BLOCKED, 0 },
	{ IOMMU_PUTS, 1, 1, BLOCKED, 0 },
	{ FREE_IS_TOLD, 1, 1, BLOCKED, 0 },
	{ FREE_RETURNS, 1, 0, BLOCKED, 0 },
};
/* clang-format on */

static void save(struct vm *vm)
{
	struct mdev *mdev = &vm->mdevs[0];

	if (vtd_dma_write(mdev->dev, vfio_host_pasid(vm, stream.pasids[0]), NOTE_AT, note,
			  sizeof(note)))
		die("the device cannot write");
	vdcm_stop(mdev);
	if (vtd_guest_read(vm->memory, 0, stream.memory, sizeof(stream.memory)))
		die("cannot save the guest's memory");
	flow_note(VFIO_SAVES, vm, INVALID_IOASID, 0);
}

static void leave(struct vm *vm)
{
	vdcm_program(&vm->mdevs[0], INVALID_IOASID);
	for (int i = 0; i < 2; i++) {
		vfio_unbind(vm, stream.pasids[i]);
		vfio_free(vm, stream.pasids[i]);
	}
}

static void run_source(bool recorded)
{
	struct host host;
	struct vm *vm;

	host_create(&host);
	vm = vm_create(&host, 1, 8);
	vm_add_mdev(vm, host.dev[0]);
	guest_start_on(vm, sockets);
	for (int i = 0; i < 2; i++) {
		stream.pasids[i] = bound_process(vm, i);
		stream.roots[i] = vm->processes[i].root;
	}
	guest_do(vm, GUEST_PROGRAM, 0, stream.pasids[0]);
	flow_record(recorded);
	guest_do(vm, GUEST_START, 0, 0);
	if (recorded)
		flow_picture();
	save(vm);
	leave(vm);
	flow_record(false);
	send_stream();
	close(vm->fd);
	vm->fd = -1;
	/* It ends on the other host. */
	waitpid(vm->pid, NULL, 0);
	vm_destroy(vm);
	host_destroy(&host);
}

/* ---- the host that it comes to ---- */

/* Guest 2 is there before, so that the host's numbers are others than on the source. */
/* clang-format off */
static const struct flow_row target_rows[] = {
	{ VFIO_RESTORES, 1, NO_ID, BLOCKED, 0 },
	{ VFIO_ALLOCATES, 1, 1, BLOCKED, 0 },
	{ IOMMU_BINDS, 1, 2, PASSES, 0 },
	{ BIND_IS_TOLD, 1, 2, PASSES, 0 },
	{ KVM_ENTERS, 1, 3, PASSES, 0 },
	{ VFIO_ALLOCATES, 1, 1, BLOCKED, 0 },
	{ IOMMU_BINDS, 1, 2, PASSES, 0 },
	{ BIND_IS_TOLD, 1, 2, PASSES, 0 },
	{ KVM_ENTERS, 1, 3, PASSES, 0 },
	{ VDCM_PROGRAMS, 1, 4, PASSES, 0 },
	/* now the guest runs on, with the numbers that it knows */
	{ GUEST_STARTS, 1, 4, PASSES, 0 },
	{ GUEST_ENQCMDS, 1, 3, PASSES, 0 },
	{ GUEST_STOPS, 1, 4, PASSES, 0 },
	{ VDCM_CLEARS, 1, 3, PASSES, 0 },
	{ UNBIND_IS_TOLD, 1, 3, BLOCKED, 0 },
	{ KVM_CLEARS, 1, 2, BLOCKED, 0 },
	{ IOMMU_PUTS, 1, 1, BLOCKED, 0 },
	{ FREE_IS_TOLD, 1, 1, BLOCKED, 0 },
	{ FREE_RETURNS, 1, 0, BLOCKED, 0 },
};
/* clang-format on */

static void arrive(struct vm *vm)
{
	if (vtd_guest_write(vm->memory, 0, stream.memory, sizeof(stream.memory)))
		die("cannot load the guest's memory");
	flow_note(VFIO_RESTORES, vm, INVALID_IOASID, 0);
	for (int i = 0; i < 2; i++) {
		vfio_alloc(vm, stream.pasids[i]);
		vfio_bind(vm, stream.pasids[i], stream.roots[i]);
	}
	vdcm_program(&vm->mdevs[0], stream.pasids[0]);
}

static void check_arrival(struct vm *vm)
{
	char read[sizeof(note)] = "";

	flow_check(vfio_host_pasid(vm, 101) == 202 && vfio_host_pasid(vm, 102) == 203,
		   "101 and 102 were 201 and 202 on the source, and are 202 and 203 here");
	vtd_dma_read(vm->mdevs[0].dev, vfio_host_pasid(vm, 101), NOTE_AT, read, sizeof(read));
	flow_check(!strcmp(read, note), "the device reads what it wrote on the source");
}

static void run_target(bool recorded)
{
	struct host host;
	struct vm *vm, *other;

	close(sockets[1]);
	host_create(&host);
	other = running_guest(&host, 2, 8);
	bound_process(other, 0);
	vm = vm_create(&host, 1, 8);
	vm_add_mdev(vm, host.dev[0]);
	receive_stream();
	vm->fd = sockets[0];
	flow_record(recorded);
	arrive(vm);
	if (recorded) {
		flow_picture();
		check_arrival(vm);
	}
	guest_do(vm, GUEST_START, 0, 0);
	guest_do(vm, GUEST_ENQCMD, 0, stream.pasids[1]);
	guest_do(vm, GUEST_STOP, 0, 0);
	end_process(vm, stream.pasids[0]);
	end_flow(&host, vm, other);
}

/* ---- each of the two tells its side, while the other does its part in silence ---- */

static void run_with(void (*here)(bool), void (*there)(bool))
{
	int status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, hosts) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		die("socketpair: %m");
	/* Before the library is used. */
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("fork: %m");
	if (pid == 0) {
		/* The file is the other host's. */
		ioasid_trace_stop();
		there(false);
		exit(0);
	}
	here(true);
	flow_check(waitpid(pid, &status, 0) == pid && status == 0,
		   "the other host did its part, and is left with nothing");
}

static void tell_source(void)
{
	run_with(run_source, run_target);
}

static void tell_target(void)
{
	run_with(run_target, run_source);
}

const struct flow flow_migration_source = {
	.name = "migration-source",
	.title = "a guest leaves its host",
	.shows = "SPIDs detached, every id back in the pool, nothing passes any more.",
	FLOW_ROWS(source_rows),
	.run = tell_source,
};

const struct flow flow_migration_target = {
	.name = "migration-target",
	.title = "and comes to another",
	.shows = "The guest keeps its numbers on other host ids, and its memory.",
	FLOW_ROWS(target_rows),
	.run = tell_target,
};
