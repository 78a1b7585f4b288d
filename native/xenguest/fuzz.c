// A hostile guest: calls of the hypervisor with whatever comes. What would only end this domain is left out, until it goes wild: then everything is
// tried, and the domain may end as it likes. The host must not.
#include "devices.h"
#include "grants.h"
#include "selftest.h"
#include "xenstore.h"

#define PAGES 8
#define CALL_IPI 0x400
#define CALL_PAL 0x1000
#define PAL_HALT 28
#define PAL_HALT_LIGHT 29

void xen_ipi(u64 cpu, u64 vector);
u64 hyperprivop_with(u64 number, u64 r8, u64 r9);

static u64 state;
static u64 *scratch;                    // handed to the hypervisor, filled anew for each call
static int is_wild;

static u64 random(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}
static u64 below(u64 limit) { return random() % limit; }

// Taken for an address, it is not one of the kernel's.
static u64 harmless(u64 value) {
    u64 address = value & 0x07ffffffffffffff;
    return !is_wild && address >= 0x1000000 && address < 0x4000000 ? value | 1UL << 32 : value;
}

static u64 some_number(void) {
    static const u64 numbers[] = { 0, 1, 2, 0x7ff0, 0x7fef, 0x7ff1, 0x7ff2, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 1UL << 40, 1UL << 63, ~0UL };
    switch (below(4)) {
    case 0: return below(48);
    case 1: return numbers[below(COUNT(numbers))];
    case 2: return harmless(1UL << below(64));
    default: return harmless(random());
    }
}

// Frames are those of the scratch pages, or none.
static u64 some_frame(void) {
    if (is_wild) return some_number();
    return below(4) ? frame_of(scratch) + 1 + below(PAGES - 1) : 1UL << (28 + below(36));
}

static u64 some_handle(void) {
    switch (below(8)) {
    case 0: return NOWHERE;
    case 1: return 0;
    case 2: return physical(scratch);                                   // a descriptor, if its magic is right
    case 3: return 1UL << 63 | 1UL << 40 | (is_wild ? 0 : 65 * PAGE_SIZE) | below(1UL << 16); // the hypervisor's window: the grant table
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
    case HYPERVISOR_hvm_op: return 0;
    default: return number == 0x600 || number == 0x1200 || number == 0x309;
    }
}

static void one_hypercall(void) {
    static const u16 numbers[] = { 6, 7, 12, 12, 12, 13, 17, 18, 20, 20, 20, 24, 29, 30, 31, 32, 32, 32, 33, 34, 35, 36, 37, 38, 48, 48, 49, 50, 0x500, 0x700 };
    u64 number = below(16) ? numbers[below(COUNT(numbers))] : below(0x310), a[5];
    fill();
    a[0] = below(8) ? below(20) : some_number();
    for (int k = 1; k < 5; k++) a[k] = below(3) ? some_handle() : below(2) ? some_frame() : some_number();
    // A long list ends where memory does, with results all over it.
    if (number == HYPERVISOR_grant_table_op) a[1] = some_handle(), a[2] = is_wild ? some_number() : below(6);
    if (number == HYPERVISOR_multicall) {
        // Of calls that are harmless by themselves.
        struct { u64 op, result, args[6]; } *list = (void *)scratch;
        static const u16 inner[] = { 12, 13, 17, 20, 32, 99 };
        for (int k = 0; k < 8; k++) {
            list[k].op = inner[below(COUNT(inner))];
            for (int n = 0; n < 6; n++) list[k].args[n] = some_handle();
            list[k].args[0] = list[k].op == 32 ? 4 : list[k].op == 12 ? 3 : below(8);
            if (list[k].op == 20) list[k].args[2] = below(6);
        }
        a[0] = handle_of(scratch), a[1] = is_wild ? some_number() : below(9);
    }
    if (is_suicide(number, a)) return;
    hypercall(a[0], a[1], a[2], a[3], a[4], number);
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
    attempt(hyperprivop_with, number, at, value);
}

static void one_event(void) {
    u32 port[2] = { (u32)below(64), 0 };
    event_channel_op(below(2) ? EVTCHNOP_send : EVTCHNOP_unmask, port);
    if (cpu_count > 1) xen_ipi(below(8), below(256) == 0xf3 ? 0 : below(256));
}

// What is not the hypervisor's to trust: the rings, and the registers that are shared.
static void scribble(void) {
    u8 *pages[] = { at_physical(start_info->store_frame << PAGE_SHIFT), at_physical(start_info->console_frame << PAGE_SHIFT), (u8 *)xsi_registers, (u8 *)shared,
        (u8 *)grant_table };
    u8 *page = pages[below(COUNT(pages))];
    if (!page) return;
    for (u64 k = below(64); k > 0; k--) *(u64 *)(page + below(0x1200 / 8) * 8) = some_number();
    notify(start_info->store_port);
    if (start_info->console_port) notify(start_info->console_port);
}

static void scramble(void *place, u64 bytes) {
    for (u64 k = 0; k + 8 <= bytes; k += 8) *(u64 *)((u8 *)place + k) = below(2) ? some_number() : some_frame() | below(1UL << 32) << 32;
}

static u32 producer(u32 now) { return below(4) ? now + (u32)below(3) : (u32)some_number(); }

// Requests to the backends, for pages that may not be granted.
static void one_request(void) {
    struct disk *disk = &disks[0];
    struct nic *nic = &nics[0];
    if (grant_table) {
        struct grant_entry *entry = &grant_table[8 + below(400)];
        entry->frame = (u32)some_frame();
        entry->domain = below(2) ? 0x7fef : (u16)random();
        entry->flags = below(4) ? GTF_permit_access : (u16)random();
    }
    if (disk->end.step == FRONT_connected && below(2)) {
        scramble(&disk->page->slot[below(BLK_RING)], sizeof(disk->page->slot[0]));
        disk->page->ring.request_producer = producer(disk->page->ring.request_producer);
        notify(disk->end.port);
    } else if (nic->end.step == FRONT_connected) {
        scramble(&nic->tx->slot[below(NET_SLOTS)], sizeof(nic->tx->slot[0]));
        scramble(&nic->rx->slot[below(NET_SLOTS)], sizeof(nic->rx->slot[0]));
        nic->tx->ring.request_producer = producer(nic->tx->ring.request_producer);
        if (below(4) == 0) nic->rx->ring.request_producer = producer(nic->rx->ring.request_producer);
        notify(nic->end.port);
    }
}

// The store, by messages that are whole: of any kind, about paths that exist as often as not.
static void one_message(void) {
    static char reply[4200];
    u64 payload[64];
    u32 length = (u32)below(below(2) ? 64 : sizeof(payload));
    scramble(payload, sizeof(payload));
    if (below(2) && length > 24) {
        int end = format((char *)payload, length, "%s", below(2) ? "/local/domain/0/name" : "device/vif/0/state");
        if (below(2)) ((u8 *)payload)[end] = 0;
    }
    xs_request((enum xs_type)below(24), below(4) ? 0 : (u32)some_number(), payload, length, reply, sizeof(reply));
}

void fuzz(u64 seed, u64 rounds) {
    state = seed * 0x9e3779b97f4a7c15 + 1;
    scratch = allocate_pages(PAGES);
    for (u64 round = 0; round < rounds; round++) {
        u64 kind = below(32);
        if (kind < 20) one_hypercall();
        else if (kind < 27) one_privileged();
        else if (kind < 29) one_request();
        else if (kind < 31) one_event();
        else one_message();
    }
    print("fuzz: %lu rounds\n", rounds);
    if (!has_word("wild")) return;
    is_wild = 1;
    for (u64 round = 0; round < rounds; round++) {
        u64 kind = below(64);
        if (kind == 0) scribble();
        else if (kind < 40) one_hypercall();
        else if (kind < 60) one_privileged();
        else one_event();
    }
}
