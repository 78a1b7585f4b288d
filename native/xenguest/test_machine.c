// Time, processors, firmware: the same on Xen and on a machine.
#include "selftest.h"
#include "xen.h"

#define PAL_PTCE_INFO 6
#define PAL_VM_SUMMARY 8
#define PAL_FREQ_RATIOS 14
#define PAL_RSE_INFO 19
#define PAL_VERSION 20
#define SAL_FREQ_BASE 0x01000012
#define SAL_CACHE_FLUSH 0x01000008
#define EFI_SET_TIME 1
#define EFI_UNSUPPORTED (1UL << 63 | 3)

static void test_firmware(void) {
    expect("pal.version", pal(PAL_VERSION, 0, 0, 0).status, 0);
    struct pal_result summary = pal(PAL_VM_SUMMARY, 0, 0, 0);
    expect("pal.vm.summary", summary.status, 0);
    expect_true("pal.vm.summary.registers", (summary.value[0] >> 40 & 0xff) >= 7);
    expect("pal.ptce.info", pal(PAL_PTCE_INFO, 0, 0, 0).status, 0);
    expect("pal.rse.info", pal(PAL_RSE_INFO, 0, 0, 0).status, 0);
    expect("pal.freq.ratios", pal(PAL_FREQ_RATIOS, 0, 0, 0).status, 0);
    expect_true("pal.unknown", pal(200, 0, 0, 0).status < 0);
    expect("sal.freq.base", sal(SAL_FREQ_BASE, 0, 0, 0, 0, 0).status, 0);
    expect_true("sal.unknown", sal(0x01ffffff, 0, 0, 0, 0, 0).status < 0);
    static struct { u16 year; u8 month, day, hour, minute, second, pad; u32 nanosecond; s16 zone; u8 daylight, pad2; } time;
    expect("efi.get.time", (s64)efi_call(EFI_GET_TIME, physical(&time), 0, 0, 0), 0);
    expect_true("efi.get.time.sane", time.year >= 2020 && time.month >= 1 && time.month <= 12 && time.day <= 31 && time.hour < 24);
    if (on_xen) expect("efi.set.time", (s64)efi_call(EFI_SET_TIME, physical(&time), 0, 0, 0), is_dom0() ? 0 : (s64)EFI_UNSUPPORTED);
    expect("sal.cache.flush", sal(SAL_CACHE_FLUSH, 3, 0, 0, 0, 0).status, 0);
}

static int ticked(void *before) { return this_cpu->ticks != *(u64 *)before; }

static void test_time(void) {
    u64 before = now(), ticks = this_cpu->ticks;
    sleep(5 * MILLISECOND);
    expect_true("time.sleeps", now() - before >= 5 * MILLISECOND);
    // On a busy host a time may have come before it is waited for.
    for (int k = 0; k < 50 && this_cpu->ticks == ticks; k++) sleep(5 * MILLISECOND);
    expect_true("time.ticks", this_cpu->ticks != ticks);
    int monotonic = 1;
    for (int k = 0; k < 1000; k++) {
        u64 a = now(), b = now();
        monotonic &= b >= a;
    }
    expect_true("time.monotonic", monotonic);
    if (!on_xen) return;
    // On Xen a time that has passed is one that has come.
    ticks = this_cpu->ticks;
    machine->set_itm(read_itc() - 1000);
    expect_true("itm.passed", wait_until(ticked, &ticks, now() + SECOND));
    ticks = this_cpu->ticks;
    machine->set_itm(0);
    u64 until = now() + 3 * MILLISECOND;
    while (now() < until) pause();
    expect_true("itm.zero.is.never", this_cpu->ticks == ticks);
}

static volatile u64 sum;
static void add_number(void *argument) { __atomic_fetch_add(&sum, (u64)argument, __ATOMIC_SEQ_CST); }

u64 read_word(u64);
#define SHARED_VIEW 0xa000000000500000UL
static volatile u64 phase;
static volatile u64 seen_before, seen_after;

// Looks at a translation of its own before and after another processor purged it everywhere.
static void look(void *page) {
    machine->insert(SHARED_VIEW, PAGE_SHIFT << 2, physical(page) | 0x661, 0, INSERT_DATA);
    seen_before = attempt(read_word, SHARED_VIEW, 0, 0);
    phase = 1;
    u64 until = now() + 5 * SECOND;
    while (phase != 2 && now() < until) pause();
    seen_after = attempt(read_word, SHARED_VIEW, 0, 0);
}

static volatile int is_over;

// Answers each event of the other processor's by one of its own, until it is over.
static void answer(void *argument) {
    (void)argument;
    u64 seen = this_cpu->ipis;
    phase = 3;
    while (!is_over) {
        if (this_cpu->ipis == seen) continue;
        seen = this_cpu->ipis;
        if (on_xen) send_ipi_event(0);
        else machine->send_ipi(0, IPI_VECTOR);
    }
}

static int has_answered(void *argument) { return this_cpu->ipis != *(u64 *)argument; }

static void test_processors(void) {
    expect("smp.all.up", cpus_up(), cpu_count);
    if (cpu_count == 1) return;
    sum = 0;
    u64 wanted = 0;
    for (int n = 1; n < cpu_count; n++) {
        wanted += (u64)n;
        if (!run_on(n, add_number, (void *)(u64)n)) expect_true("smp.run", 0);
    }
    for (int n = 1; n < cpu_count; n++) wait_idle(n, now() + 5 * SECOND);
    expect("smp.tasks", (s64)sum, (s64)wanted);

    u64 *page = allocate_pages(1);
    page[0] = 99;
    phase = 0;
    run_on(1, look, page);
    u64 until = now() + 5 * SECOND;
    while (phase != 1 && now() < until) pause();
    machine->purge(SHARED_VIEW, PAGE_SHIFT << 2);
    phase = 2;
    wait_idle(1, now() + 5 * SECOND);
    expect("smp.mapped", (s64)seen_before, 99);
    expect("smp.ptc.ga", (s64)seen_after, (s64)FAULTED);
    free_pages(page, 1);

    is_over = 0;
    run_on(1, answer, 0);
    while (phase != 3) pause();
    int good = 1;
    for (int k = 0; k < 20; k++) {
        u64 before = this_cpu->ipis;
        if (on_xen) send_ipi_event(1);
        else machine->send_ipi(1, IPI_VECTOR);
        good &= wait_until(has_answered, &before, now() + 5 * SECOND);
    }
    is_over = 1;
    wait_idle(1, now() + 5 * SECOND);
    expect_true("smp.ipi.ping.pong", good);
    if (!on_xen) return;
    expect_true("smp.down", take_down(cpu_count - 1));
    expect("smp.down.up", cpus_up(), cpu_count - 1);
    smp_start();
    expect("smp.up.again", cpus_up(), cpu_count);
    sum = 0;
    expect("smp.up.task", run_on(cpu_count - 1, add_number, (void *)77) && wait_idle(cpu_count - 1, now() + 5 * SECOND) ? (s64)sum : -1, 77);
}

void test_machine(void) {
    test_firmware();
    test_time();
    test_processors();
}
