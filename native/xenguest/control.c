// What the domain is told to do by way of xenstore.
#include "control.h"
#include "devices.h"
#include "xenstore.h"

static volatile int told, devices_changed;
static void shutdown_changed(const char *path, void *argument) { (void)path, (void)argument; told = 1; }
static void device_changed(const char *path, void *argument) { (void)path, (void)argument; devices_changed = 1; }

static void follow_shutdown(void) {
    if (!told) return;
    told = 0;
    char how[16];
    if (xs_read(0, "control/shutdown", how, sizeof(how)) <= 0) return;
    xs_write(0, "control/shutdown", "");
    print("told to %s\n", how);
    if (strcmp(how, "poweroff") == 0 || strcmp(how, "halt") == 0) end_machine(POWER_OFF);
    if (strcmp(how, "reboot") == 0) end_machine(REBOOT);
    if (strcmp(how, "suspend") == 0) print(suspend() ? "restored\n" : "not saved\n");
    if (strcmp(how, "crash") == 0) end_machine(CRASH);
}

// A disk without content that somebody serves us while we run is tried at once, and its server told what came of it.
static void try_disk(struct disk *disk) {
    u64 *pages = allocate_pages(8);
    u32 bytes = 8 * PAGE_SIZE, words = bytes / 8;
    u64 begin = now();
    int status = 0;
    u64 moved = 0, most = disk->sectors / (bytes / SECTOR);
    for (u64 part = 0; part < most && status == 0; part++) {
        for (u32 k = 0; k < words; k++) pages[k] = part << 32 | k;
        status = disk_do(disk, BLKIF_write, part * (bytes / SECTOR), pages, bytes);
        moved += bytes;
    }
    if (status == 0 && disk->can_flush) status = disk_do(disk, BLKIF_flush, 0, 0, 0);
    u64 wrong = 0;
    for (u64 part = 0; part < most && status == 0; part++) {
        status = disk_do(disk, BLKIF_read, part * (bytes / SECTOR), pages, bytes);
        for (u32 k = 0; k < words; k++) wrong += pages[k] != (part << 32 | k);
        moved += bytes;
    }
    u64 microseconds = (now() - begin) / 1000 + 1;
    print("disk %s: %lu sectors, %s\n", disk->end.path, disk->sectors, status != 0 ? "it answers errors" : wrong ? "it keeps what it likes" : "what was written is read");
    xs_print(0, "data", "disk", "%s %lu KiB %lu us", status == 0 && !wrong ? "ok" : "failed", moved >> 10, microseconds);
    free_pages(pages, 8);
}

static int is_known(const char *path) {
    for (int k = 0; k < disk_count; k++)
        if (strcmp(disks[k].end.path, path) == 0) return 1;
    for (int k = 0; k < nic_count; k++)
        if (strcmp(nics[k].end.path, path) == 0) return 1;
    return 0;
}

static void connect_new(const char *kind, void (*connect)(const char *path)) {
    static char names[512];
    char path[64];
    format(path, sizeof(path), "device/%s", kind);
    int length = xs_list(0, path, names, sizeof(names));
    for (int at = 0; at < length; at += (int)strlen(names + at) + 1) {
        format(path, sizeof(path), "device/%s/%s", kind, names + at);
        if (!is_known(path) && xs_state(path) == STATE_initialising) connect(path);
    }
}

static int is_connected(void *end) {
    xs_take_events();
    frontends_follow();
    return ((struct frontend *)end)->step == FRONT_connected;
}

static void connect_disk(const char *path) {
    struct disk *disk = disk_connect(path);
    if (!disk || !wait_until(is_connected, &disk->end, now() + 10 * SECOND)) return;
    if (xs_number(disk->end.backend, "blank", 0)) try_disk(disk);
}

static void connect_nic(const char *path) {
    struct nic *nic = nic_connect(path);
    if (nic && wait_until(is_connected, &nic->end, now() + 10 * SECOND)) print("network interface %s: %s\n", path, nic->end.backend);
}

static void follow_devices(void) {
    if (!devices_changed) return;
    devices_changed = 0;
    connect_new("vbd", connect_disk);
    connect_new("vif", connect_nic);
}

void control_start(void) {
    if (!xs_is_there()) return;
    xs_watch("control/shutdown", shutdown_changed, 0);
    xs_watch("device", device_changed, 0);
    add_service(follow_shutdown);
    add_service(follow_devices);
}
