// The kernel: on Xen or on a machine, whichever it finds.
//
// Words of the command line: "selftest", "selftest=TIMES": tests what it runs on, and ends the machine (crashed where a test failed). "idle": does nothing but what
// it is asked. "stay": dom0 stays after what it shows. "scratch": the tests may write to the first disk. "address=A.B.C.D": its IP address.
// "serve": a driver domain, of what a toolstack wants it to serve. "churn=DOMAIN": writes and reads its first disk and pings the domain, until it is told to power off.
// "parallel": the same work on one processor and on two. "bench", "bench=peer": measures (bench.c). "fuzz=SEED": calls the hypervisor at random, so many "rounds=", and then "wild" without care for itself ("loud": says what).
#include "control.h"
#include "devices.h"
#include "grants.h"
#include "selftest.h"
#include "xenstore.h"

static void start_on_xen(void) {
    grants_start();
    xs_start();
    balloon_start();
    disks_start();
    internet_start();
    nics_start();
    control_start();
    if (has_word("serve")) serving_start();
}

void first_main(void) {
    xen_start();
    firmware_start();
    memory_start();
    if (on_xen) events_start();
    time_start();
    machine->enable_interrupts();
    console_start();
    smp_start();
    if (on_xen) start_on_xen();
    print("xenguest on %s, %s: %d of %d processors, %lu MiB free, timer %lu MHz, %d disks, %d network interfaces\n", machine->name,
        is_dom0() ? "dom0" : on_xen ? "domU" : "alone", cpus_up(), cpu_count, free_page_count() >> 6, itc_frequency() / 1000000, disk_count, nic_count);
    char value[24];
    if (on_xen && word_value("fuzz", value, sizeof(value))) {
        u64 seed = to_number(value);
        fuzz(seed, word_value("rounds", value, sizeof(value)) ? to_number(value) : 20000);
        end_machine(POWER_OFF);
    }
    if (has_word("parallel") && cpu_count > 1) parallel();
    if (word_value("selftest", value, sizeof(value))) {
        int failures = 0;
        for (u64 left = *value ? to_number(value) : 1; left > 0; left--) failures += selftest();
        end_machine(failures ? CRASH : POWER_OFF);
    }
    if (word_value("bench", value, sizeof(value))) bench(value);
    if (word_value("churn", value, sizeof(value))) churn((int)to_number(value));
    if (is_dom0()) tour();
    else if (!has_word("idle") && !has_word("serve")) selftest();
    prompt();
}
