// Event channels: with itself as the far end.
#include "selftest.h"
#include "xen.h"

static volatile u32 got_port, got_count;
static void got(u32 port, void *argument) { (void)argument; got_port = port; got_count++; }
static int has_come(void *before) { return got_count != *(u32 *)before; }

static s64 status_of(u32 port, struct channel_status *status) {
    memset(status, 0, sizeof(*status));
    status->domain = DOMID_SELF;
    status->port = port;
    return event_channel_op(EVTCHNOP_status, status);
}

static int is_pending(u32 port) { return (int)(shared->pending[port / 64] >> port % 64 & 1); }
static void clear_pending(u32 port) { __atomic_fetch_and(&shared->pending[port / 64], ~(1UL << port % 64), __ATOMIC_SEQ_CST); }

static void test_loop(void) {
    struct channel_status status;
    u32 a = channel_for(DOMID_SELF);
    expect_true("evtchn.alloc", a != 0);
    expect("evtchn.status", status_of(a, &status), 0);
    expect("evtchn.status.unbound", status.status, 1);
    u32 b = channel_to(DOMID_SELF, a);
    expect_true("evtchn.bind", b != 0 && b != a);
    status_of(a, &status);
    expect("evtchn.status.interdomain", status.status, 2);
    expect("evtchn.status.far", status.u.interdomain.port, b);
    expect("evtchn.bind.twice", channel_to(DOMID_SELF, a), 0);
    u32 before = got_count;
    listen(a, got, 0);
    expect("evtchn.send", notify(b), 0);
    expect_true("evtchn.arrives", wait_until(has_come, &before, now() + SECOND));
    expect("evtchn.port", got_port, a);
    // Masked it stays pending; unmasked it comes.
    stop_listening(a);
    before = got_count;
    notify(b);
    expect_true("evtchn.masked.pending", is_pending(a) && got_count == before);
    listen(a, got, 0);
    expect_true("evtchn.unmasked", wait_until(has_come, &before, now() + SECOND));
    // So does the mask of the processor.
    machine->disable_interrupts();
    before = got_count;
    notify(b);
    expect_true("evtchn.processor.mask", got_count == before && shared->vcpu[this_cpu->number].pending);
    machine->enable_interrupts();
    expect_true("evtchn.processor.unmask", got_count != before);
    // A poll ends with an event that the mask keeps away, or with its time.
    stop_listening(a);
    clear_pending(a);
    struct { u64 ports; u32 count; u64 timeout; } poll = { handle_of(&a), 1, 0 };
    notify(b);
    machine->disable_interrupts();
    expect("sched.poll.pending", sched_op(SCHEDOP_poll, &poll), 0);
    clear_pending(a);
    poll.timeout = 1;
    expect("sched.poll.timeout", sched_op(SCHEDOP_poll, &poll), 0);
    expect_true("sched.poll.nothing", !is_pending(a));
    machine->enable_interrupts();
    if (cpu_count > 1) {
        struct bind_vcpu move = { a, 1 };
        expect("evtchn.bind_vcpu", event_channel_op(EVTCHNOP_bind_vcpu, &move), 0);
        status_of(a, &status);
        expect("evtchn.bind_vcpu.status", status.vcpu, 1);
    }
    struct bind_vcpu move = { a, 64 };
    expect("evtchn.bind_vcpu.nobody", event_channel_op(EVTCHNOP_bind_vcpu, &move), -ENOENT);
    expect("evtchn.close", event_channel_op(EVTCHNOP_close, &a), 0);
    expect("evtchn.close.twice", event_channel_op(EVTCHNOP_close, &a), -EINVAL);
    status_of(b, &status);
    expect("evtchn.far.unbound", status.status, 1);
    expect("evtchn.send.closed", notify(a), -EINVAL);
    event_channel_op(EVTCHNOP_close, &b);
}

static void test_binding(void) {
    struct bind_virq virq = { VIRQ_ITC, 0, 0 };
    expect("evtchn.virq.twice", event_channel_op(EVTCHNOP_bind_virq, &virq), -EEXIST);
    virq.virq = 24;
    expect("evtchn.virq.number", event_channel_op(EVTCHNOP_bind_virq, &virq), -EINVAL);
    virq.virq = VIRQ_DEBUG, virq.vcpu = 64;
    expect("evtchn.virq.nobody", event_channel_op(EVTCHNOP_bind_virq, &virq), -ENOENT);
    virq.vcpu = 0;
    expect("evtchn.virq.debug", event_channel_op(EVTCHNOP_bind_virq, &virq), 0);
    expect("evtchn.virq.close", event_channel_op(EVTCHNOP_close, &virq.port), 0);
    struct bind_ipi ipi = { 64, 0 };
    expect("evtchn.ipi.nobody", event_channel_op(EVTCHNOP_bind_ipi, &ipi), -ENOENT);
    ipi.vcpu = 0;
    expect("evtchn.ipi", event_channel_op(EVTCHNOP_bind_ipi, &ipi), 0);
    u32 before = got_count;
    listen(ipi.port, got, 0);
    notify(ipi.port);
    expect_true("evtchn.ipi.arrives", wait_until(has_come, &before, now() + SECOND));
    close_channel(ipi.port);
    struct { u32 pirq, flags, port; } pirq = { 9999, 0, 0 };
    expect_true("evtchn.pirq.refused", event_channel_op(EVTCHNOP_bind_pirq, &pirq) < 0);
    struct alloc_unbound other = { 0x7000, 0, 0 };
    s64 result = event_channel_op(EVTCHNOP_alloc_unbound, &other);
    expect_true("evtchn.alloc.for.other", result == -EPERM || result == -ESRCH);
    expect("evtchn.bind.nobody", channel_to(0x7000, 1), 0);
    struct channel_status status;
    expect("evtchn.status.port", status_of(99999, &status), -EINVAL);
    u32 wrong = 99999;
    expect("evtchn.unmask.port", event_channel_op(EVTCHNOP_unmask, &wrong), -EINVAL);
    expect("evtchn.send.port", event_channel_op(EVTCHNOP_send, &wrong), -EINVAL);
    expect("evtchn.unknown", event_channel_op(99, &wrong), -ENOSYS);
    expect("evtchn.nowhere", hypercall(EVTCHNOP_send, NOWHERE, 0, 0, 0, HYPERVISOR_event_channel_op), -EFAULT);
}

void test_events(void) {
    test_loop();
    test_binding();
}
