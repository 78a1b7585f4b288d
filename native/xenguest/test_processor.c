// Privileged operations, by hyperprivop and by instruction; interruptions.
#include "selftest.h"
#include "xen.h"

enum { ALTERNATE_ITLB = 0x0c00, ALTERNATE_DTLB = 0x1000, BREAK = 0x2c00, GENERAL = 0x5400, NAT_CONSUMPTION = 0x5600, UNALIGNED = 0x5a00 };
enum { ILLEGAL_OPERATION = 0x00, RESERVED_FIELD = 0x30 };
#define REGION5 0xa000000000000000UL
#define PTE 0x661UL
#define ITIR (PAGE_SHIFT << 2)
#define PSR_IC (1UL << 13)
#define PSR_I (1UL << 14)
#define PSR_DT (1UL << 17)
#define PSR_IT (1UL << 36)

u64 native_get_rr(u64), native_thash(u64), native_get_tpr(void), native_tpa(u64), native_tak(u64), native_get_psr(void), native_get_ivr(void);
u64 native_get_cpuid(u64), native_get_pmd(u64), xen_get_pmd(u64);
void native_set_rr(u64, u64), native_set_tpr(u64), native_set_five_rr(u64, u64, u64, u64, u64), native_set_kr(u64, u64), native_fc(u64), native_eoi(void);
void native_insert(u64, u64, u64, u64, int), native_ptc_ga(u64, u64), native_ptc_l(u64, u64), native_set_itm(u64), ptc_e(u64);
u64 get_dcr(void), get_itm(void), get_iva(void), get_pta(void), get_itv(void), get_pmv(void), get_cmcv(void), get_lrr0(void), get_lrr1(void), get_lid(void);
u64 get_ifs(void), get_iha(void), get_iim(void), get_tpr(void), get_irr3(void);
void set_dcr(u64), set_itm(u64), set_iva(u64), set_pta(u64), set_itv(u64), set_pmv(u64), set_cmcv(u64), set_lrr0(u64), set_lrr1(u64), set_lid(u64);
void set_ifs(u64), set_iha(u64), set_iim(u64), set_tpr(u64);
u64 read_byte(u64), read_word(u64), read_unaligned(u64), read_speculatively(u64);
void write_word(u64, u64), break_instruction(void), jump_to(u64);
u64 xen_get_eflag(void), xen_cover(void);
void xen_set_eflag(u64), xen_rsm_be(void), xen_rsm_dt(void), xen_ssm_dt(void), xen_ssm_i(void);
void use_nat(void);

static u64 word __attribute__((aligned(64)));

static u64 code(const void *function) { return *(const u64 *)function; }

static void test_faults(void) {
    expect_fault("fault.read.unmapped", attempt(read_word, REGION5, 0, 0), ALTERNATE_DTLB, -1);
    expect("fault.address", (s64)this_cpu->fault_address, (s64)REGION5);
    expect_fault("fault.write.unmapped", attempt(write_word, REGION5 + 8, 0, 0), ALTERNATE_DTLB, -1);
    expect_true("fault.write.isr", (this_cpu->fault_isr >> 33 & 1) == 1);
    expect_fault("fault.execute.unmapped", attempt(jump_to, REGION5 + 0x4000, 0, 0), ALTERNATE_ITLB, -1);
    expect_fault("fault.break", attempt(break_instruction, 0, 0, 0), BREAK, -1);
    expect_fault("fault.unaligned", attempt(read_unaligned, (u64)&word, 0, 0), UNALIGNED, -1);
    expect_fault("fault.nat.consumption", attempt(use_nat, REGION5, 0, 0), NAT_CONSUMPTION, -1);
    expect("speculation.defers", (s64)attempt(read_speculatively, REGION5, 0, 0), -1);
    word = 77;
    expect("speculation.loads", (s64)attempt(read_speculatively, (u64)&word, 0, 0), 77);
}

static void test_translations(void (*insert)(u64, u64, u64, u64, int), void (*purge)(u64, u64), const char *side) {
    char name[64];
    u64 *page = allocate_pages(1), at = REGION5 + 0x100000;
    page[1] = 0x1234567;
#define NAME(text) (format(name, sizeof(name), "%s.%s", side, text), name)
    insert(at, ITIR, physical(page) | PTE, 0, INSERT_DATA);
    expect(NAME("itc.d"), (s64)attempt(read_word, at + 8, 0, 0), 0x1234567);
    purge(at, ITIR);
    expect_fault(NAME("ptc.ga"), attempt(read_word, at + 8, 0, 0), ALTERNATE_DTLB, -1);
    insert(at + 0x10000, ITIR, physical(page) | PTE, 7, INSERT_REGISTER);
    expect(NAME("itr.d"), (s64)attempt(read_word, at + 0x10008, 0, 0), 0x1234567);
    // The slot's next translation is the end of the last.
    insert(at + 0x20000, ITIR, physical(page) | PTE, 7, INSERT_REGISTER);
    expect_fault(NAME("itr.d.replaced"), attempt(read_word, at + 0x10008, 0, 0), ALTERNATE_DTLB, -1);
    expect(NAME("itr.d.again"), (s64)attempt(read_word, at + 0x20008, 0, 0), 0x1234567);
    // Code: a function of this kernel, seen at another address.
    u64 from = code(read_word) & ~(PAGE_SIZE - 1), away = code(read_word) - from;
    insert(at + 0x30000, ITIR, (from & ~REGION7) | PTE, 0, INSERT_CODE);
    u64 descriptor[2] = { at + 0x30000 + away, 0 };
    barrier();
    expect(NAME("itc.i"), (s64)attempt(descriptor, (u64)page + 8, 0, 0), 0x1234567);
    purge(at + 0x30000, ITIR);
    free_pages(page, 1);
#undef NAME
}

static void test_regions(void) {
    u64 old = machine->get_rr(0x2000000000000000);
    machine->set_rr(0x2000000000000000, 0x4321 << 8 | ITIR);
    expect("rr.set", (s64)machine->get_rr(0x2000000000000000), 0x4321 << 8 | ITIR);
    expect("rr.instruction", (s64)native_get_rr(0x2000000000000000), 0x4321 << 8 | ITIR);
    native_set_rr(0x2000000000000000, old);
    expect("rr.restored", (s64)machine->get_rr(0x2000000000000000), (s64)old);
    u64 before[5], same = 1;
    for (u64 r = 0; r < 5; r++) before[r] = machine->get_rr(r << 61);
    machine->set_five_rr(0x100 | ITIR, 0x200 | ITIR, 0x300 | ITIR, 0x400 | ITIR, 0x500 | ITIR);
    for (u64 r = 0; r < 5; r++) same &= machine->get_rr(r << 61) == ((r + 1) << 8 | ITIR);
    machine->set_five_rr(before[0], before[1], before[2], before[3], before[4]);
    expect_true("rr.five", (int)same);
    expect_fault("rr.reserved", attempt(native_set_rr, 0x2000000000000000, 2, 0), GENERAL, RESERVED_FIELD);
}

static void test_control_registers(void) {
    u64 was = get_dcr();
    set_dcr(was ^ 0x100);
    expect("cr.dcr", (s64)get_dcr(), (s64)(was ^ 0x100));
    set_dcr(was);
    expect_true("cr.iva", get_iva() != 0 && (get_iva() & 0x7fff) == 0);
    was = get_pta();
    set_pta(20 << 2);
    expect("cr.pta", (s64)get_pta(), 20 << 2);
    set_pta(was);
    expect_fault("cr.pmv.reserved", attempt(set_pmv, 0x1fe, 0, 0), GENERAL, RESERVED_FIELD);
}

static void test_task_priority(void) {
    machine->set_tpr(0x50);
    expect("tpr.set", (s64)machine->get_tpr(), 0x50);
    expect("tpr.instruction", (s64)native_get_tpr(), 0x50);
    native_set_tpr(0);
    expect("tpr.clear", (s64)machine->get_tpr(), 0);
    expect_fault("tpr.reserved", attempt(set_tpr, 0xff00, 0, 0), GENERAL, RESERVED_FIELD);
}

static void test_other_registers(void) {
    if (on_xen) {
        set_iha(0x8888);
        expect("cr.iha", (s64)get_iha(), 0x8888);
    } else expect_fault("cr.iha.collecting", attempt(set_iha, 0x8888, 0, 0), GENERAL, ILLEGAL_OPERATION);
    u64 was = get_itv();
    expect("cr.itv", (s64)was, TIMER_VECTOR);
    expect_fault("cr.itv.reserved", attempt(set_itv, 0xef00, 0, 0), GENERAL, RESERVED_FIELD);
    u64 pmv = get_pmv();
    set_pmv(0x100f2 & ~0xef00);
    expect("cr.pmv", (s64)get_pmv(), 0x100f2);
    set_pmv(pmv | 0x10000);
    set_cmcv(0x100f3);
    expect("cr.cmcv", (s64)get_cmcv(), 0x100f3);
    set_lrr0(0x10000);
    expect_true("cr.lrr0.masked", (get_lrr0() & 0x10000) != 0);
    set_lrr1(0x10000);
    expect_true("cr.lrr1.masked", (get_lrr1() & 0x10000) != 0);
    expect("cr.lid", (s64)(get_lid() >> 24 & 0xff), (s64)this_cpu->lid);
    machine->set_kr(6, 0x6666777788889999);
    u64 value;
    __asm__ volatile("mov %0 = ar.k6" : "=r"(value));
    expect("ar.k6", (s64)value, 0x6666777788889999);
    native_set_kr(7, 0x7777);
    __asm__ volatile("mov %0 = ar.k7" : "=r"(value));
    expect("ar.k7.instruction", (s64)value, 0x7777);
    expect_no_fault("fc", attempt(machine->flush_line, (u64)&word, 0, 0));
    expect_no_fault("fc.instruction", attempt(native_fc, (u64)&word, 0, 0));
    expect("tpa", (s64)native_tpa((u64)&word), (s64)physical(&word));
    expect_fault("tpa.unmapped", attempt(native_tpa, REGION5, 0, 0), ALTERNATE_DTLB, -1);
    expect("tak.unmapped", (s64)native_tak(REGION5), 1);
    expect("thash", (s64)machine->thash(REGION5 + 0x4000), (s64)native_thash(REGION5 + 0x4000));
    expect_true("thash.neighbours", machine->thash(REGION5 + 0x8000) - machine->thash(REGION5 + 0x4000) == 8);
    expect_no_fault("pmd", attempt(machine->get_pmd, 4, 0, 0));
    u64 psr = machine->get_psr();
    expect_true("psr", (psr & PSR_IC) && (psr & PSR_I) && (psr & PSR_DT) && (psr & PSR_IT));
    expect("psr.instruction", (s64)native_get_psr(), (s64)psr);
    machine->disable_interrupts();
    expect_true("psr.i.off", !(machine->get_psr() & PSR_I));
    machine->enable_interrupts();
    expect_true("psr.i.on", (machine->get_psr() & PSR_I) != 0);
}

static void test_xen_side(void) {
    u64 vendor = machine->get_cpuid(0);
    expect_true("cpuid.vendor", memcmp(&vendor, "Xen/ia64", 8) == 0);
    expect_true("cpuid.registers", (machine->get_cpuid(3) & 0xff) >= 4);
    u64 rsc;
    __asm__ volatile("mov %0 = ar.rsc" : "=r"(rsc));
    expect_true("rsc.level", (rsc >> 2 & 3) == 1 || (rsc >> 2 & 3) == 2);
    expect("eoi.none", (machine->eoi(), 0), 0);
    expect_no_fault("eflag", attempt(xen_get_eflag, 0, 0, 0));
    expect_no_fault("set.eflag", attempt(xen_set_eflag, 0, 0, 0));
    expect_no_fault("rsm.be", attempt(xen_rsm_be, 0, 0, 0));
    expect("cover", (s64)xen_cover(), (s64)(1UL << 63));
    expect_fault("cr.lid.write", attempt(set_lid, 0, 0, 0), GENERAL, ILLEGAL_OPERATION);
    expect_fault("cr.lrr0.unmasked", attempt(set_lrr0, 0x30, 0, 0), GENERAL, ILLEGAL_OPERATION);
    expect_no_fault("ptc.e", attempt(ptc_e, 0, 0, 0));
    // Metaphysical mode: region 0 shows physical addresses, code stays where it is.
    word = 0x4711;
    machine->disable_interrupts();
    xen_rsm_dt();
    u64 mode = xsi_registers->metaphysical, seen = read_word(physical(&word));
    xen_ssm_dt();
    machine->enable_interrupts();
    expect("rsm.dt", (s64)mode, 1);
    expect("rsm.dt.physical", (s64)seen, 0x4711);
    expect("ssm.dt", xsi_registers->metaphysical, 0);
    expect("xsi.bank", xsi_registers->bank, 1);
    expect("xsi.collection", xsi_registers->collection, 1);
    machine->disable_interrupts();
    xen_ssm_i();
    expect("ssm.i", *xsi_registers->interrupt_mask, 0);
    expect("xsi.kr", (s64)xsi_registers->kr[6], 0x6666777788889999);
    expect("xsi.rr", (s64)xsi_registers->rr[2], (s64)machine->get_rr(2UL << 61));
    expect("ivr.spurious", (s64)machine->get_ivr(), 15);
}

void test_processor(void) {
    test_faults();
    test_translations(machine->insert, machine->purge, on_xen ? "hyperprivop" : "platform");
    if (on_xen) test_translations(native_insert, native_ptc_ga, "instruction");
    u64 *page = allocate_pages(1);
    native_insert(REGION5 + 0x200000, ITIR, physical(page) | PTE, 0, INSERT_DATA);
    native_ptc_l(REGION5 + 0x200000, ITIR);
    expect_fault("ptc.l", attempt(read_word, REGION5 + 0x200000, 0, 0), ALTERNATE_DTLB, -1);
    free_pages(page, 1);
    test_regions();
    test_control_registers();
    test_task_priority();
    test_other_registers();
    if (on_xen) test_xen_side();
}
