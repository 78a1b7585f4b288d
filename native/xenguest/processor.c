// The two sides of the privileged operations, and the end of the machine.
#include "kernel.h"
#include "xen.h"

#define DECLARE(side)                                                                                                   \
    u64 side##_get_ivr(void), side##_get_tpr(void), side##_thash(u64), side##_get_rr(u64), side##_get_cpuid(u64),       \
        side##_get_psr(void), side##_get_pmd(u64);                                                                      \
    void side##_set_tpr(u64), side##_eoi(void), side##_set_itm(u64), side##_ptc_ga(u64, u64), side##_set_rr(u64, u64),  \
        side##_set_five_rr(u64, u64, u64, u64, u64), side##_set_kr(u64, u64), side##_fc(u64),                           \
        side##_insert(u64, u64, u64, u64, int);
DECLARE(native)
DECLARE(xen)
void native_ssm_i(void), native_rsm_i(void), xen_ssm_i(void);
void xen_ipi(u64 cpu, u64 vector);

#define PSR_I (1UL << 14)
#define PAL_HALT_LIGHT 29

static u64 native_disable(void) {
    u64 enabled = native_get_psr() & PSR_I;
    native_rsm_i();
    return enabled;
}

static void native_halt(void) {
    pal(PAL_HALT_LIGHT, 0, 0, 0);
    native_ssm_i();
}

static void native_ipi(int cpu, u64 vector) {
    // The processor interrupt block: an address for each local identifier.
    *(volatile u64 *)(REGION6 | 0xfee00000UL | cpus[cpu]->lid << 12) = vector;
    barrier();
}

static u64 xen_disable(void) {
    volatile u8 *mask = xsi_registers->interrupt_mask;
    u64 enabled = !*mask;
    *mask = 1;
    __asm__ volatile("" : : : "memory");
    return enabled;
}

static void xen_enable(void) {
    volatile u8 *mask = xsi_registers->interrupt_mask;
    __asm__ volatile("" : : : "memory");
    *mask = 0;
    barrier();
    // What came while it was masked: SSM_I is a point at which it is delivered.
    if (mask[-1]) xen_ssm_i();
}

static void xen_halt(void) { sched_op(SCHEDOP_block, 0); }
static void xen_send_ipi(int cpu, u64 vector) { xen_ipi((u64)cpu, vector); }

#define OPERATIONS(side) side##_get_ivr, side##_get_tpr, side##_set_tpr, side##_eoi, side##_set_itm, side##_thash, side##_ptc_ga, \
    side##_get_rr, side##_set_rr, side##_set_five_rr, side##_set_kr, side##_fc, side##_get_cpuid, side##_get_psr, side##_get_pmd, side##_insert

static const struct operations native = { "the platform", OPERATIONS(native), native_disable, native_ssm_i, native_halt, native_ipi };
static const struct operations xen = { "Xen", OPERATIONS(xen), xen_disable, xen_enable, xen_halt, xen_send_ipi };
const struct operations *machine = &native;

void processor_start(void) {
    if (on_xen) machine = &xen;
}

void end_machine(enum end how) {
    console_flush();
    machine->disable_interrupts();
    if (on_xen) {
        u32 reason[2] = { (u32)how, 0 };
        sched_op(SCHEDOP_shutdown, reason);
    }
    efi_call(EFI_RESET, how == REBOOT ? 1 : 2, 0, 0, 0);
    for (;;) machine->halt();
}

void panic(const char *text, ...) {
    char line[256];
    __builtin_va_list values;
    __builtin_va_start(values, text);
    format_list(line, sizeof(line), text, values);
    __builtin_va_end(values);
    machine->disable_interrupts();
    // One is enough, and the first one's console may be what is broken.
    static int panicking;
    if (on_xen) console_io(0, strlen(line), line);
    if (panicking++) {
        for (;;) {
            machine->disable_interrupts();
            u32 reason[2] = { CRASH, 0 };
            if (on_xen) sched_op(SCHEDOP_shutdown, reason);
            else efi_call(EFI_RESET, 2, 0, 0, 0);
        }
    }
    print("PANIC on processor %lu: %s\n", this_cpu->number, line);
    end_machine(CRASH);
}
