// The devices that the domain has.
#include "selftest.h"
#include "devices.h"

static void test_disk(struct disk *disk) {
    u64 *pages = allocate_pages(2), *copy = allocate_pages(2);
    u32 bytes = 2 * PAGE_SIZE;
    int writable = !(disk->info & 4) && has_word("scratch");
    expect_true("disk.size", disk->sectors >= 2 * SECTORS_PER_PAGE);
    expect("disk.read", disk_do(disk, BLKIF_read, 0, pages, bytes), 0);
    if (writable) {
        for (u64 k = 0; k < bytes / 8; k++) copy[k] = k * 0x9e3779b97f4a7c15 ^ 0x1234;
        u64 last = disk->sectors - 2 * SECTORS_PER_PAGE;
        expect("disk.write", disk_do(disk, BLKIF_write, last, copy, bytes), 0);
        if (disk->can_flush) expect("disk.flush", disk_do(disk, BLKIF_flush, 0, 0, 0), 0);
        if (disk->can_barrier) expect("disk.barrier", disk_do(disk, BLKIF_barrier, last, copy, bytes), 0);
        memset(pages, 0, bytes);
        expect("disk.read.back", disk_do(disk, BLKIF_read, last, pages, bytes), 0);
        expect_true("disk.content", memcmp(pages, copy, bytes) == 0);
    }
    expect_true("disk.beyond", disk_do(disk, BLKIF_read, disk->sectors, pages, bytes) < 0);
    expect_true("disk.operation", disk_do(disk, 77, 0, pages, bytes) < 0);
    free_pages(pages, 2);
    free_pages(copy, 2);
}

void test_devices(void) {
    if (disk_count) test_disk(&disks[0]);
    if (nic_count) {
        expect_true("nic.sends", nics[0].link.send(&nics[0].link, "\xff\xff\xff\xff\xff\xff" "......" "\x88\xb5" "a frame for nobody, of a type for experiments..............", 64));
    }
}
