// The block backend: RAM disks and disks of its own for other domains. What a frontend hands us is read once and checked; data is copied by its grants.
#include "devices.h"
#include "grants.h"
#include "xenstore.h"

#define MOST_PAGES 256
#define INVALID -1
#define UNSUPPORTED -2

struct served {
    struct backend backend;
    u64 sectors;
    int is_readonly;
    struct disk *own;                   // what is passed on; null: the pages are
    void *pages[MOST_PAGES];
    struct mapping ring;
    struct blk_ring *page;
    u32 port, request_consumer;
};

static struct served served[16];
static int is_serving;
static u64 requests;
static u8 *bounce;                      // a request's data on its way to a disk of our own, and back

u64 disk_requests_served(void) { return requests; }

static void served_event(u32 port, void *argument) { (void)port, (void)argument; }

static int copy(struct served *disk, u64 frame, u32 offset, u32 ref, u32 first, u32 sectors, int write) {
    struct grant_copy_end ours = { frame, DOMID_SELF, (u16)offset }, theirs = { ref, disk->backend.domain, (u16)(first * SECTOR) };
    struct grant_copy copy = { write ? theirs : ours, write ? ours : theirs, (u16)(sectors * SECTOR), write ? GNTCOPY_source_ref : GNTCOPY_target_ref, 0 };
    return grant_table_op(GNTTABOP_copy, &copy, 1) == 0 && copy.status == 0;
}

static s16 copy_segment(struct served *disk, u32 ref, u32 first, u32 last, u64 sector, int write) {
    // Of a page of the disk each: a segment may begin in one and end in the next.
    while (first <= last) {
        u32 within = (u32)(sector % SECTORS_PER_PAGE), count = last - first + 1;
        if (count > SECTORS_PER_PAGE - within) count = (u32)(SECTORS_PER_PAGE - within);
        if (!copy(disk, frame_of(disk->pages[sector / SECTORS_PER_PAGE]), within * SECTOR, ref, first, count, write)) return INVALID;
        first += count;
        sector += count;
    }
    return 0;
}

// All of its data between the bounce pages and the frontend's.
static int copy_all(struct served *disk, const struct blkif_request *request, int write) {
    u32 at = 0;
    for (int k = 0; k < request->segments; k++) {
        u32 first = request->segment[k].first, last = request->segment[k].last;
        while (first <= last) {
            u32 within = (u32)(at % PAGE_SIZE), count = last - first + 1, room = (u32)((PAGE_SIZE - within) / SECTOR);
            if (count > room) count = room;
            if (!copy(disk, frame_of(bounce + at), within, request->segment[k].ref, first, count, write)) return 0;
            first += count;
            at += count * SECTOR;
        }
    }
    return 1;
}

static s16 pass_on(struct served *disk, const struct blkif_request *request, u64 sectors) {
    int is_write = request->operation != BLKIF_read;
    if (is_write && sectors && !copy_all(disk, request, 1)) return INVALID;
    if (disk_do(disk->own, request->operation, request->sector, sectors ? bounce : 0, (u32)(sectors * SECTOR)) != 0) return INVALID;
    return is_write || copy_all(disk, request, 0) ? 0 : INVALID;
}

static s16 serve(struct served *disk, const struct blkif_request *request) {
    requests++;
    if (request->operation > BLKIF_flush) return UNSUPPORTED;
    if (request->segments > BLKIF_SEGMENTS) return INVALID;
    if (request->operation != BLKIF_read && disk->is_readonly) return INVALID;
    u64 sector = request->sector;
    for (int k = 0; k < request->segments; k++) {
        u32 first = request->segment[k].first, last = request->segment[k].last;
        if (first > last || last >= SECTORS_PER_PAGE) return INVALID;
        u64 count = last - first + 1;
        if (sector >= disk->sectors || count > disk->sectors - sector) return INVALID;
        sector += count;
    }
    if (disk->own) return pass_on(disk, request, request->segments ? sector - request->sector : 0);
    sector = request->sector;
    for (int k = 0; k < request->segments && request->operation != BLKIF_flush; k++) {
        u32 first = request->segment[k].first, last = request->segment[k].last;
        s16 status = copy_segment(disk, request->segment[k].ref, first, last, sector, request->operation != BLKIF_read);
        if (status != 0) return status;
        sector += last - first + 1;
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
    if (map_grant(end->domain, ref, 0, &disk->ring) != 0) {
        set_backend_state(end, STATE_closing);
        return;
    }
    disk->page = disk->ring.page;
    disk->port = channel_to(end->domain, port);
    if (!disk->port) {
        unmap_grant(&disk->ring);
        set_backend_state(end, STATE_closing);
        return;
    }
    if (disk->own) disk->sectors = disk->own->sectors;
    disk->request_consumer = 0;
    end->is_connected = 1;
    xs_print(0, end->backend, "sectors", "%lu", disk->sectors);
    xs_print(0, end->backend, "sector-size", "%d", SECTOR);
    xs_print(0, end->backend, "info", "%d", disk->is_readonly ? 4 : 0);
    xs_print(0, end->backend, "feature-flush-cache", "%d", !disk->is_readonly && (!disk->own || disk->own->can_flush));
    xs_print(0, end->backend, "feature-barrier", "%d", !disk->is_readonly && (!disk->own || disk->own->can_barrier));
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
    for (int k = 0; k < COUNT(served); k++) {
        struct served *disk = &served[k];
        if (!disk->backend.is_used) continue;
        enum backend_step step = backend_step(&disk->backend, STATE_initialised);
        if (step == STEP_connect) connect(disk);
        else if (step == STEP_disconnect) disconnect(disk);
        if (step == STEP_disconnect && is_orphan(&disk->backend)) drop_disk(k);
        if (disk->backend.is_connected) serve_ring(disk);
    }
}

static struct served *new_disk(u64 sectors) {
    int k = 0;
    while (k < COUNT(served) && served[k].backend.is_used) k++;
    u64 pages = (sectors + SECTORS_PER_PAGE - 1) / SECTORS_PER_PAGE;
    if (!grant_table || k == COUNT(served) || pages > MOST_PAGES || free_page_count() < pages + 64) return 0;
    memset(&served[k], 0, sizeof(served[k]));
    served[k].sectors = sectors;
    for (u64 page = 0; page < pages; page++) served[k].pages[page] = allocate_pages(1);
    return &served[k];
}

static void free_disk(struct served *disk) {
    for (int k = 0; k < MOST_PAGES && disk->pages[k]; k++) free_pages(disk->pages[k], 1);
    disk->backend.is_used = 0;
}

static int begin(struct served *disk, int is_ready) {
    if (!is_ready) {
        free_disk(disk);
        return 0;
    }
    disk->backend.is_used = 1;
    if (!is_serving) add_service(serve_disks);
    is_serving = 1;
    return 1;
}

int serve_disk(u16 domain, u32 device, u64 sectors) {
    struct served *disk = new_disk(sectors);
    if (!disk || !begin(disk, announce_backend(&disk->backend, "vbd", domain, device))) return 0;
    xs_print(0, disk->backend.backend, "mode", "w");
    xs_print(0, disk->backend.backend, "blank", "1");
    xs_print(0, disk->backend.frontend, "virtual-device", "%u", device);
    xs_print(0, disk->backend.frontend, "device-type", "disk");
    return offer_backend(&disk->backend);
}

static struct disk *own_disk(const char *name) {
    u32 number = virtual_disk(name);
    char path[64];
    format(path, sizeof(path), "device/vbd/%u", number);
    for (int k = 0; k < disk_count; k++)
        if (strcmp(disks[k].end.path, path) == 0) return &disks[k];
    return 0;
}

int accept_disk(u16 domain, u32 device) {
    char path[64], target[160], mode[8];
    format(path, sizeof(path), "backend/vbd/%u/%u/params", domain, device);
    if (xs_read(0, path, target, sizeof(target)) < 0) return 0;
    format(path, sizeof(path), "backend/vbd/%u/%u/mode", domain, device);
    if (xs_read(0, path, mode, sizeof(mode)) < 0) return 0;
    int is_memory = strcmp(target, "ram") == 0 || starts_with(target, "ram:");
    u64 kib = target[3] == ':' ? to_number(target + 4) : 2048;
    struct disk *own = is_memory ? 0 : own_disk(target);
    if (!is_memory && !own) return 0;
    if (own && !bounce) bounce = allocate_pages(BLKIF_SEGMENTS);
    struct served *disk = new_disk(is_memory ? kib * (1024 / SECTOR) : 0);
    if (!disk) return 0;
    disk->own = own;
    disk->is_readonly = mode[0] != 'w' || (own && (own->info & 4));
    return begin(disk, accept_backend(&disk->backend, "vbd", domain, device));
}

struct backend *served_disk(int k) { return k < COUNT(served) ? &served[k].backend : 0; }

void drop_disk(int k) {
    if (served[k].backend.is_connected) disconnect(&served[k]);
    forget_backend(&served[k].backend);
    free_disk(&served[k]);
}
