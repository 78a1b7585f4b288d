// Work that notices what is lost: a disk is written and read all the time, each block with a number that only the last write knows, and another domain is pinged.
// What has been done is in the store, data/churn.
#include "control.h"
#include "devices.h"
#include "xenstore.h"

#define BLOCK_PAGES 4
#define BLOCK_SECTORS (BLOCK_PAGES * SECTORS_PER_PAGE)
#define BLOCKS 64

static u32 versions[BLOCKS];
static u64 rounds, wrong, failed, pings, answers;

static u64 word_of(u64 block, u64 version, u64 at) { return (block << 48 | version << 16 | 0x5a5a) * 0x9e3779b97f4a7c15 + at; }

static void write_block(struct disk *disk, u64 block, u64 *pages) {
    u32 version = versions[block] + 1;
    for (u64 k = 0; k < BLOCK_PAGES * PAGE_SIZE / 8; k++) pages[k] = word_of(block, version, k);
    if (disk_do(disk, BLKIF_write, block * BLOCK_SECTORS, pages, BLOCK_PAGES * PAGE_SIZE) != 0) failed++;
    else versions[block] = version;
}

static void check_block(struct disk *disk, u64 block, u64 *pages) {
    memset(pages, 0, BLOCK_PAGES * PAGE_SIZE);
    if (disk_do(disk, BLKIF_read, block * BLOCK_SECTORS, pages, BLOCK_PAGES * PAGE_SIZE) != 0) {
        failed++;
        return;
    }
    for (u64 k = 0; k < BLOCK_PAGES * PAGE_SIZE / 8; k++)
        if (pages[k] != word_of(block, versions[block], k)) {
            wrong++;
            return;
        }
}

static void report(const struct disk *disk) {
    u64 again = disk->end.connections + nics[0].end.connections;
    xs_print(0, "data", "churn", "%lu rounds, %lu wrong, %lu failed, %lu of %lu pings, %lu connections, %lu repeated", rounds, wrong, failed, answers, pings, again,
        disk->repeated);
}

void churn(int domain) {
    struct disk *disk = &disks[0];
    u64 *pages = allocate_pages(BLOCK_PAGES), seed = 1;
    while (!disk->end.connections || disk->sectors < BLOCKS * BLOCK_SECTORS) sleep(10 * MILLISECOND);
    for (u64 block = 0; block < BLOCKS; block++) write_block(disk, block, pages);
    for (;; rounds++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        write_block(disk, seed >> 40 & (BLOCKS - 1), pages);
        check_block(disk, seed >> 50 & (BLOCKS - 1), pages);
        if (disk->can_flush && rounds % 32 == 0 && disk_do(disk, BLKIF_flush, 0, 0, 0) != 0) failed++;
        if (rounds % 8 == 0) {
            pings++;
            answers += ping(address_of_domain(domain), 200, 100 * MILLISECOND) >= 0;
            report(disk);
        }
        sleep(0);
    }
}
