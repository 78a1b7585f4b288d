// The network backend: a network interface for another domain, with us at the other end. Frames are copied by the frontend's grants; what it
// hands us is read once and checked.
#include "devices.h"
#include "grants.h"
#include "xenstore.h"

#define WAITING 32                      // frames for a frontend that offers no buffers now

struct served {
    struct link link;
    struct backend backend;
    struct mapping tx_ring, rx_ring;
    struct tx_ring *tx;
    struct rx_ring *rx;
    u32 port, tx_consumer, rx_consumer;
    u8 *page;                           // a frame on its way
    struct { u32 length; u8 frame[MOST_FRAME]; } *waiting;
    u32 waiting_first, waiting_end;
};

static struct served served[8];
static int is_serving;

static void served_event(u32 port, void *argument) { (void)port, (void)argument; }

static int copy(struct served *nic, u32 ref, u32 offset, u32 length, int to_frontend) {
    struct grant_copy_end ours = { frame_of(nic->page), DOMID_SELF, 0 }, theirs = { ref, nic->backend.domain, (u16)offset };
    struct grant_copy copy = { to_frontend ? ours : theirs, to_frontend ? theirs : ours, (u16)length, to_frontend ? GNTCOPY_target_ref : GNTCOPY_source_ref, 0 };
    return grant_table_op(GNTTABOP_copy, &copy, 1) == 0 && copy.status == 0;
}

static void answer(struct ring *ring, u32 old, u32 responses, u32 port) {
    barrier();
    ring->response_producer = responses;
    barrier();
    if (responses - ring->response_event < responses - old) notify(port);
}

// A frame in one piece; the others, which this backend does not offer to take, are refused.
static s16 take(struct served *nic, const struct tx_request *request) {
    if (request->flags & (NETTXF_more_data | NETTXF_extra)) return NETIF_error;
    if (request->size > MOST_FRAME || request->size < 14 || request->offset + (u64)request->size > PAGE_SIZE) return NETIF_error;
    return copy(nic, request->ref, request->offset, request->size, 0) ? NETIF_okay : NETIF_error;
}

static void serve_tx(struct served *nic) {
    static u8 frame[MOST_FRAME];
    for (;;) {
        u32 producer = nic->tx->ring.request_producer;
        barrier();
        if (producer - nic->tx_consumer > NET_SLOTS) return;
        while (nic->tx_consumer != producer) {
            struct tx_request request = nic->tx->slot[nic->tx_consumer++ % NET_SLOTS].request;
            s16 status = take(nic, &request);
            if (status == NETIF_okay) memcpy(frame, nic->page, request.size);
            u32 old = nic->tx->ring.response_producer;
            nic->tx->slot[old % NET_SLOTS].response = (struct tx_response){ request.id, status };
            answer(&nic->tx->ring, old, old + 1, nic->port);
            if (status == NETIF_okay) frame_received(&nic->link, frame, request.size);
        }
        nic->tx->ring.request_event = nic->tx_consumer + 1;
        barrier();
        if (nic->tx->ring.request_producer == nic->tx_consumer) return;
    }
}

static int give(struct served *nic, const void *frame, u32 length) {
    u32 producer = nic->rx->ring.request_producer;
    barrier();
    u32 offered = producer - nic->rx_consumer;
    if (offered == 0 || offered > NET_SLOTS) {
        nic->rx->ring.request_event = nic->rx_consumer + 1;
        barrier();
        if (nic->rx->ring.request_producer == nic->rx_consumer || offered > NET_SLOTS) return 0;
    }
    struct rx_request request = nic->rx->slot[nic->rx_consumer++ % NET_SLOTS].request;
    memcpy(nic->page, frame, length);
    s16 status = copy(nic, request.ref, 0, length, 1) ? (s16)length : NETIF_error;
    u32 old = nic->rx->ring.response_producer;
    nic->rx->slot[old % NET_SLOTS].response = (struct rx_response){ request.id, 0, 0, status };
    answer(&nic->rx->ring, old, old + 1, nic->port);
    return 1;
}

static int send(struct link *link, const void *frame, u32 length) {
    struct served *nic = (struct served *)link;
    if (!link->is_connected || length > MOST_FRAME) return 0;
    if (nic->waiting_first == nic->waiting_end && give(nic, frame, length)) return 1;
    if (nic->waiting_end - nic->waiting_first == WAITING) return 0;
    u32 slot = nic->waiting_end++ % WAITING;
    nic->waiting[slot].length = length;
    memcpy(nic->waiting[slot].frame, frame, length);
    return 1;
}

static void serve_rx(struct served *nic) {
    while (nic->waiting_first != nic->waiting_end) {
        u32 slot = nic->waiting_first % WAITING;
        if (!give(nic, nic->waiting[slot].frame, nic->waiting[slot].length)) return;
        nic->waiting_first++;
    }
}

static void connect(struct served *nic) {
    struct backend *end = &nic->backend;
    u32 tx = (u32)xs_number(end->frontend, "tx-ring-ref", 0), rx = (u32)xs_number(end->frontend, "rx-ring-ref", 0);
    u32 port = (u32)xs_number(end->frontend, "event-channel", 0);
    set_backend_state(end, STATE_closing);
    if (!xs_number(end->frontend, "request-rx-copy", 0)) return;
    if (map_grant(end->domain, tx, 0, &nic->tx_ring) != 0) return;
    if (map_grant(end->domain, rx, 0, &nic->rx_ring) != 0) {
        unmap_grant(&nic->tx_ring);
        return;
    }
    nic->tx = nic->tx_ring.page;
    nic->rx = nic->rx_ring.page;
    nic->tx_consumer = nic->rx_consumer = 0;
    nic->port = channel_to(end->domain, port);
    if (!nic->port) {
        unmap_grant(&nic->tx_ring);
        unmap_grant(&nic->rx_ring);
        return;
    }
    end->is_connected = nic->link.is_connected = 1;
    listen(nic->port, served_event, nic);
    set_backend_state(end, STATE_connected);
}

static void disconnect(struct served *nic) {
    close_channel(nic->port);
    unmap_grant(&nic->tx_ring);
    unmap_grant(&nic->rx_ring);
    nic->backend.is_connected = nic->link.is_connected = 0;
    nic->waiting_first = nic->waiting_end = 0;
    set_backend_state(&nic->backend, STATE_closed);
}

static void serve_nics(void) {
    for (int k = 0; k < COUNT(served); k++) {
        struct served *nic = &served[k];
        if (!nic->backend.is_used) continue;
        enum backend_step step = backend_step(&nic->backend, STATE_connected);
        if (step == STEP_connect) connect(nic);
        else if (step == STEP_disconnect) disconnect(nic);
        if (step == STEP_disconnect && is_orphan(&nic->backend)) drop_nic(k);
        if (!nic->backend.is_connected) continue;
        serve_tx(nic);
        serve_rx(nic);
    }
}

static struct served *new_nic(void) {
    int k = 0;
    while (k < COUNT(served) && served[k].backend.is_used) k++;
    if (!grant_table || k == COUNT(served)) return 0;
    struct served *nic = &served[k];
    // Its pages are for the next one, too.
    u8 *page = nic->page ? nic->page : allocate_pages(1);
    void *waiting = nic->waiting ? nic->waiting : allocate_pages((WAITING * sizeof(*nic->waiting) + PAGE_SIZE - 1) >> PAGE_SHIFT);
    memset(nic, 0, sizeof(*nic));
    nic->page = page;
    nic->waiting = waiting;
    return nic;
}

static void begin(struct served *nic, u16 domain, u32 device) {
    // Locally administered: ours.
    u8 mac[6] = { 0xfa, 0x58, 0x45, (u8)(domain >> 8), (u8)domain, (u8)device };
    memcpy(nic->link.mac, mac, 6);
    nic->link.send = send;
    nic->link.is_served = 1;
    nic->backend.is_used = 1;
    if (!is_serving) add_service(serve_nics);
    is_serving = 1;
    add_link(&nic->link);
}

int serve_nic(u16 domain, u32 device) {
    struct served *nic = new_nic();
    if (!nic || !announce_backend(&nic->backend, "vif", domain, device)) return 0;
    begin(nic, domain, device);
    xs_print(0, nic->backend.backend, "feature-rx-copy", "1");
    xs_print(0, nic->backend.backend, "handle", "%u", device);
    // Theirs has the other parity.
    xs_print(0, nic->backend.frontend, "mac", "fe:58:45:%02x:%02x:%02x", domain >> 8, domain & 0xff, device & 0xff);
    xs_print(0, nic->backend.frontend, "handle", "%u", device);
    return offer_backend(&nic->backend);
}

int accept_nic(u16 domain, u32 device) {
    struct served *nic = new_nic();
    if (!nic) return 0;
    char path[64];
    format(path, sizeof(path), "backend/vif/%u/%u", domain, device);
    xs_print(0, path, "feature-rx-copy", "1");
    if (!accept_backend(&nic->backend, "vif", domain, device)) return 0;
    begin(nic, domain, device);
    return 1;
}

struct backend *served_nic(int k) { return k < COUNT(served) ? &served[k].backend : 0; }

void drop_nic(int k) {
    if (served[k].backend.is_connected) disconnect(&served[k]);
    forget_backend(&served[k].backend);
    remove_link(&served[k].link);
    served[k].backend.is_used = 0;
}
