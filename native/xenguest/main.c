// The kernel: on Xen or on a machine, whichever it finds.
#include "xen.h"

void first_main(void) {
    if (on_xen) xen_start();
    firmware_start();
    memory_start();
    if (on_xen) {
        events_start();
    }
    time_start();
    machine->enable_interrupts();
    console_start();
    print("xenguest on %s: %lu MiB free, timer %lu MHz, command line \"%s\"\n", machine->name, free_page_count() >> 6, itc_frequency() / 1000000, command_line());
    smp_start();
    print("%d of %d processors are up\n", cpus_up(), cpu_count);
    for (int k = 0; k < 3; k++) {
        sleep(100 * MILLISECOND);
        print("tick %lu at %lu us\n", this_cpu->ticks, now() / 1000);
    }
    end_machine(POWER_OFF);
}
