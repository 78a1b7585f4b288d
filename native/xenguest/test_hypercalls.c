// The smaller hypercalls, and handles of memory.
#include "selftest.h"
#include "xen.h"

enum { XENVER_version, XENVER_extraversion, XENVER_compile_info, XENVER_capabilities, XENVER_changeset, XENVER_platform_parameters, XENVER_get_features,
    XENVER_pagesize, XENVER_guest_handle, XENVER_commandline };

static u8 buffer[2048] __attribute__((aligned(2048)));

static void test_version(void) {
    s64 version = xen_version(XENVER_version, 0);
    expect_true("version", version >= (3 << 16 | 1));
    expect("version.extra", xen_version(XENVER_extraversion, buffer), 0);
    expect("version.compile", xen_version(XENVER_compile_info, buffer), 0);
    expect("version.capabilities", xen_version(XENVER_capabilities, buffer), 0);
    expect_true("version.capabilities.ia64", find_text((char *)buffer, "xen-3.0-ia64") != 0);
    expect("version.changeset", xen_version(XENVER_changeset, buffer), 0);
    expect("version.parameters", xen_version(XENVER_platform_parameters, buffer), 0);
    expect("version.parameters.start", (s64)*(u64 *)buffer, (s64)0xf000000000000000);
    u32 *features = (u32 *)buffer;
    features[0] = features[1] = 0;
    expect("version.features", xen_version(XENVER_get_features, buffer), 0);
    expect_true("version.features.translated", (features[1] & 4) != 0);
    features[0] = 99;
    expect("version.features.index", xen_version(XENVER_get_features, buffer), -EINVAL);
    expect("version.pagesize", xen_version(XENVER_pagesize, 0), PAGE_SIZE);
    expect("version.handle", xen_version(XENVER_guest_handle, buffer), 0);
    expect("version.commandline", xen_version(XENVER_commandline, buffer), 0);
    expect("version.unknown", xen_version(99, buffer), -ENOSYS);
    expect("version.nowhere", hypercall(XENVER_extraversion, NOWHERE, 0, 0, 0, HYPERVISOR_xen_version), -EFAULT);
}

// The capabilities' 1024 bytes in two pages that are no neighbours.
static void test_handles(void) {
    static struct { u32 magic, count; u64 address[4]; } descriptor __attribute__((aligned(64)));
    u8 *pages = allocate_pages(4);
    memset(pages, 0x55, 4 * PAGE_SIZE);
    descriptor.magic = 0x58434f4d;
    descriptor.count = 2;
    descriptor.address[0] = physical(pages) + 2 * PAGE_SIZE - 5;
    descriptor.address[1] = physical(pages) + 3 * PAGE_SIZE;
    expect("xencomm.descriptor", hypercall(XENVER_capabilities, physical(&descriptor), 0, 0, 0, HYPERVISOR_xen_version), 0);
    expect_true("xencomm.descriptor.pieces", memcmp(pages + 2 * PAGE_SIZE - 5, "xen-3", 5) == 0 && memcmp(pages + 3 * PAGE_SIZE, ".0-ia64", 7) == 0);
    descriptor.magic++;
    expect("xencomm.magic", hypercall(XENVER_capabilities, physical(&descriptor), 0, 0, 0, HYPERVISOR_xen_version), -EFAULT);
    descriptor.magic--;
    descriptor.count = 1;
    expect("xencomm.short", hypercall(XENVER_capabilities, physical(&descriptor), 0, 0, 0, HYPERVISOR_xen_version), -EFAULT);
    descriptor.count = 0xffffffff;
    descriptor.address[1] = 0x00000fff00000000;
    expect("xencomm.nowhere", hypercall(XENVER_capabilities, physical(&descriptor), 0, 0, 0, HYPERVISOR_xen_version), -EFAULT);
    free_pages(pages, 4);
}

static void test_numbers(void) {
    static const u16 numbers[] = { 0, 1, 2, 5, 14, 15, 16, 19, 21, 23, 26, 28, 39, 47, 55, 63, 0x80, 0xff, 0x200 };
    int same = 1;
    for (int k = 0; k < COUNT(numbers); k++) same &= hypercall(0, 0, 0, 0, 0, numbers[k]) == -ENOSYS;
    expect_true("hypercall.unknown", same);
    expect("hypercall.fpswa.broken", hypercall(0, 0, 0, 0, 0, 0x500), -1);
    struct { u64 command; u8 on; u64 protection, key; } feature = { 1, 1, 0x661, 0 };
    expect("opt_feature", hypercall(handle_of(&feature), 0, 0, 0, 0, HYPERVISOR_opt_feature), 0);
    feature.command = 77;
    expect("opt_feature.unknown", hypercall(handle_of(&feature), 0, 0, 0, 0, HYPERVISOR_opt_feature), -ENOSYS);
}

static void test_multicall(void) {
    static struct { u64 op; s64 result; u64 args[6]; } list[3];
    list[0].op = HYPERVISOR_xen_version, list[0].args[0] = XENVER_pagesize;
    list[1].op = 99;
    list[2].op = HYPERVISOR_multicall;
    expect("multicall", hypercall(handle_of(list), 3, 0, 0, 0, HYPERVISOR_multicall), 0);
    expect("multicall.result", list[0].result, PAGE_SIZE);
    expect("multicall.unknown", list[1].result, -ENOSYS);
    expect_true("multicall.nested", list[2].result < 0);
    expect("multicall.nowhere", hypercall(NOWHERE, 1, 0, 0, 0, HYPERVISOR_multicall), -EFAULT);
}

static void test_sched(void) {
    expect("sched.yield", sched_op(SCHEDOP_yield, 0), 0);
    expect("sched.compat.yield", hypercall(0, 0, 0, 0, 0, HYPERVISOR_sched_op_compat), 0);
    expect("sched.unknown", sched_op(99, 0), -ENOSYS);
    expect("sched.shutdown.nowhere", hypercall(SCHEDOP_shutdown, NOWHERE, 0, 0, 0, HYPERVISOR_sched_op), -EFAULT);
    struct { u16 domain; u32 reason; } remote = { 0x7000, 0 };
    s64 result = sched_op(SCHEDOP_remote_shutdown, &remote);
    expect_true("sched.remote.shutdown.nobody", result == (is_dom0() ? -ESRCH : -EPERM) || result == -ESRCH);
    static u32 ports[130];
    struct { u64 ports; u32 count; u64 timeout; } poll = { handle_of(ports), 129, 0 };
    expect("sched.poll.too.many", sched_op(SCHEDOP_poll, &poll), -EINVAL);
    poll.count = 1;
    ports[0] = 99999;
    // With an event to be delivered it would end before it looks at the ports.
    machine->disable_interrupts();
    expect("sched.poll.port", sched_op(SCHEDOP_poll, &poll), -EINVAL);
    machine->enable_interrupts();
}

static void test_vcpu(void) {
    expect("vcpu.is_up", vcpu_op(3, 0, 0), 1);
    expect("vcpu.number", vcpu_op(3, 64, 0), -EINVAL);
    if (cpu_count < 64) expect("vcpu.nobody", vcpu_op(3, (u64)cpu_count, 0), -ENOENT);
    expect("vcpu.initialise.up", vcpu_op(0, 0, 0) < 0, 1);
    expect("vcpu.up.up", vcpu_op(1, 0, 0), 0);
    expect("vcpu.unknown", vcpu_op(99, 0, 0), -ENOSYS);
    static struct { s32 state; u64 since, time[4]; } runstate;
    runstate.state = 77;
    expect("vcpu.runstate", vcpu_op(4, 0, &runstate), 0);
    expect("vcpu.runstate.running", runstate.state, 0);
    runstate.state = 77;
    u64 area = handle_of(&runstate);
    expect("vcpu.runstate.area", vcpu_op(5, 0, &area), 0);
    expect_true("vcpu.runstate.area.written", runstate.state == 0);
    area = NOWHERE;
    expect("vcpu.runstate.area.nowhere", vcpu_op(5, 0, &area), -EFAULT);
    area = handle_of(&runstate);
    vcpu_op(5, 0, &area);
}

static void test_callback(void) {
    struct { u16 type, flags; u64 address; } callback = { 77, 0, 0 };
    expect("callback.type", hypercall(0, handle_of(&callback), 0, 0, 0, HYPERVISOR_callback_op), -ENOSYS);
    expect("callback.unregister", hypercall(1, handle_of(&callback), 0, 0, 0, HYPERVISOR_callback_op), -EINVAL);
    expect("callback.unknown", hypercall(9, handle_of(&callback), 0, 0, 0, HYPERVISOR_callback_op), -ENOSYS);
    expect("callback.nowhere", hypercall(0, NOWHERE, 0, 0, 0, HYPERVISOR_callback_op), -EFAULT);
}

static void test_console(void) {
    expect("console.write", console_io(0, 0, buffer), 0);
    expect("console.unknown", console_io(9, 0, buffer), -ENOSYS);
}

static void test_dom0vp(void) {
    u64 frame = frame_of(buffer);
    expect_true("dom0vp.phystomach", hypercall(1, frame, 0, 0, 0, HYPERVISOR_dom0vp_op) > 0);
    expect("dom0vp.phystomach.nowhere", hypercall(1, 0xfff0000, 0, 0, 0, HYPERVISOR_dom0vp_op), -1);
    u32 revision = 0;
    expect("dom0vp.fpswa", hypercall(10, handle_of(&revision), 0, 0, 0, HYPERVISOR_dom0vp_op), 0);
    expect_true("dom0vp.fpswa.revision", revision >= 1 << 16);
    expect("dom0vp.unknown", hypercall(99, 0, 0, 0, 0, HYPERVISOR_dom0vp_op), -1);
}

// What only dom0 may do, asked by others.
static void test_refusals(void) {
    if (is_dom0()) return;
    static u64 command[32];
    command[0] = 5 | 8UL << 32;
    s64 result = hypercall(handle_of(command), 0, 0, 0, 0, HYPERVISOR_domctl);
    expect_true("domctl.refused", result == -EPERM || result == -ENOSYS);
    command[0] = 6 | 9UL << 32;
    result = hypercall(handle_of(command), 0, 0, 0, 0, HYPERVISOR_sysctl);
    expect_true("sysctl.refused", result == -EPERM || result == -ENOSYS);
    result = hypercall(handle_of(command), 0, 0, 0, 0, HYPERVISOR_platform_op);
    expect_true("platform_op.refused", result == -EPERM || result == -ENOSYS);
    result = hypercall(9, 0x100, 0x100, 0, 0, HYPERVISOR_dom0vp_op);
    expect_true("dom0vp.foreign.refused", result < 0);
}

void test_hypercalls(void) {
    test_version();
    test_handles();
    test_numbers();
    test_multicall();
    test_sched();
    test_vcpu();
    test_callback();
    test_console();
    test_dom0vp();
    test_refusals();
}
