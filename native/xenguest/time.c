// Time: the interval time counter, its interrupt, and waiting.
#include "kernel.h"
#include "xen.h"

#define PAL_FREQ_BASE 13
#define PAL_FREQ_RATIOS 14
#define SAL_FREQ_BASE 0x01000012
#define NEVER (~0UL)

static u64 frequency;
static void (*services[16])(void);
static int service_count;

void time_start(void) {
    u64 base = (u64)sal(SAL_FREQ_BASE, 0, 0, 0, 0, 0).value[0];
    u64 ratio = pal(PAL_FREQ_RATIOS, 0, 0, 0).value[2];
    frequency = base * (ratio >> 32) / (ratio & 0xffffffff);
    time_start_cpu();
}

u64 itc_frequency(void) { return frequency; }

static u64 to_nanoseconds(u64 ticks) { return ticks / frequency * SECOND + ticks % frequency * SECOND / frequency; }
static u64 to_ticks(u64 nanoseconds) { return nanoseconds / SECOND * frequency + nanoseconds % SECOND * frequency / SECOND; }

u64 now(void) { return to_nanoseconds(read_itc()); }

void set_itv(u64 value);

void time_start_cpu(void) {
    if (on_xen) bind_timer();
    set_itv(TIMER_VECTOR);
    if (!on_xen) machine->set_tpr(0);
}

void timer_interrupt(void) { this_cpu->ticks++; }

// A time that has passed raises no interrupt on a machine, so it is never set to one.
static void set_alarm(u64 until) {
    if (until == NEVER) {
        machine->set_itm(on_xen ? 0 : read_itc() - 1);
        return;
    }
    u64 soon = frequency / 20000;
    u64 itm = to_ticks(until) + 1;
    for (;;) {
        u64 least = read_itc() + soon;
        if (itm < least) itm = least;
        machine->set_itm(itm);
        if (read_itc() < itm) return;
        soon *= 2;
        itm = 0;
    }
}

void wait_interrupt(u64 until) {
    set_alarm(until);
    machine->halt();
}

void add_service(void (*service)(void)) {
    if (service_count < COUNT(services)) services[service_count++] = service;
}

void run_services(void) {
    static int running;
    // Of the first processor only, and not from within one.
    if (this_cpu->number != 0 || running) return;
    running = 1;
    for (int k = 0; k < service_count; k++) services[k]();
    running = 0;
}

int wait_until(int (*condition)(void *), void *argument, u64 until) {
    for (;;) {
        u64 enabled = machine->disable_interrupts();
        u64 seen = this_cpu->wakeups;
        if (enabled) machine->enable_interrupts();
        run_services();
        if (condition && condition(argument)) return 1;
        if (now() >= until) return 0;
        machine->disable_interrupts();
        // What came since is looked at first.
        if (seen != this_cpu->wakeups) machine->enable_interrupts();
        else wait_interrupt(until);
    }
}

void sleep(u64 nanoseconds) { wait_until(0, 0, now() + nanoseconds); }
