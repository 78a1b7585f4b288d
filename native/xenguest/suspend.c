// Saved and restored: what is bound to a domain, and must be made again where the kernel wakes up in another one.
#include "control.h"
#include "devices.h"
#include "grants.h"
#include "xenstore.h"

int suspend(void) {
    static u32 reason;
    reason = SUSPEND;
    for (int n = 1; n < cpu_count; n++) take_down(n);
    console_flush();
    machine->disable_interrupts();
    // 0: awake in another domain; 1: the save was called off, and all is as it was.
    s64 cancelled = suspend_hypercall(SCHEDOP_shutdown, handle_of(&reason), HYPERVISOR_sched_op);
    if (!cancelled) {
        events_resume();
        grants_start();
        xs_resume();
    }
    machine->enable_interrupts();
    console_start();
    smp_start();
    if (!cancelled) {
        frontends_resume();
        frontends_settle(now() + 10 * SECOND);
    }
    return !cancelled;
}
