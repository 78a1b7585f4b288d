#include "selftest.h"
#include "xen.h"

static int passed, failed;

static void report(const char *name, int holds, const char *what) {
    if (holds) passed++;
    else failed++;
    print(holds ? "ok %s\n" : "FAIL %s: %s\n", name, what);
}

void expect(const char *name, s64 got, s64 expected) {
    char what[96];
    format(what, sizeof(what), "got %ld (0x%lx), expected %ld (0x%lx)", got, (u64)got, expected, (u64)expected);
    report(name, got == expected, what);
}

void expect_true(const char *name, int holds) { report(name, holds, "it does not hold"); }

void expect_fault(const char *name, u64 result, u64 vector, int code) {
    char what[128];
    struct cpu *cpu = this_cpu;
    if (result != FAULTED) {
        format(what, sizeof(what), "no fault, got 0x%lx", result);
        report(name, 0, what);
        return;
    }
    format(what, sizeof(what), "vector 0x%lx isr 0x%lx ifa 0x%lx, expected vector 0x%lx code 0x%x", cpu->fault_vector, cpu->fault_isr, cpu->fault_address, vector, code);
    report(name, cpu->fault_vector == vector && (code < 0 || (cpu->fault_isr & 0xff) == (u64)code), what);
}

void expect_no_fault(const char *name, u64 result) {
    char what[96];
    format(what, sizeof(what), "vector 0x%lx isr 0x%lx ifa 0x%lx", this_cpu->fault_vector, this_cpu->fault_isr, this_cpu->fault_address);
    report(name, result != FAULTED, what);
}

int selftest(void) {
    passed = failed = 0;
    test_processor();
    test_machine();
    if (on_xen) {
        test_hypercalls();
        test_events();
        test_memory();
        test_grants();
        test_store();
        test_devices();
    }
    test_pci();
    print("selftest: %d ok, %d failed\n", passed, failed);
    return failed;
}
