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
    buffer->ref = grant_page(nic->backend_domain, buffer->page, 0);
    request->id = (u16)id;
    request->ref = buffer->ref;
    push(&nic->rx->ring, producer, producer + 1, nic->port);
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
            if (response.id >= BUFFERS) continue;
            struct buffer *buffer = &receiving[number_of(nic)][response.id];
            end_grant(buffer->ref);
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
        take_sent(&nics[n]);
        take_received(&nics[n]);
    }
}

static int send(struct link *link, const void *frame, u32 length) {
    struct nic *nic = (struct nic *)link;
    take_sent(nic);
    int id = 0;
    struct buffer *buffers = sending[number_of(nic)];
    while (id < BUFFERS && buffers[id].in_use) id++;
    if (!link->is_connected || id == BUFFERS || length > PAGE_SIZE) return 0;
    memcpy(buffers[id].page, frame, length);
    buffers[id].in_use = 1;
    buffers[id].ref = grant_page(nic->backend_domain, buffers[id].page, 1);
    u32 producer = nic->tx->ring.request_producer;
    struct tx_request request = { buffers[id].ref, 0, 0, (u16)id, (u16)length };
    nic->tx->slot[producer % NET_SLOTS].request = request;
    push(&nic->tx->ring, producer, producer + 1, nic->port);
    nic->sent++;
    return 1;
}

static int write_frontend(struct nic *nic) {
    for (int attempts = 0; attempts < 8; attempts++) {
        u32 transaction = xs_begin();
        if (!transaction) return 0;
        xs_print(transaction, nic->path, "tx-ring-ref", "%u", nic->tx_ref);
        xs_print(transaction, nic->path, "rx-ring-ref", "%u", nic->rx_ref);
        xs_print(transaction, nic->path, "event-channel", "%u", nic->port);
        xs_print(transaction, nic->path, "request-rx-copy", "1");
        xs_print(transaction, nic->path, "feature-rx-notify", "1");
        // Checksums are complete in what is sent, and wanted so in what comes.
        xs_print(transaction, nic->path, "feature-no-csum-offload", "1");
        xs_print(transaction, nic->path, "state", "%d", STATE_connected);
        if (xs_end(transaction, 1) >= 0) return 1;
    }
    return 0;
}

static u8 hex_byte(const char *text) {
    u8 value = 0;
    for (int k = 0; k < 2; k++) {
        char c = text[k];
        value = (u8)(value << 4 | (c >= 'a' ? c - 'a' + 10 : c >= 'A' ? c - 'A' + 10 : c - '0'));
    }
    return value;
}

static int connect(struct nic *nic, const char *path) {
    format(nic->path, sizeof(nic->path), "%s", path);
    char name[96], mac[32];
    format(name, sizeof(name), "%s/backend", path);
    if (xs_read(0, name, nic->backend, sizeof(nic->backend)) < 0) return 0;
    format(name, sizeof(name), "%s/mac", path);
    if (xs_read(0, name, mac, sizeof(mac)) != 17) return 0;
    for (int k = 0; k < 6; k++) nic->link.mac[k] = hex_byte(mac + 3 * k);
    nic->backend_domain = (u16)xs_number(path, "backend-id", 0);
    if (!xs_wait_state(nic->backend, STATE_init_wait, now() + PATIENCE) && xs_state(nic->backend) != STATE_connected) return 0;
    if (!nic->tx) {
        nic->tx = allocate_pages(1);
        nic->rx = allocate_pages(1);
        for (int k = 0; k < BUFFERS; k++) {
            sending[number_of(nic)][k].page = allocate_pages(1);
            receiving[number_of(nic)][k].page = allocate_pages(1);
        }
    }
    memset(nic->tx, 0, PAGE_SIZE);
    memset(nic->rx, 0, PAGE_SIZE);
    nic->tx_consumer = nic->rx_consumer = 0;
    nic->tx->ring.request_event = nic->tx->ring.response_event = nic->rx->ring.request_event = nic->rx->ring.response_event = 1;
    nic->tx_ref = grant_page(nic->backend_domain, nic->tx, 0);
    nic->rx_ref = grant_page(nic->backend_domain, nic->rx, 0);
    nic->port = channel_for(nic->backend_domain);
    if (!nic->port) return 0;
    for (int k = 0; k < BUFFERS; k++) {
        sending[number_of(nic)][k].in_use = 0;
        offer(nic, k);
    }
    listen(nic->port, net_event, nic);
    if (!write_frontend(nic) || !xs_wait_state(nic->backend, STATE_connected, now() + PATIENCE)) return 0;
    nic->link.is_connected = 1;
    return 1;
}

int nic_connect(const char *path) {
    if (nic_count == COUNT(nics) || !connect(&nics[nic_count], path)) return 0;
    nics[nic_count].link.send = send;
    add_link(&nics[nic_count].link);
    if (nic_count++ == 0) add_service(serve_nics);
    return 1;
}

void nics_resume(void) {
    for (int k = 0; k < nic_count; k++) {
        char path[64];
        memcpy(path, nics[k].path, sizeof(path));
        nics[k].link.is_connected = 0;
        if (!connect(&nics[k], path)) print("network interface %s does not come back\n", path);
    }
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
}
