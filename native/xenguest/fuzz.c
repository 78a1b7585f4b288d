// A guest that means no good: calls, registers, rings and messages at random. "fuzz=SEED": begins with that seed; "rounds=N": ends the machine after
// so many rounds. What becomes of itself does not matter; what it is on must hold.
#include "devices.h"
#include "grants.h"
#include "selftest.h"
#include "xenstore.h"

#define SCRATCH_PAGES 16
#define IMAGE (16UL << 20)              // where guest.ld puts the kernel
#define BREAKS 0x40
#define BREAK_BYTES 32

extern const u8 fuzz_breaks[];          // operations.s: break N and return, for N below BREAKS
u64 fuzz_hyperprivop(const void *code, u64 r8, u64 r9);

static u64 state;
static u8 *scratch;

static u64 random(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1d >> 8 | state << 56;
}

static u64 below(u64 count) { return (random() >> 16) % count; }

static u64 edge(void) {
    u64 value = 1UL << below(64);
    // What the kernel is told to have written over itself, it does not survive.
    return value == IMAGE ? 0 : value - below(2);
}

// Numbers as they turn calls over: small ones, edges, addresses, frames, handles.
static u64 anything(void) {
    u64 inside = physical(scratch) + below(SCRATCH_PAGES * PAGE_SIZE);
    switch (below(12)) {
    case 0: return below(8);
    case 1: return below(70);
    case 2: return random();
    case 3: return edge();
    case 4: return inside | 1UL << 63;
    case 5: return inside & ~7UL;
    case 6: return inside >> PAGE_SHIFT;
    case 7: return below(1UL << 14);
    case 8: return DOMID_SELF + below(4);
    case 9: return XSI_BASE + below(1UL << 17);
    case 10: return (u64)scratch | below(SCRATCH_PAGES * PAGE_SIZE);
    default: return -below(1UL << 20);
    }
}

static void scramble(void *place, u64 bytes) {
    u8 *to = place;
    for (u64 done = 0; done < bytes;) {
        u64 value = anything(), size = 1UL << below(4);
        for (u64 k = 0; k < size && done < bytes; k++, done++) to[done] = value >> 8 * k;
    }
}

// A descriptor of xencomm in scratch, as often as not a bad one.
static u64 descriptor(void) {
    u64 *d = (u64 *)(scratch + below(SCRATCH_PAGES - 1) * PAGE_SIZE);
    u64 count = below(20);
    d[0] = 0x58434f4dUL | (below(8) ? count : random()) << 32;
    for (u64 k = 0; k < count; k++) d[1 + k] = below(6) ? physical(scratch) + below(SCRATCH_PAGES) * PAGE_SIZE : anything();
    return physical(d);
}

static void fuzz_hypercall(void) {
    static const u8 numbers[] = {
        HYPERVISOR_memory_op, HYPERVISOR_multicall, HYPERVISOR_xen_version, HYPERVISOR_console_io, HYPERVISOR_grant_table_op, HYPERVISOR_vcpu_op,
        HYPERVISOR_sched_op, HYPERVISOR_callback_op, HYPERVISOR_event_channel_op, HYPERVISOR_physdev_op, HYPERVISOR_hvm_op, HYPERVISOR_sysctl,
        HYPERVISOR_domctl, HYPERVISOR_dom0vp_op, HYPERVISOR_platform_op, HYPERVISOR_fast_eoi, HYPERVISOR_debug_op,
    };
    u64 a[5], number = below(8) ? numbers[below(COUNT(numbers))] : below(80);
    for (int k = 0; k < 5; k++) a[k] = below(6) ? anything() : descriptor();
    // Commands are small; what ends or stops the domain would end the test.
    if (below(8)) a[0] = below(40);
    if (number == HYPERVISOR_sched_op || number == HYPERVISOR_sched_op_compat) a[0] = SCHEDOP_yield;
    if (number == HYPERVISOR_vcpu_op && a[1] == 0) a[1] = 1;
    // The kernel's own channels and callbacks are those that it lives by.
    if (number == HYPERVISOR_event_channel_op && (a[0] == EVTCHNOP_reset || a[0] == EVTCHNOP_close)) a[0] = EVTCHNOP_alloc_unbound;
    if (number == HYPERVISOR_callback_op) a[0] = 2 + below(8);
    scramble(scratch + below(SCRATCH_PAGES) * PAGE_SIZE, 256);
    u8 *argument = scratch + below(SCRATCH_PAGES) * PAGE_SIZE;
    scramble(argument, 128);
    if (below(2)) a[1 - below(2)] = a[0] > 64 ? a[0] : handle_of(argument);
    // A list without end would reach the kernel's own image.
    if (number == HYPERVISOR_multicall) {
        a[0] = below(4) ? handle_of(argument) : descriptor();
        a[1] = below(60);
    }
    hypercall(a[0], a[1], a[2], a[3], a[4], number);
}

static void fuzz_store(void) {
    static char reply[4200];
    u8 payload[600];
    u32 length = below(3) ? below(64) : below(sizeof(payload));
    scramble(payload, length);
    // Paths that exist, as often as not.
    if (below(2) && length > 24) {
        int end = format((char *)payload, length, "%s", below(2) ? "/local/domain/0/name" : "device/vif/0/state");
        if (below(2)) payload[end] = 0;
    }
    xs_request(below(24), below(4) ? 0 : anything(), payload, length, reply, sizeof(reply));
}

static void fuzz_rings(void) {
    struct disk *disk = &disks[0];
    struct nic *nic = &nics[0];
    if (disk_count && below(2)) {
        struct blk_ring *page = disk->page;
        scramble(&page->slot[below(BLK_RING)], sizeof(page->slot[0]));
        if (below(4)) page->ring.request_producer += below(3);
        else page->ring.request_producer = anything();
        notify(disk->port);
    } else if (nic_count) {
        scramble(&nic->tx->slot[below(NET_SLOTS)], sizeof(nic->tx->slot[0]));
        scramble(&nic->rx->slot[below(NET_SLOTS)], sizeof(nic->rx->slot[0]));
        if (below(4)) nic->tx->ring.request_producer += below(3);
        else nic->tx->ring.request_producer = anything();
        if (!below(4)) nic->rx->ring.request_producer = anything();
        notify(nic->port);
    }
}

static void fuzz_grants(void) {
    if (!grant_table) return;
    u32 ref = 8 + below(400);
    grant_table[ref].frame = below(2) ? frame_of(scratch) + below(SCRATCH_PAGES) : anything();
    grant_table[ref].domain = below(2) ? 0x7fef : anything();
    grant_table[ref].flags = anything();
}

// Registers that are shared with the hypervisor. Few rounds survive it.
static void fuzz_registers(void) {
    u8 *page = (u8 *)xsi_registers;
    scramble(page + below(0x1000), 8);
    if (!below(8)) scramble((u8 *)shared + below(sizeof(struct shared_info)), 8);
}

static void fuzz_privileged(void) {
    u64 number = below(BREAKS);
    attempt(fuzz_hyperprivop, (u64)(fuzz_breaks + number * BREAK_BYTES), anything(), anything());
}

void fuzz(void) {
    char text[32];
    const char *seed = word_value("fuzz", text, sizeof(text));
    state = (to_number(seed) + 1) * 0x9e3779b97f4a7c15;
    u64 rounds = word_value("rounds", text, sizeof(text)) ? to_number(text) : 10000;
    scratch = allocate_pages(SCRATCH_PAGES);
    print("fuzz: seed %lu, %lu rounds\n", (u64)state, rounds);
    for (u64 round = 0; round < rounds; round++) {
        u64 what = below(1000);
        if (what < 700) fuzz_hypercall();
        else if (what < 780) fuzz_store();
        else if (what < 880) fuzz_rings();
        else if (what < 970) fuzz_grants();
        else if (what < 998 || round < rounds / 2) run_services();
        else if (what == 998) fuzz_registers();
        else fuzz_privileged();
        // The last rounds are those that nobody survives.
        if (round > rounds - rounds / 8) fuzz_privileged();
        if (round > rounds - rounds / 32) fuzz_registers();
    }
    print("fuzz: survived\n");
    end_machine(POWER_OFF);
}
