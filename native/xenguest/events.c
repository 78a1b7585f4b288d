// Event channels: handlers by port, the callback, a timer and an interprocessor channel for each processor.
#include "xen.h"

#define PORTS 4096
#define CALLBACKOP_register 0

static struct { event_handler handler; void *argument; } listeners[PORTS];
extern char xen_event_callback[];

static void change_mask(u32 port, int masked) {
    if (masked) __atomic_fetch_or(&shared->mask[port / 64], 1UL << port % 64, __ATOMIC_SEQ_CST);
    else unmask(port);
}

s64 unmask(u32 port) { return event_channel_op(EVTCHNOP_unmask, &port); }
s64 notify(u32 port) { return event_channel_op(EVTCHNOP_send, &port); }

void listen(u32 port, event_handler handler, void *argument) {
    if (port >= PORTS) return;
    listeners[port].argument = argument;
    barrier();
    listeners[port].handler = handler;
    change_mask(port, 0);
}

void stop_listening(u32 port) {
    change_mask(port, 1);
    listeners[port].handler = 0;
}

static void timer_event(u32 port, void *argument) { (void)port, (void)argument; timer_interrupt(); }
static void ipi_event(u32 port, void *argument) { (void)port, (void)argument; ipi_interrupt(); }

void bind_cpu_events(struct cpu *cpu) {
    struct bind_ipi ipi = { (u32)cpu->number, 0 };
    if (event_channel_op(EVTCHNOP_bind_ipi, &ipi) == 0) {
        cpu->ipi_port = ipi.port;
        listen(ipi.port, ipi_event, 0);
    }
    struct bind_virq virq = { VIRQ_ITC, (u32)cpu->number, 0 };
    if (event_channel_op(EVTCHNOP_bind_virq, &virq) == 0) {
        cpu->timer_port = virq.port;
        listen(virq.port, timer_event, 0);
    }
}

void bind_timer(void) {
    if (!this_cpu->timer_port) bind_cpu_events(this_cpu);
}

void events_start_cpu(void) {
    struct { u16 type, flags; u64 address; } callback = { 0, 0, (u64)xen_event_callback };
    hypercall(CALLBACKOP_register, handle_of(&callback), 0, 0, 0, HYPERVISOR_callback_op);
}

void events_start(void) {
    for (int word = 0; word < 64; word++) shared->mask[word] = ~0UL;
    events_start_cpu();
    machine->enable_interrupts();
}

void events_resume(void) {
    for (int word = 0; word < 64; word++) shared->mask[word] = ~0UL;
    memset(listeners, 0, sizeof(listeners));
    for (int n = 0; n < cpu_count; n++) cpus[n]->timer_port = cpus[n]->ipi_port = 0;
    bind_timer();
    // The time for which the timer was set came while nobody listened.
    machine->set_itm(read_itc());
}

void send_ipi_event(int cpu) {
    if (cpus[cpu]->ipi_port) notify(cpus[cpu]->ipi_port);
}

void take_events(void) {
    struct vcpu_info *info = &shared->vcpu[this_cpu->number];
    while (info->pending) {
        info->pending = 0;
        barrier();
        u64 selector = __atomic_exchange_n(&info->selector, 0, __ATOMIC_SEQ_CST);
        while (selector) {
            u32 word = (u32)__builtin_ctzl(selector);
            selector &= selector - 1;
            u64 bits = shared->pending[word] & ~shared->mask[word];
            while (bits) {
                u32 bit = (u32)__builtin_ctzl(bits), port = word * 64 + bit;
                bits &= bits - 1;
                __atomic_fetch_and(&shared->pending[word], ~(1UL << bit), __ATOMIC_SEQ_CST);
                if (listeners[port].handler) listeners[port].handler(port, listeners[port].argument);
            }
        }
    }
}

u32 channel_for(u16 domain) {
    struct alloc_unbound channel = { DOMID_SELF, domain, 0 };
    return event_channel_op(EVTCHNOP_alloc_unbound, &channel) == 0 ? channel.port : 0;
}

u32 channel_to(u16 domain, u32 port) {
    struct bind_interdomain channel = { domain, port, 0 };
    return event_channel_op(EVTCHNOP_bind_interdomain, &channel) == 0 ? channel.port : 0;
}

void close_channel(u32 port) {
    stop_listening(port);
    event_channel_op(EVTCHNOP_close, &port);
}
