// The block frontend. Requests are kept until they are answered: when the backend dies they are made again to the next one.
#include "devices.h"
#include "grants.h"
#include "xenstore.h"

#define PATIENCE (10 * SECOND)
#define ABSENCE (300 * SECOND)          // how long a request waits for a backend that is gone

struct disk disks[4];
int disk_count;
static u64 last_age;

static struct disk *disk_of(struct frontend *end) { return (struct disk *)end; }

static void collect(struct disk *disk) {
    for (;;) {
        u32 producer = disk->page->ring.response_producer;
        barrier();
        while (disk->response_consumer != producer) {
            struct blkif_response *response = &disk->page->slot[disk->response_consumer++ % BLK_RING].response;
            u64 id = response->id;
            if (id >= BLK_RING || !disk->request[id].is_used) continue;
            disk->request[id].status = response->status;
            disk->request[id].is_done = 1;
        }
        disk->page->ring.response_event = disk->response_consumer + 1;
        barrier();
        if (disk->page->ring.response_producer == producer) return;
    }
}

static void disk_event(u32 port, void *argument) { (void)port; collect(argument); }

static void submit(struct disk *disk, u32 id) {
    struct disk_request *request = &disk->request[id];
    u32 producer = disk->page->ring.request_producer;
    struct blkif_request *slot = &disk->page->slot[producer % BLK_RING].request;
    memset(slot, 0, sizeof(*slot));
    slot->operation = request->operation;
    slot->id = id;
    slot->sector = request->sector;
    request->segments = 0;
    for (u32 done = 0; done < request->bytes && request->segments < BLKIF_SEGMENTS; request->segments++) {
        u32 part = request->bytes - done < PAGE_SIZE ? request->bytes - done : (u32)PAGE_SIZE, segment = request->segments;
        u32 ref = grant_page(disk->end.backend_domain, request->buffer + done, request->operation != BLKIF_read);
        request->refs[segment] = slot->segment[segment].ref = ref;
        slot->segment[segment].first = 0;
        slot->segment[segment].last = (u8)(part / SECTOR - 1);
        done += part;
    }
    slot->segments = request->segments;
    barrier();
    disk->page->ring.request_producer = producer + 1;
    barrier();
    if (producer + 1 - disk->page->ring.request_event < 1) notify(disk->end.port);
}

static void end_grants(struct disk_request *request) {
    for (int k = 0; k < request->segments; k++) end_grant(request->refs[k]);
    request->segments = 0;
}

static int offer(struct frontend *end) {
    struct disk *disk = disk_of(end);
    disk->page = allocate_pages(1);
    disk->page->ring.request_event = disk->page->ring.response_event = 1;
    disk->response_consumer = 0;
    disk->ring_ref = grant_page(end->backend_domain, disk->page, 0);
    end->port = channel_for(end->backend_domain);
    if (!end->port) return 0;
    listen(end->port, disk_event, disk);
    return 1;
}

static void describe(struct frontend *end, u32 transaction) {
    xs_print(transaction, end->path, "ring-ref", "%u", disk_of(end)->ring_ref);
    xs_print(transaction, end->path, "event-channel", "%u", end->port);
    xs_print(transaction, end->path, "protocol", "ia64-abi");
}

// What was not answered is asked again, in the same order.
static void connected(struct frontend *end) {
    struct disk *disk = disk_of(end);
    disk->sectors = xs_number(end->backend, "sectors", 0);
    disk->sector_size = (u32)xs_number(end->backend, "sector-size", SECTOR);
    disk->info = (u32)xs_number(end->backend, "info", 0);
    disk->can_flush = xs_number(end->backend, "feature-flush-cache", 0) != 0;
    disk->can_barrier = xs_number(end->backend, "feature-barrier", 0) != 0;
    for (u64 past = 0;;) {
        u32 next = BLK_RING;
        for (u32 id = 0; id < BLK_RING; id++) {
            struct disk_request *request = &disk->request[id];
            if (request->is_used && !request->is_done && request->age > past && (next == BLK_RING || request->age < disk->request[next].age)) next = id;
        }
        if (next == BLK_RING) return;
        past = disk->request[next].age;
        disk->repeated += end->connections > 1;
        submit(disk, next);
    }
}

static int let_go(struct frontend *end, int is_lost) {
    struct disk *disk = disk_of(end);
    if (disk->page) {
        if (!is_lost && !end_grant(disk->ring_ref)) return 0;
        free_pages(disk->page, 1);
        disk->page = 0;
    }
    for (u32 id = 0; id < BLK_RING; id++) {
        struct disk_request *request = &disk->request[id];
        if (is_lost) request->segments = 0;
        else end_grants(request);
        if (request->is_abandoned) memset(request, 0, sizeof(*request));
    }
    return 1;
}

static const struct frontend_kind vbd = { "vbd", STATE_initialised, offer, describe, connected, let_go };

static int is_answered(void *done) {
    if (*(volatile u8 *)done) return 1;
    // It may be a service that waits, while no other one runs.
    if (this_cpu->number == 0) {
        xs_take_events();
        frontends_follow();
    }
    return *(volatile u8 *)done;
}

int disk_begin(struct disk *disk, int operation, u64 sector, void *buffer, u32 bytes) {
    if (!disk->end.connections) return -100;
    int id = 0;
    while (id < BLK_RING && disk->request[id].is_used) id++;
    if (id == BLK_RING) return -102;
    struct disk_request *request = &disk->request[id];
    memset(request, 0, sizeof(*request));
    request->operation = (u8)operation;
    request->sector = sector;
    request->buffer = buffer;
    request->bytes = bytes;
    request->age = ++last_age;
    request->is_used = 1;
    if (disk->end.step == FRONT_connected) submit(disk, (u32)id);
    disk->requests++;
    return id;
}

int disk_end(struct disk *disk, int id) {
    struct disk_request *request = &disk->request[id];
    for (u64 begin = now(); !request->is_done && !wait_until(is_answered, (void *)&request->is_done, now() + PATIENCE);) {
        int is_deaf = disk->end.step == FRONT_connected && now() - disk->end.since > PATIENCE;
        if (!is_deaf && now() - begin < ABSENCE) continue;
        request->is_abandoned = 1;
        return -101;
    }
    int status = request->status;
    end_grants(request);
    request->is_used = 0;
    return status;
}

int disk_do(struct disk *disk, int operation, u64 sector, void *buffer, u32 bytes) {
    int id = disk_begin(disk, operation, sector, buffer, bytes);
    return id < 0 ? id : disk_end(disk, id);
}

struct disk *disk_connect(const char *path) {
    if (disk_count == COUNT(disks) || !frontend_add(&disks[disk_count].end, &vbd, path)) return 0;
    return &disks[disk_count++];
}

void disks_start(void) {
    if (!xs_is_there() || !grant_table) return;
    static char names[1024];
    int length = xs_list(0, "device/vbd", names, sizeof(names));
    for (int at = 0; at < length; at += (int)strlen(names + at) + 1) {
        char path[64];
        format(path, sizeof(path), "device/vbd/%s", names + at);
        disk_connect(path);
    }
    frontends_settle(now() + PATIENCE);
}

u32 virtual_disk(const char *name) {
    u64 length = strlen(name);
    u32 place = length ? (u32)(name[length - 1] - 'a') : 0;
    if (length != 4 || !starts_with(name, "xvd") || place > 25) return (u32)to_number(name);
    return place < 16 ? 202 << 8 | place << 4 : 1 << 28 | place << 8;
}
