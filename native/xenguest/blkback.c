// The block backend: RAM disks for other domains. What a frontend hands us is read once and checked; data is copied by its grants.
#include "devices.h"
#include "grants.h"
#include "xenstore.h"

#define MOST_PAGES 256
#define INVALID -1
#define UNSUPPORTED -2

struct served {
    struct backend backend;
    u64 sectors;
    void *pages[MOST_PAGES];
    struct mapping ring;
    struct blk_ring *page;
    u32 port, request_consumer;
};

static struct served served[8];
static int served_count;
static u64 requests;

u64 disk_requests_served(void) { return requests; }

static void served_event(u32 port, void *argument) { (void)port, (void)argument; }

static s16 copy_segment(struct served *disk, u32 ref, u32 first, u32 last, u64 sector, int write) {
    // Of a page of the disk each: a segment may begin in one and end in the next.
    while (first <= last) {
        u32 within = (u32)(sector % SECTORS_PER_PAGE), count = last - first + 1;
        if (count > SECTORS_PER_PAGE - within) count = (u32)(SECTORS_PER_PAGE - within);
        struct grant_copy_end ours = { frame_of(disk->pages[sector / SECTORS_PER_PAGE]), DOMID_SELF, (u16)(within * SECTOR) };
        struct grant_copy_end theirs = { ref, disk->backend.domain, (u16)(first * SECTOR) };
        struct grant_copy copy = { write ? theirs : ours, write ? ours : theirs, (u16)(count * SECTOR), write ? GNTCOPY_source_ref : GNTCOPY_target_ref, 0 };
        if (grant_table_op(GNTTABOP_copy, &copy, 1) != 0 || copy.status != 0) return INVALID;
        first += count;
        sector += count;
    }
    return 0;
}

static s16 serve(struct served *disk, const struct blkif_request *request) {
    requests++;
    if (request->operation == BLKIF_flush) return 0;
    if (request->operation > BLKIF_flush) return UNSUPPORTED;
    if (request->segments > BLKIF_SEGMENTS) return INVALID;
    u64 sector = request->sector;
    for (int k = 0; k < request->segments; k++) {
        u32 first = request->segment[k].first, last = request->segment[k].last;
        if (first > last || last >= SECTORS_PER_PAGE) return INVALID;
        u64 count = last - first + 1;
        if (sector >= disk->sectors || count > disk->sectors - sector) return INVALID;
        s16 status = copy_segment(disk, request->segment[k].ref, first, last, sector, request->operation != BLKIF_read);
        if (status != 0) return status;
        sector += count;
    }
    return 0;
}

static void serve_ring(struct served *disk) {
    struct blk_ring *page = disk->page;
    for (;;) {
        u32 producer = page->ring.request_producer;
        barrier();
        // A frontend that is more than a ring ahead does not know what it does.
        if (producer - disk->request_consumer > BLK_RING) return;
        u32 old = page->ring.response_producer, responses = old;
        while (disk->request_consumer != producer) {
            struct blkif_request request = page->slot[disk->request_consumer++ % BLK_RING].request;
            struct blkif_response response = { request.id, request.operation, serve(disk, &request) };
            page->slot[responses++ % BLK_RING].response = response;
        }
        barrier();
        page->ring.response_producer = responses;
        barrier();
        if (responses - page->ring.response_event < responses - old) notify(disk->port);
        page->ring.request_event = disk->request_consumer + 1;
        barrier();
        if (page->ring.request_producer == disk->request_consumer) return;
    }
}

static void connect(struct served *disk) {
    struct backend *end = &disk->backend;
    u32 ref = (u32)xs_number(end->frontend, "ring-ref", 0), port = (u32)xs_number(end->frontend, "event-channel", 0);
    if (map_grant(end->domain, ref, 0, &disk->ring) != 0) return;
    disk->page = disk->ring.page;
    disk->port = channel_to(end->domain, port);
    if (!disk->port) {
        unmap_grant(&disk->ring);
        return;
    }
    disk->request_consumer = 0;
    end->is_connected = 1;
    xs_print(0, end->backend, "sectors", "%lu", disk->sectors);
    xs_print(0, end->backend, "sector-size", "%d", SECTOR);
    xs_print(0, end->backend, "info", "0");
    xs_print(0, end->backend, "feature-flush-cache", "1");
    xs_print(0, end->backend, "feature-barrier", "1");
    listen(disk->port, served_event, disk);
    set_backend_state(end, STATE_connected);
}

static void disconnect(struct served *disk) {
    close_channel(disk->port);
    unmap_grant(&disk->ring);
    disk->backend.is_connected = 0;
    set_backend_state(&disk->backend, STATE_closed);
}

static void serve_disks(void) {
    for (int k = 0; k < served_count; k++) {
        struct served *disk = &served[k];
        enum backend_step step = backend_step(&disk->backend, STATE_initialised);
        if (step == STEP_connect) connect(disk);
        else if (step == STEP_disconnect) disconnect(disk);
        if (disk->backend.is_connected) serve_ring(disk);
    }
}

int serve_disk(u16 domain, u32 device, u64 sectors) {
    u64 pages = (sectors + SECTORS_PER_PAGE - 1) / SECTORS_PER_PAGE;
    if (!grant_table || served_count == COUNT(served) || pages > MOST_PAGES) return 0;
    struct served *disk = &served[served_count];
    memset(disk, 0, sizeof(*disk));
    disk->sectors = sectors;
    if (!announce_backend(&disk->backend, "vbd", domain, device)) return 0;
    for (u64 k = 0; k < pages; k++) disk->pages[k] = allocate_pages(1);
    xs_print(0, disk->backend.backend, "mode", "w");
    xs_print(0, disk->backend.frontend, "virtual-device", "%u", device);
    xs_print(0, disk->backend.frontend, "device-type", "disk");
    if (served_count++ == 0) add_service(serve_disks);
    return offer_backend(&disk->backend);
}
