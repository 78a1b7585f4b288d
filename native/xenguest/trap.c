// Interruptions that reach C.
#include "kernel.h"
#include "xen.h"

#define VECTOR_INTERRUPT 0x3000
#define PSR_AC (1UL << 3)
#define PSR_RI (3UL << 41)

static void take_interrupts(void) {
    if (on_xen) {
        take_events();
        return;
    }
    for (;;) {
        u64 vector = machine->get_ivr() & 0xff;
        if (vector == 15) return;
        if (vector == TIMER_VECTOR) timer_interrupt();
        else if (vector == IPI_VECTOR) ipi_interrupt();
        machine->eoi();
    }
}

void trap(struct frame *frame) {
    struct cpu *cpu = this_cpu;
    if (frame->vector == VECTOR_INTERRUPT) {
        cpu->handling++;
        cpu->wakeups++;
        take_interrupts();
        cpu->handling--;
        return;
    }
    cpu->fault_vector = frame->vector;
    cpu->fault_isr = frame->isr;
    cpu->fault_address = frame->ifa;
    if (cpu->recover_ip) {
        frame->iip = (u64)cpu->recover_ip;
        frame->sp = cpu->recover_sp;
        frame->ipsr &= ~(PSR_RI | PSR_AC);
        cpu->recover_ip = 0;
        return;
    }
    panic("vector 0x%lx at 0x%lx (isr 0x%lx, ifa 0x%lx, iim 0x%lx, b0 0x%lx, sp 0x%lx)", frame->vector, frame->iip, frame->isr, frame->ifa,
        frame->iim, frame->b0, frame->sp);
}
