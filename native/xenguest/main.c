// The kernel: on Xen or on a machine, whichever it finds.
#include "devices.h"
#include "grants.h"
#include "selftest.h"
#include "xenstore.h"

void first_main(void) {
    xen_start();
    firmware_start();
    memory_start();
    if (on_xen) events_start();
    time_start();
    machine->enable_interrupts();
    console_start();
    print("xenguest on %s: %lu MiB free, timer %lu MHz\n", machine->name, free_page_count() >> 6, itc_frequency() / 1000000);
    smp_start();
    if (on_xen) {
        grants_start();
        xs_start();
        balloon_start();
        disks_start();
        internet_start();
        nics_start();
    }
    print("%d of %d processors, %d disks, %d network interfaces\n", cpus_up(), cpu_count, disk_count, nic_count);
    int failures = has_word("selftest") ? selftest() : 0;
    end_machine(failures ? CRASH : POWER_OFF);
}
