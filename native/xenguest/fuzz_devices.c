// A hostile guest's devices: rings and nodes.
#include "fuzz.h"
#include "grants.h"
#include "xenstore.h"

#define REFERENCES 400

static void scramble(void *place, u64 bytes) {
    for (u64 k = 0; k + 8 <= bytes; k += 8) *(u64 *)((u8 *)place + k) = below(2) ? some_number() : some_frame() | below(1UL << 32) << 32;
}

static u32 producer(u32 now) { return below(4) ? now + (u32)below(3) : (u32)some_number(); }

static u32 some_reference(void) { return below(8) ? 8 + (u32)below(REFERENCES) : (u32)some_number(); }

// Entries of the table are made, taken away under the backends' hands, and made nonsense.
static void change_a_grant(void) {
    if (!grant_table) return;
    struct grant_entry *entry = &grant_table[8 + below(REFERENCES)];
    // Not cut to 32 bits, which leaves frame 0: the firmware's.
    u64 frame = some_frame();
    entry->frame = frame >> 32 ? 1U << 28 : (u32)frame;
    entry->domain = below(4) ? 0x7fef : (u16)random();
    entry->flags = below(4) ? GTF_permit_access | (below(4) ? 0 : GTF_readonly) : (u16)random();
}

// blkif.h: indirect (6) has its own form, discard (5) as well; as often as not a request that a driver could have made.
static void request_of_disk(struct disk *disk) {
    struct blkif_request *request = &disk->page->slot[disk->page->ring.request_producer % BLK_RING].request;
    scramble(request, sizeof(*request));
    if (below(4)) {
        request->operation = (u8)below(8);
        if (request->operation == 6) {
            u8 *bytes = (u8 *)request;
            bytes[1] = (u8)below(4);                                    // the operation that is indirect
            *(u16 *)(bytes + 2) = (u16)(below(2) ? below(300) : random()); // segments
            *(u64 *)(bytes + 8) = random();
            *(u64 *)(bytes + 16) = below(4096);
            for (int k = 0; k < 8; k++) *(u32 *)(bytes + 28 + 4 * k) = some_reference();
        } else if (request->operation == 5) {
            request->sector = below(4096);
            *(u64 *)&request->segment[0] = below(2) ? below(4096) : random(); // how many sectors
        } else {
            request->segments = (u8)below(below(4) ? 12 : 256);
            request->sector = below(4) ? below(4096) : random();
            for (int k = 0; k < BLKIF_SEGMENTS; k++) {
                request->segment[k].ref = some_reference();
                request->segment[k].first = (u8)below(40), request->segment[k].last = (u8)below(40);
            }
        }
    }
    disk->page->ring.request_producer = producer(disk->page->ring.request_producer);
    if (below(8) == 0) disk->page->ring.response_event = (u32)some_number();
    notify(disk->end.port);
}

static void requests_of_nic(struct nic *nic) {
    for (u64 k = 1 + below(4); k > 0; k--) {
        struct tx_request *tx = &nic->tx->slot[(nic->tx->ring.request_producer + k - 1) % NET_SLOTS].request;
        scramble(tx, sizeof(*tx));
        if (below(4)) tx->ref = some_reference(), tx->offset = (u16)below(PAGE_SIZE), tx->flags = (u16)below(16), tx->size = (u16)below(below(4) ? 1600 : 65536);
        struct rx_request *rx = &nic->rx->slot[(nic->rx->ring.request_producer + k - 1) % NET_SLOTS].request;
        scramble(rx, sizeof(*rx));
        if (below(4)) rx->ref = some_reference();
    }
    nic->tx->ring.request_producer = producer(nic->tx->ring.request_producer);
    if (below(4) == 0) nic->rx->ring.request_producer = producer(nic->rx->ring.request_producer);
    if (below(8) == 0) nic->rx->ring.response_event = nic->tx->ring.response_event = (u32)some_number();
    notify(nic->end.port);
}

// What a frontend says of itself, again and with other values: the backend begins anew with each.
static void change_a_node(const char *path) {
    static const char *const nodes[] = { "ring-ref", "tx-ring-ref", "rx-ring-ref", "event-channel", "protocol", "request-rx-copy", "feature-sg", "feature-gso-tcpv4", "state", "state" };
    const char *node = nodes[below(COUNT(nodes))];
    if (below(4) == 0) xs_print(0, path, node, "%s", below(2) ? "junk" : "");
    else xs_print(0, path, node, "%lu", starts_with(node, "state") ? below(9) : below(2) ? some_reference() : some_number());
}

void fuzz_devices(void) {
    change_a_grant();
    u64 kind = below(16);
    if (disks[0].end.step == FRONT_connected && kind < 8) request_of_disk(&disks[0]);
    else if (nics[0].end.step == FRONT_connected && kind < 15) requests_of_nic(&nics[0]);
    else if (disk_count && below(2)) change_a_node(disks[0].end.path);
    else if (nic_count) change_a_node(nics[0].end.path);
}

void fuzz_store(void) {
    static const char *const paths[] = { "/local/domain/0/name", "/local/domain", "/", "device/vif/0/state", "data/fuzz", "@releaseDomain", "data/fuzz/a/b/c", "control/shutdown" };
    static char reply[4200];
    u64 payload[64];
    u32 length = (u32)below(below(2) ? 64 : sizeof(payload));
    scramble(payload, sizeof(payload));
    if (below(4) && length > 24) {
        int end = format((char *)payload, length, "%s", paths[below(COUNT(paths))]);
        if (below(4)) ((u8 *)payload)[end] = 0, length = below(2) ? (u32)end + 1 : length;
    }
    static u32 transaction;
    enum xs_type type = (enum xs_type)(below(16) ? below(24) : random());
    int got = xs_request(type, below(4) ? 0 : below(2) ? transaction : (u32)some_number(), payload, length, reply, sizeof(reply));
    if (type == XS_TRANSACTION_START && got > 0) transaction = (u32)to_number(reply);
}

void fuzz_rings(void) {
    u8 *pages[] = { at_physical(start_info->store_frame << PAGE_SHIFT), at_physical(start_info->console_frame << PAGE_SHIFT) };
    u32 ports[] = { start_info->store_port, start_info->console_port };
    // Two rings of 1024 bytes and their four indices; of 1024 and 2048 bytes.
    u64 which = below(2), indices = which ? 0xc00 : 0x800;
    if (!ports[which]) return;
    for (u64 k = below(8); k > 0; k--) *(u32 *)(pages[which] + indices + 4 * below(4)) = (u32)(below(2) ? below(4096) : some_number());
    // A header of a message is often whole.
    for (u64 k = below(64); k > 0; k--) *(u32 *)(pages[which] + 4 * below(indices / 4)) = (u32)(below(2) ? below(24) : random());
    notify(ports[which]);
}
