// Processors: started by SAL's rendezvous and the firmware's wake-up interrupt; each waits for tasks.
#include "kernel.h"
#include "xen.h"

#define SAL_SET_VECTORS 0x01000000
#define AREA_PAGES 4
#define CALL_SAL_RETURN 0x1200
#define VCPUOP_is_up 3

struct cpu *cpus[MAXIMUM_CPUS];
int cpu_count;

static int is_up(void *cpu) { return ((struct cpu *)cpu)->is_up != 0; }

void smp_start(void) {
    u8 lids[MAXIMUM_CPUS];
    cpu_count = cpu_lids(lids, MAXIMUM_CPUS);
    cpus[0] = this_cpu;
    if (cpu_count < 1) cpu_count = 1;
    this_cpu->is_up = 1;
    this_cpu->lid = lids[0];
    if (cpu_count == 1) return;
    extern char other_start_code[] __asm__("other_start");
    sal(SAL_SET_VECTORS, 2, physical(other_start_code), 0, 0, 0);
    for (int n = 1; n < cpu_count; n++) {
        struct cpu *cpu = cpus[n] ? cpus[n] : allocate_pages(AREA_PAGES);
        if (cpu->is_up) continue;
        cpu->number = (u64)n;
        cpu->lid = lids[n];
        cpus[n] = cpu;
        area_of_lid[lids[n]] = (u64)cpu;
        barrier();
        if (on_xen && !cpu->timer_port) bind_cpu_events(cpu);
        machine->send_ipi(n, wakeup_vector());
        if (!wait_until(is_up, cpu, now() + 5 * SECOND)) print("processor %d does not start\n", n);
    }
}

// A processor goes down as one that firmware gets back; it comes up as a new one.
static void go_down(void *argument) {
    (void)argument;
    machine->disable_interrupts();
    this_cpu->is_up = 0;
    firmware_hypercall(CALL_SAL_RETURN, 0);
}

int take_down(int n) {
    if (!on_xen || !run_on(n, go_down, 0)) return 0;
    // Nothing tells that it is down.
    for (int k = 0; k < 5000; k++) {
        if (vcpu_op(VCPUOP_is_up, (u64)n, 0) == 0) {
            cpus[n]->task = 0;
            return 1;
        }
        sleep(MILLISECOND);
    }
    return 0;
}

void first_main(void);

void first_processor(void) {
    cpus[0] = this_cpu;
    processor_start();
    first_main();
}

void other_processor(void) {
    struct cpu *cpu = this_cpu;
    if (on_xen) events_start_cpu();
    time_start_cpu();
    barrier();
    cpu->is_up = 1;
    // The first processor waits for it.
    machine->send_ipi(0, IPI_VECTOR);
    if (on_xen) send_ipi_event(0);
    for (;;) {
        machine->disable_interrupts();
        if (!cpu->task) {
            wait_interrupt(~0UL);
            continue;
        }
        machine->enable_interrupts();
        cpu->task(cpu->argument);
        barrier();
        cpu->task = 0;
        if (on_xen) send_ipi_event(0);
        else machine->send_ipi(0, IPI_VECTOR);
    }
}

int cpus_up(void) {
    int up = 0;
    for (int n = 0; n < cpu_count; n++) up += cpus[n] && cpus[n]->is_up;
    return up;
}

void ipi_interrupt(void) { this_cpu->ipis++; }

int run_on(int n, void (*task)(void *), void *argument) {
    struct cpu *cpu = n > 0 && n < cpu_count ? cpus[n] : 0;
    if (!cpu || !cpu->is_up || cpu->task) return 0;
    cpu->argument = argument;
    barrier();
    cpu->task = task;
    barrier();
    if (on_xen) send_ipi_event(n);
    else machine->send_ipi(n, IPI_VECTOR);
    return 1;
}

static int is_idle(void *cpu) { return !((struct cpu *)cpu)->task; }
int wait_idle(int n, u64 until) { return wait_until(is_idle, cpus[n], until); }
