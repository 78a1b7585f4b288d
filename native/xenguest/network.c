// The network frontend: one page a frame, copied by the backend.
#include "devices.h"
#include "grants.h"
#include "xenstore.h"

#define PATIENCE (10 * SECOND)
#define BUFFERS 64                      // in each direction

struct buffer { u8 *page; u32 ref; int in_use; };

struct nic nics[2];
void (*large_frame_came)(const u8 *frame, u32 length);
int nic_count;
static struct buffer sending[COUNT(nics)][BUFFERS], receiving[COUNT(nics)][BUFFERS];

static void net_event(u32 port, void *argument) { (void)port, (void)argument; }
static int number_of(struct nic *nic) { return (int)(nic - nics); }
static struct nic *nic_of(struct frontend *end) { return (struct nic *)((u8 *)end - __builtin_offsetof(struct nic, end)); }

static void push(struct ring *ring, u32 old, u32 producer, u32 port) {
    barrier();
    ring->request_producer = producer;
    barrier();
    if (producer - ring->request_event < producer - old) notify(port);
}

static void offer(struct nic *nic, int id) {
    u32 producer = nic->rx->ring.request_producer;
    struct rx_request *request = &nic->rx->slot[producer % NET_SLOTS].request;
    struct buffer *buffer = &receiving[number_of(nic)][id];
    buffer->ref = grant_page(nic->end.backend_domain, buffer->page, 0);
    buffer->in_use = 1;
    request->id = (u16)id;
    request->ref = buffer->ref;
    push(&nic->rx->ring, producer, producer + 1, nic->end.port);
}

static void take_sent(struct nic *nic) {
    for (;;) {
        u32 producer = nic->tx->ring.response_producer;
        barrier();
        while (nic->tx_consumer != producer) {
            u32 id = nic->tx->slot[nic->tx_consumer++ % NET_SLOTS].response.id;
            if (id >= BUFFERS || !sending[number_of(nic)][id].in_use) continue;
            end_grant(sending[number_of(nic)][id].ref);
            sending[number_of(nic)][id].in_use = 0;
        }
        nic->tx->ring.response_event = nic->tx_consumer + 1;
        barrier();
        if (nic->tx->ring.response_producer == producer) return;
    }
}

static void take_received(struct nic *nic) {
    static u8 frame[2048];
    for (;;) {
        u32 producer = nic->rx->ring.response_producer;
        barrier();
        while (nic->rx_consumer != producer) {
            struct rx_response response = nic->rx->slot[nic->rx_consumer++ % NET_SLOTS].response;
            if (response.id >= BUFFERS || !receiving[number_of(nic)][response.id].in_use) continue;
            struct buffer *buffer = &receiving[number_of(nic)][response.id];
            end_grant(buffer->ref);
            buffer->in_use = 0;
            int length = response.status;
            // A frame in one piece, without anything extra: no more was offered.
            int is_large = length > MOST_FRAME && !(response.flags & (NETTXF_more_data | NETTXF_extra)) && response.offset + (u64)length <= PAGE_SIZE;
            if (is_large && large_frame_came) large_frame_came(buffer->page + response.offset, (u32)length);
            int whole = length > 0 && length <= (int)sizeof(frame) && !(response.flags & (NETTXF_more_data | NETTXF_extra));
            if (whole && response.offset + (u64)length <= PAGE_SIZE) memcpy(frame, buffer->page + response.offset, (u64)length);
            else whole = 0;
            offer(nic, response.id);
            if (!whole) continue;
            nic->received++;
            frame_received(&nic->link, frame, (u32)length);
        }
        nic->rx->ring.response_event = nic->rx_consumer + 1;
        barrier();
        if (nic->rx->ring.response_producer == producer) return;
    }
}

static void serve_nics(void) {
    for (int n = 0; n < nic_count; n++) {
        if (!nics[n].link.is_connected) continue;
        take_sent(&nics[n]);
        take_received(&nics[n]);
    }
}

static int send(struct link *link, const void *frame, u32 length) {
    struct nic *nic = (struct nic *)link;
    if (!link->is_connected) return 0;
    take_sent(nic);
    int id = 0;
    struct buffer *buffers = sending[number_of(nic)];
    while (id < BUFFERS && buffers[id].in_use) id++;
    if (id == BUFFERS || length > PAGE_SIZE) return 0;
    memcpy(buffers[id].page, frame, length);
    buffers[id].in_use = 1;
    buffers[id].ref = grant_page(nic->end.backend_domain, buffers[id].page, 1);
    u32 producer = nic->tx->ring.request_producer;
    struct tx_request request = { buffers[id].ref, 0, 0, (u16)id, (u16)length };
    nic->tx->slot[producer % NET_SLOTS].request = request;
    push(&nic->tx->ring, producer, producer + 1, nic->end.port);
    nic->sent++;
    return 1;
}

static void describe(struct frontend *end, u32 transaction) {
    struct nic *nic = nic_of(end);
    xs_print(transaction, end->path, "tx-ring-ref", "%u", nic->tx_ref);
    xs_print(transaction, end->path, "rx-ring-ref", "%u", nic->rx_ref);
    xs_print(transaction, end->path, "event-channel", "%u", end->port);
    xs_print(transaction, end->path, "request-rx-copy", "1");
    xs_print(transaction, end->path, "feature-rx-notify", "1");
    // Checksums are complete in what is sent, and wanted so in what comes.
    xs_print(transaction, end->path, "feature-no-csum-offload", "1");
}

static u8 hex_byte(const char *text) {
    u8 value = 0;
    for (int k = 0; k < 2; k++) {
        char c = text[k];
        value = (u8)(value << 4 | (c >= 'a' ? c - 'a' + 10 : c >= 'A' ? c - 'A' + 10 : c - '0'));
    }
    return value;
}

static int offer_rings(struct frontend *end) {
    struct nic *nic = nic_of(end);
    char name[96], mac[32];
    format(name, sizeof(name), "%s/mac", end->path);
    if (xs_read(0, name, mac, sizeof(mac)) != 17) return 0;
    for (int k = 0; k < 6; k++) nic->link.mac[k] = hex_byte(mac + 3 * k);
    nic->tx = allocate_pages(1);
    nic->rx = allocate_pages(1);
    nic->tx_consumer = nic->rx_consumer = 0;
    nic->tx->ring.request_event = nic->tx->ring.response_event = nic->rx->ring.request_event = nic->rx->ring.response_event = 1;
    nic->tx_ref = grant_page(end->backend_domain, nic->tx, 0);
    nic->rx_ref = grant_page(end->backend_domain, nic->rx, 0);
    end->port = channel_for(end->backend_domain);
    if (!end->port) return 0;
    listen(end->port, net_event, nic);
    for (int k = 0; k < BUFFERS; k++) {
        struct buffer *to = &sending[number_of(nic)][k], *from = &receiving[number_of(nic)][k];
        if (!to->page) to->page = allocate_pages(1);
        if (!from->page) from->page = allocate_pages(1);
        to->in_use = 0;
        offer(nic, k);
    }
    return 1;
}

static void connected(struct frontend *end) { nic_of(end)->link.is_connected = 1; }

// Of the ring page: false while the backend has it.
static int let_go_of(u32 *ref, void *page, int is_lost) {
    if (*ref && !is_lost && !end_grant(*ref)) return 0;
    if (*ref) free_pages(page, 1);
    *ref = 0;
    return 1;
}

// Frames that were on their way are lost, as on any network.
static int let_go(struct frontend *end, int is_lost) {
    struct nic *nic = nic_of(end);
    nic->link.is_connected = 0;
    if (!let_go_of(&nic->tx_ref, nic->tx, is_lost) || !let_go_of(&nic->rx_ref, nic->rx, is_lost)) return 0;
    for (int k = 0; k < BUFFERS; k++) {
        struct buffer *to = &sending[number_of(nic)][k], *from = &receiving[number_of(nic)][k];
        if (!is_lost && to->in_use) end_grant(to->ref);
        if (!is_lost && from->in_use) end_grant(from->ref);
        to->in_use = from->in_use = 0;
    }
    return 1;
}

static const struct frontend_kind vif = { "vif", STATE_connected, offer_rings, describe, connected, let_go };

struct nic *nic_connect(const char *path) {
    if (nic_count == COUNT(nics)) return 0;
    struct nic *nic = &nics[nic_count];
    if (!frontend_add(&nic->end, &vif, path)) return 0;
    nic->link.send = send;
    add_link(&nic->link);
    if (nic_count++ == 0) add_service(serve_nics);
    return nic;
}

void nics_start(void) {
    if (!xs_is_there() || !grant_table) return;
    static char names[512];
    int length = xs_list(0, "device/vif", names, sizeof(names));
    for (int at = 0; at < length; at += (int)strlen(names + at) + 1) {
        char path[64];
        format(path, sizeof(path), "device/vif/%s", names + at);
        nic_connect(path);
    }
    frontends_settle(now() + PATIENCE);
}
