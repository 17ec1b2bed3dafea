// SPDX-License-Identifier: MIT
// A guest is a process with a libioasid of its own; its PASIDs come from the host by socket.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "flow.h"
#include "guest.h"

extern char **environ;

enum { ORDER, CALL, ANSWER, DONE };

struct message {
	u32 kind;
	u32 op;
	u64 a, b;
	s64 result;
};

static bool put_message(int fd, const struct message *message)
{
	return send(fd, message, sizeof(*message), MSG_NOSIGNAL) == sizeof(*message);
}

static bool get_message(int fd, struct message *message)
{
	return recv(fd, message, sizeof(*message), 0) == sizeof(*message);
}

/* ---- the guest ---- */

static long call_host(int fd, u32 op, u64 a, u64 b)
{
	struct message message = { CALL, op, a, b, 0 };

	/* Without its host a guest is nothing. */
	if (!put_message(fd, &message) || !get_message(fd, &message))
		exit(1);
	return message.result;
}

/* The virtual command register of the guest's remapping unit: a write of it traps to the host. */
static u64 write_vcmd(u64 command, void *data)
{
	return call_host(*(int *)data, GUEST_VCMD, command, 0);
}

/* The page request thread of the guest's driver, for one request. */
static long page(int fd, u64 mdev, u64 pasid)
{
	long result = call_host(fd, GUEST_TOUCH, mdev, pasid);
	u64 request;

	if (result != -EAGAIN)
		return result;
	request = call_host(fd, GUEST_FETCH, 0, 0);
	result = call_host(fd, GUEST_MAP, pasid, request & ~(u64)(VTD_PAGE_SIZE - 1));
	result = call_host(fd, GUEST_RESPOND, request & (VTD_PAGE_SIZE - 1),
			   result ? IOMMU_PAGE_RESP_INVALID : IOMMU_PAGE_RESP_SUCCESS);
	return result ?: call_host(fd, GUEST_TOUCH, mdev, pasid);
}

static long obey(int fd, struct ioasid_set *set, const struct message *order)
{
	switch (order->op) {
	case GUEST_ALLOC:
		return ioasid_alloc(set, PASID_MIN, intel_pasid_max() - 1, NULL);
	case GUEST_FREE:
		ioasid_free(set, order->a);
		return 0;
	case GUEST_EXIT:
		return 0;
	case GUEST_PAGE:
		return page(fd, order->a, order->b);
	default:
		return call_host(fd, order->op, order->a, order->b);
	}
}

/* The guest's kernel sees a remapping unit with a virtual command register, and drives it. */
int guest_main(int fd)
{
	struct vtd_unit_config config = VTD_UNIT_CONFIG_DEFAULT;
	struct vtd_machine *machine = vtd_machine_create(1 << 20);
	struct message message = { .op = GUEST_ALLOC };
	struct intel_iommu *iommu;
	struct ioasid_set *set;

	config.vcmd = write_vcmd;
	config.vcmd_data = &fd;
	iommu = vtd_unit_create(machine, &config);
	set = ioasid_set_alloc(NULL, 0, IOASID_SET_TYPE_NULL);
	if (IS_ERR(iommu) || IS_ERR(set) || intel_iommu_enable(iommu))
		return 1;

	while (message.op != GUEST_EXIT && get_message(fd, &message)) {
		message.result = obey(fd, set, &message);
		message.kind = DONE;
		if (!put_message(fd, &message))
			break;
	}
	/* Nothing is given back here: a guest that ends is swept by its host. */
	return 0;
}

/* ---- the host's end ---- */

/* Starts the guest on sockets[1]; the host keeps sockets[0]. */
void guest_start_on(struct vm *vm, int sockets[2])
{
	char *emulator = getenv("IOASID_TEST_EMULATOR"), program[PATH_MAX] = "";
	char *argv[] = { emulator ? emulator : program, program, "guest", NULL };
	posix_spawn_file_actions_t actions;

	/* Not the link itself: where this runs in an emulator that would start the emulator. */
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) <= 0)
		die("/proc/self/exe: %m");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, sockets[1], STDIN_FILENO);
	if (posix_spawn(&vm->pid, argv[0], &actions, NULL, emulator ? argv : argv + 1, environ))
		die("cannot start a guest");
	posix_spawn_file_actions_destroy(&actions);
	close(sockets[1]);
	vm->fd = sockets[0];
}

void guest_start(struct vm *vm)
{
	int sockets[2];

	/* Closed on exec: no guest has the socket of another. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		die("socketpair: %m");
	guest_start_on(vm, sockets);
}

static struct mdev *mdev_of(struct vm *vm, u64 index)
{
	return index < vm->nr_mdevs ? &vm->mdevs[index] : NULL;
}

static long serve(struct vm *vm, const struct message *call)
{
	struct mdev *mdev = mdev_of(vm, call->a);
	struct page_request request;

	switch (call->op) {
	case GUEST_VCMD:
		return vfio_vcmd(vm, call->a);
	case GUEST_BIND:
		return vfio_bind(vm, call->a, call->b);
	case GUEST_UNBIND:
		return vfio_unbind(vm, call->a);
	case GUEST_PROGRAM:
		return mdev ? vdcm_program(mdev, call->b) : -ENODEV;
	case GUEST_START:
		return mdev ? vdcm_start(mdev) : -ENODEV;
	case GUEST_STOP:
		if (mdev)
			vdcm_stop(mdev);
		return 0;
	case GUEST_ENQCMD:
		return mdev ? kvm_enqcmd(vm, mdev, call->b) : -ENODEV;
	case GUEST_MAP:
		return vfio_map(vm, call->a, call->b);
	case GUEST_UNMAP:
		return vfio_unmap(vm, call->a, call->b);
	case GUEST_INVALIDATE:
		return vfio_invalidate(vm, call->a, call->b);
	case GUEST_PROCESS_EXIT:
		return vfio_process_exit(vm, call->a);
	case GUEST_TOUCH:
		return mdev ? vdcm_touch(mdev, call->b) : -ENODEV;
	case GUEST_FETCH:
		request = vfio_fetch(vm);
		return (long)(request.address | request.group);
	case GUEST_RESPOND:
		return vfio_respond(vm, call->a, call->b);
	}
	return -EINVAL;
}

/* Has the guest do something and serves it meanwhile; -EPIPE if it is dead. */
long guest_do(struct vm *vm, enum guest_op op, u64 a, u64 b)
{
	struct message message = { ORDER, op, a, b, 0 };

	if (!put_message(vm->fd, &message))
		return -EPIPE;
	while (get_message(vm->fd, &message)) {
		if (message.kind == DONE)
			return message.result;
		message.result = serve(vm, &message);
		message.kind = ANSWER;
		if (!put_message(vm->fd, &message))
			break;
	}
	return -EPIPE;
}

/* The guest dies as a crashed virtual machine does: nothing is told, the socket says it. */
void guest_kill(struct vm *vm)
{
	kill(vm->pid, SIGKILL);
	flow_note(GUEST_DIES, vm, INVALID_IOASID, 0);
	guest_end(vm);
}

void guest_end(struct vm *vm)
{
	if (vm->fd < 0)
		return;
	guest_do(vm, GUEST_EXIT, 0, 0);
	close(vm->fd);
	vm->fd = -1;
	if (vm->pid)
		waitpid(vm->pid, NULL, 0);
}
