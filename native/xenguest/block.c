// The block frontend.
#include "devices.h"
#include "grants.h"
#include "xenstore.h"

#define PATIENCE (10 * SECOND)

struct disk disks[4];
int disk_count;

static void collect(struct disk *disk) {
    for (;;) {
        u32 producer = disk->page->ring.response_producer;
        barrier();
        while (disk->response_consumer != producer) {
            struct blkif_response *response = &disk->page->slot[disk->response_consumer++ % BLK_RING].response;
            u64 id = response->id;
            if (id >= BLK_RING) continue;
            disk->status[id] = response->status;
            disk->is_done[id] = 1;
        }
        disk->page->ring.response_event = disk->response_consumer + 1;
        barrier();
        if (disk->page->ring.response_producer == producer) return;
    }
}

static void disk_event(u32 port, void *argument) { (void)port; collect(argument); }

static int write_frontend(struct disk *disk) {
    for (int attempts = 0; attempts < 8; attempts++) {
        u32 transaction = xs_begin();
        if (!transaction) return 0;
        xs_print(transaction, disk->path, "ring-ref", "%u", disk->ring_ref);
        xs_print(transaction, disk->path, "event-channel", "%u", disk->port);
        xs_print(transaction, disk->path, "protocol", "ia64-abi");
        xs_print(transaction, disk->path, "state", "%d", STATE_initialised);
        if (xs_end(transaction, 1) >= 0) return 1;
    }
    return 0;
}

int disk_connect(struct disk *disk, const char *path) {
    memset(disk, 0, sizeof(*disk));
    format(disk->path, sizeof(disk->path), "%s", path);
    char name[96];
    format(name, sizeof(name), "%s/backend", path);
    if (xs_read(0, name, disk->backend, sizeof(disk->backend)) < 0) return 0;
    disk->backend_domain = (u16)xs_number(path, "backend-id", 0);
    disk->page = allocate_pages(1);
    disk->page->ring.request_event = disk->page->ring.response_event = 1;
    disk->ring_ref = grant_page(disk->backend_domain, disk->page, 0);
    disk->port = channel_for(disk->backend_domain);
    if (!disk->port) return 0;
    listen(disk->port, disk_event, disk);
    if (!write_frontend(disk) || !xs_wait_state(disk->backend, STATE_connected, now() + PATIENCE)) return 0;
    disk->sectors = xs_number(disk->backend, "sectors", 0);
    disk->sector_size = (u32)xs_number(disk->backend, "sector-size", SECTOR);
    disk->info = (u32)xs_number(disk->backend, "info", 0);
    disk->can_flush = xs_number(disk->backend, "feature-flush-cache", 0) != 0;
    disk->can_barrier = xs_number(disk->backend, "feature-barrier", 0) != 0;
    xs_print(0, disk->path, "state", "%d", STATE_connected);
    disk->is_connected = 1;
    return 1;
}

void disk_disconnect(struct disk *disk) {
    xs_print(0, disk->path, "state", "%d", STATE_closing);
    xs_wait_state(disk->backend, STATE_closed, now() + PATIENCE);
    xs_print(0, disk->path, "state", "%d", STATE_closed);
    close_channel(disk->port);
    if (end_grant(disk->ring_ref)) free_pages(disk->page, 1);
    disk->is_connected = 0;
}

static int is_done(void *done) { return *(volatile u8 *)done; }

int disk_do(struct disk *disk, int operation, u64 sector, void *buffer, u32 bytes) {
    if (!disk->is_connected) return -100;
    u32 producer = disk->page->ring.request_producer, slot = producer % BLK_RING;
    struct blkif_request *request = &disk->page->slot[slot].request;
    memset(request, 0, sizeof(*request));
    request->operation = (u8)operation;
    request->id = slot;
    request->sector = sector;
    int segments = 0;
    u32 refs[BLKIF_SEGMENTS];
    for (u32 done = 0; done < bytes && segments < BLKIF_SEGMENTS; segments++) {
        u32 part = bytes - done < PAGE_SIZE ? bytes - done : (u32)PAGE_SIZE;
        refs[segments] = request->segment[segments].ref = grant_page(disk->backend_domain, (u8 *)buffer + done, operation != BLKIF_read);
        request->segment[segments].first = 0;
        request->segment[segments].last = (u8)(part / SECTOR - 1);
        done += part;
    }
    request->segments = (u8)segments;
    disk->is_done[slot] = 0;
    barrier();
    u32 old = producer++;
    disk->page->ring.request_producer = producer;
    barrier();
    if (producer - disk->page->ring.request_event < producer - old) notify(disk->port);
    int status = wait_until(is_done, &disk->is_done[slot], now() + PATIENCE) ? disk->status[slot] : -101;
    for (int k = 0; k < segments; k++) end_grant(refs[k]);
    disk->requests++;
    return status;
}

void disks_start(void) {
    if (!xs_is_there() || !grant_table) return;
    static char names[1024];
    int length = xs_list(0, "device/vbd", names, sizeof(names));
    for (int at = 0; at < length && disk_count < COUNT(disks); at += (int)strlen(names + at) + 1) {
        char path[64];
        format(path, sizeof(path), "device/vbd/%s", names + at);
        if (disk_connect(&disks[disk_count], path)) disk_count++;
    }
}

void disks_resume(void) {
    for (int k = 0; k < disk_count; k++) {
        char path[64];
        memcpy(path, disks[k].path, sizeof(path));
        free_pages(disks[k].page, 1);
        if (!disk_connect(&disks[k], path)) print("disk %s does not come back\n", path);
    }
}
