// A hostile guest: calls of the hypervisor with whatever comes. What would only end this domain is left out, until it goes wild: then everything is
// tried, and the domain may end as it likes. The host must not.
#include "fuzz.h"
#include "grants.h"
#include "selftest.h"

#define PAGES 8
#define CALL_IPI 0x400
#define CALL_PAL 0x1000
#define PAL_HALT 28
#define PAL_HALT_LIGHT 29
#define PAL_SHUTDOWN 40

void xen_ipi(u64 cpu, u64 vector);
u64 hyperprivop_with(u64 number, u64 r8, u64 r9);

static u64 state;
static u64 *scratch;                    // handed to the hypervisor, filled anew for each call
static int is_wild, is_loud;

#define SMALL 64

// What comes next, for who wants to know what ended the guest ("loud").
static void say(const char *what, u64 number, u64 a0, u64 a1, u64 a2) {
    if (is_loud) print("%s 0x%lx (0x%lx, 0x%lx, 0x%lx)\n", what, number, a0, a1, a2);
}

u64 random(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}
u64 below(u64 limit) { return random() % limit; }

// Taken for an address, or for the number of a frame, it is not one of the kernel's.
static u64 harmless(u64 value) {
    u64 address = value & 0x07ffffffffffffff;
    // Stacks and the heap are below and above the kernel; what is less than this is a port, a domain, a count.
    int is_ours = address >= SMALL && address < 0x4000000;
    return !is_wild && is_ours ? value | 1UL << 58 : value;
}

u64 some_number(void) {
    static const u64 numbers[] = { 0, 1, 2, 0x7ff0, 0x7fef, 0x7ff1, 0x7ff2, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 1UL << 40, 1UL << 63, ~0UL };
    switch (below(4)) {
    case 0: return below(48);
    case 1: return numbers[below(COUNT(numbers))];
    case 2: return harmless(1UL << below(64));
    default: return harmless(random());
    }
}

// Frames are those of the scratch pages, or none.
u64 some_frame(void) {
    if (is_wild) return some_number();
    return below(4) ? frame_of(scratch) + 1 + below(PAGES - 1) : 1UL << (28 + below(36));
}

static u64 some_handle(void) {
    switch (below(8)) {
    case 0: return NOWHERE;
    case 1: return 0;
    case 2: return physical(scratch);                                   // a descriptor, if its magic is right
    // The hypervisor's window. Results in the grant table would be grants, by which others may write anything.
    case 3: return is_wild ? 1UL << 63 | 1UL << 40 | below(1UL << 16) : NOWHERE;
    case 4: return harmless(random());
    default: return handle_of((u8 *)scratch + below(64) * 8);
    }
}

static void fill(void) {
    u32 *words = (u32 *)scratch;
    for (int k = 0; k < 256; k++) scratch[k] = below(3) ? some_frame() : below(2) ? some_handle() : some_number();
    if (below(4) == 0) words[0] = 0x58434f4d, words[1] = (u32)(below(4) ? below(8) : random());
    // Domain, version, port: small numbers at the front of most structures.
    else if (below(2)) words[0] = (u32)(is_wild ? some_number() : below(2) ? 0x7ff0 : below(48) + 4), words[1] = (u32)below(16), words[2] = (u32)below(48);
}

// Whether the call would only end, stop or deafen this domain.
static int is_suicide(u64 number, const u64 *a) {
    if (is_wild) return 0;
    switch (number) {
    case HYPERVISOR_sched_op_compat:
    case HYPERVISOR_sched_op: return a[0] >= SCHEDOP_block && a[0] <= 7;
    case HYPERVISOR_callback_op: return a[0] == 0;
    case HYPERVISOR_vcpu_op: return a[0] == 0 || a[0] == 2;
    case HYPERVISOR_event_channel_op: return a[0] == EVTCHNOP_close || a[0] == EVTCHNOP_reset || a[0] == EVTCHNOP_bind_vcpu;
    case HYPERVISOR_console_io: return a[1] > 16;
    // Gives a frame away whose number is in the structure: small ones are those of stacks.
    case HYPERVISOR_grant_table_op: return a[0] == GNTTABOP_transfer;
    // The kernel's own frames, and the firmware's.
    case HYPERVISOR_dom0vp_op: return a[1] < 0x2000 && (a[1] <= frame_of(scratch) || a[1] >= frame_of(scratch) + PAGES);
    default: return number == 0x600 || number == 0x1200 || number == 0x309;
    }
}

// Where a hypercall's command is: in its first argument, in the structure at its first argument (with a version beside it), or nowhere.
enum { IN_ARGUMENT, IN_STRUCTURE, NOWHERE_AT_ALL };
static const struct call { u16 number; u8 place, commands; u32 versions[3]; } calls[] = {
    { HYPERVISOR_sched_op_compat, IN_ARGUMENT, 4, { 0 } }, { HYPERVISOR_platform_op, IN_STRUCTURE, 60, { 0x03000001 } },
    { HYPERVISOR_memory_op, IN_ARGUMENT, 24, { 0 } }, { HYPERVISOR_multicall, NOWHERE_AT_ALL, 0, { 0 } }, { HYPERVISOR_xen_version, IN_ARGUMENT, 11, { 0 } },
    { HYPERVISOR_console_io, IN_ARGUMENT, 3, { 0 } }, { HYPERVISOR_grant_table_op, IN_ARGUMENT, 11, { 0 } }, { HYPERVISOR_vcpu_op, IN_ARGUMENT, 11, { 0 } },
    { HYPERVISOR_sched_op, IN_ARGUMENT, 8, { 0 } }, { HYPERVISOR_callback_op, IN_ARGUMENT, 3, { 0 } }, { 31, IN_ARGUMENT, 16, { 0 } },
    { HYPERVISOR_event_channel_op, IN_ARGUMENT, 12, { 0 } }, { HYPERVISOR_physdev_op, IN_ARGUMENT, 26, { 0 } }, { HYPERVISOR_hvm_op, IN_ARGUMENT, 10, { 0 } },
    { HYPERVISOR_sysctl, IN_STRUCTURE, 20, { 3, 4, 9 } }, { HYPERVISOR_domctl, IN_STRUCTURE, 72, { 5, 8, 8 } }, { HYPERVISOR_dom0vp_op, IN_ARGUMENT, 16, { 0 } },
    { HYPERVISOR_fast_eoi, NOWHERE_AT_ALL, 0, { 0 } }, { HYPERVISOR_debug_op, IN_ARGUMENT, 4, { 0 } }, { 0x500, NOWHERE_AT_ALL, 0, { 0 } },
    { HYPERVISOR_opt_feature, NOWHERE_AT_ALL, 0, { 0 } },
};

// What a grant operation may take for a frame of this domain is none of the kernel's: small numbers stay domains and references, beside something else.
static void fill_grants(u64 from) {
    for (u64 k = from; k < 256; k++)
        if (scratch[k] < SMALL) scratch[k] |= below(PAGE_SIZE) << 16 | 1UL << 40;
}

static void fill_multicall(void) {
    // Of calls that are harmless by themselves.
    struct { u64 op, result, args[6]; } *list = (void *)scratch;
    static const u16 inner[] = { 12, 13, 17, 20, 32, 99 };
    if (!is_wild) fill_grants(64);
    for (int k = 0; k < 8; k++) {
        list[k].op = inner[below(COUNT(inner))];
        for (int n = 0; n < 6; n++) list[k].args[n] = some_handle();
        list[k].args[0] = list[k].op == 32 ? 4 : list[k].op == 12 ? 3 : below(8);
        if (list[k].op == 20) list[k].args[1] = handle_of(scratch + 64 + below(64)), list[k].args[2] = below(6);
        if (list[k].op == 20 && list[k].args[0] == GNTTABOP_transfer && !is_wild) list[k].args[0] = GNTTABOP_copy;
    }
}

// Reservations whose lists name frames of the fuzzer's own only; removal of one frame has it as second word.
static void fill_reservation(u64 command) {
    u64 list = below(8) ? handle_of(scratch + 64 + below(64)) : NOWHERE;
    for (int k = 64; k < 256; k++) scratch[k] = some_frame();
    scratch[0] = list, scratch[1] = below(8) ? below(6) : some_number(), scratch[2] = below(4) ? 0 : below(10), scratch[3] = below(4) ? DOMID_SELF : below(48) + 4;
    if (command == MEMOP_exchange) {
        memcpy(scratch + 5, scratch, 40);
        scratch[5] = handle_of(scratch + 128 + below(64)), scratch[10] = below(4) ? 0 : some_number();
    } else if (command > MEMOP_exchange) scratch[0] = DOMID_SELF, scratch[1] = some_frame();
}

static void one_hypercall(void) {
    const struct call *call = &calls[below(COUNT(calls))];
    u64 number = call->number, a[5];
    fill();
    for (int k = 0; k < 5; k++) a[k] = below(3) ? some_handle() : below(2) ? some_frame() : some_number();
    if (call->place == IN_ARGUMENT) a[0] = below(16) ? below(call->commands) : some_number();
    if (call->place == IN_STRUCTURE) {
        scratch[0] = (u64)(below(8) ? call->versions[below(COUNT(call->versions))] : (u32)random()) << 32 | below(call->commands);
        // One that may make and end domains has others' numbers first.
        if (below(4)) scratch[1] = (scratch[1] & ~0xffffUL) | (is_wild ? below(12) : 4 + below(12));
        if (below(8)) a[0] = handle_of(scratch);
    }
    if (number == HYPERVISOR_memory_op && !is_wild) {
        fill_reservation(a[0] & 63);
        a[1] = below(8) ? handle_of(scratch) : NOWHERE;
    }
    if (number == HYPERVISOR_dom0vp_op && below(2)) a[1] = some_frame(), a[2] = below(2) ? some_frame() : 0;
    if (number == HYPERVISOR_vcpu_op || number == HYPERVISOR_debug_op) a[1] = below(8) ? below(4) : some_number(), a[2] = some_handle();
    // A long list ends where memory does, with results all over it.
    if (number == HYPERVISOR_grant_table_op) {
        a[1] = some_handle(), a[2] = is_wild ? some_number() : below(6);
        if (!is_wild) fill_grants(0);
    }
    if (number == HYPERVISOR_multicall) {
        fill_multicall();
        a[0] = handle_of(scratch), a[1] = is_wild ? some_number() : below(9);
    }
    // Numbers that nothing has, and the firmware's.
    if (below(16) == 0) number = below(0x310);
    if (is_suicide(number, a)) return;
    say("hypercall", number, a[0], a[1], a[2]);
    hypercall(a[0], a[1], a[2], a[3], a[4], number);
}

// The firmware's code and tables, which copies of grants and results of calls may have gone over.
static void mend_firmware(int is_first) {
    static u64 kept[PAGE_SIZE / 8];
    u64 *page = at_physical(0);
    if (is_first) memcpy(kept, page, PAGE_SIZE);
    if (memcmp(kept, page, PAGE_SIZE) == 0) return;
    memcpy(page, kept, PAGE_SIZE);
    for (u64 at = 0; at < PAGE_SIZE; at += 32) machine->flush_line((u64)page + at);
}

// The firmware: services that end, stop or move this domain are for the wild.
static void one_firmware_call(void) {
    u64 a[5];
    if (!is_wild) mend_firmware(0);
    fill();
    for (int k = 0; k < 5; k++) a[k] = below(2) ? physical(scratch) + below(64) * 8 : some_number();
    u64 kind = below(3);
    say("firmware", kind, a[0], a[1], a[2]);
    switch (kind) {
    case 0: {
        // From 256 on they have another convention: such a call does not come back.
        u64 index = below(is_wild ? 300 : 256);
        if (is_wild || (index != PAL_HALT && index != PAL_HALT_LIGHT && index != PAL_SHUTDOWN)) pal(index, a[0], a[1], a[2]);
        return;
    }
    case 1: {
        u64 index = below(12) ? 0x01000000 + below(32) : some_number();
        // SAL_SET_VECTORS says where processors begin.
        if (is_wild || index != 0x01000000) sal(index, a[0], a[1], a[2], a[3], a[4]);
        return;
    }
    default: {
        int service = (int)below(11);
        // SetVirtualAddressMap moves the services themselves; Xen has no ConvertPointer.
        if (is_wild || (service != EFI_RESET && service != 4 && service != 5)) efi_call(service, (u64)scratch + below(64) * 8, (u64)scratch + below(64) * 8, below(2) ? a[2] : (u64)scratch, (u64)scratch);
        return;
    }
    }
}

static void one_insertion(u64 number) {
    u64 slot = 2 + below(12), pte = harmless(random()), enabled = machine->disable_interrupts();
    xsi_registers->ifa = number == 0x0f ? 3UL << 61 | slot << 40 : 2UL << 61 | below(1UL << 30);
    xsi_registers->itir = below(8) ? PAGE_SHIFT << 2 : below(64) << 2;
    if (number == 0x0f) attempt(hyperprivop_with, number, slot, pte);
    else attempt(hyperprivop_with, number, pte, 0);
    if (enabled) machine->enable_interrupts();
}

static void one_privileged(void) {
    u64 number = 1 + below(0x1c), at = below(6) << 61 | (below(2) ? below(1UL << 30) : random() & ((1UL << 61) - 1)), value = some_number();
    if (!is_wild) {
        // rfi, metaphysical mode and cover need care; instructions and translations stay out of the kernel's regions.
        if (number <= 4 || number == 0x1a) return;
        if (number == 0x0e) at = 2UL << 61 | below(1UL << 40), value = below(29) << 2;
        if (number == 0x12) at = 5 + below(3);
        // Of two translation registers that overlap a machine makes a machine check.
        if (number == 0x05 || number == 0x06 || number == 0x0f) return one_insertion(number);
        if (number >= 0x14 && number <= 0x17) at = some_number();
        if (number == 0x0a || number == 0x0c) at = value;
    }
    // A return to nowhere is soon the end.
    if (number == 1 && below(256)) return;
    say("hyperprivop", number, at, value, 0);
    attempt(hyperprivop_with, number, at, value);
}

static void one_event(void) {
    u32 port[2] = { (u32)below(64), 0 };
    event_channel_op(below(2) ? EVTCHNOP_send : EVTCHNOP_unmask, port);
    if (cpu_count > 1) xen_ipi(below(8), below(256) == 0xf3 ? 0 : below(256));
}

// What the hypervisor shares with a guest and must not trust: each field that it reads, the page as a whole, shared_info and the grant table.
static void scribble(void) {
    u64 value = some_number();
    switch (below(20)) {
    case 0: xsi_registers->ipsr = value; break;
    case 1: xsi_registers->isr = value; break;
    case 2: xsi_registers->iip = value; break;
    case 3: xsi_registers->ifa = value; break;
    case 4: xsi_registers->itir = value; break;
    case 5: xsi_registers->ifs = value; break;
    case 6: xsi_registers->iim = value, xsi_registers->iha = some_number(), xsi_registers->iipa = some_number(); break;
    case 7: xsi_registers->itv = value; break;
    case 8: xsi_registers->precover_ifs = value, xsi_registers->unat = some_number(); break;
    case 9: xsi_registers->collection = (u32)value; break;
    case 10: xsi_registers->interrupt_mask = (volatile u8 *)value; break;
    case 11: xsi_registers->pending_interruption = (u32)value; break;
    case 12: xsi_registers->vpsr_pp = (u8)value, xsi_registers->vpsr_dfh = (u8)random(), xsi_registers->hpsr_dfh = (u8)random(), xsi_registers->hpsr_mfh = (u8)random(); break;
    case 13: xsi_registers->metaphysical = (u32)value; break;
    case 14: xsi_registers->bank = (u32)value; break;
    case 15: xsi_registers->rr[below(8)] = value; break;
    case 16: xsi_registers->vnat = value, xsi_registers->vbnat = some_number(), xsi_registers->bank0[below(16)] = random(), xsi_registers->bank1[below(16)] = random(); break;
    default: {
        u8 *pages[] = { (u8 *)xsi_registers, (u8 *)shared, (u8 *)grant_table };
        u8 *page = pages[below(COUNT(pages))];
        for (u64 k = below(64); page && k > 0; k--) *(u64 *)(page + below(0x1200 / 8) * 8) = some_number();
    }
    }
}

void fuzz(u64 seed, u64 rounds) {
    state = seed * 0x9e3779b97f4a7c15 + 1;
    scratch = allocate_pages(PAGES);
    is_loud = has_word("loud");
    mend_firmware(1);
    for (u64 round = 0; round < rounds; round++) {
        u64 kind = below(36);
        if (kind < 20) one_hypercall();
        else if (kind < 25) one_privileged();
        else if (kind < 29) fuzz_devices();
        else if (kind < 31) one_event();
        else if (kind < 33) one_firmware_call();
        else fuzz_store();
    }
    print("fuzz: %lu rounds\n", rounds);
    if (!has_word("wild")) return;
    // What a domain does to itself before it ends differs by what comes first.
    u64 way = below(4);
    is_wild = 1;
    for (u64 round = 0; round < rounds; round++) {
        u64 kind = below(64);
        if (way == 0 && kind < 48) scribble();
        else if (way == 1 && kind < 48) fuzz_rings();
        else if (kind == 0) scribble();
        else if (kind == 1) fuzz_rings();
        else if (kind < 36) one_hypercall();
        else if (kind < 54) one_privileged();
        else if (kind < 58) one_firmware_call();
        else one_event();
    }
}
