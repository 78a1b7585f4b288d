// Pages: a bitmap of the memory that EFI's map gives to nobody else.
#include "xen.h"

#define MOST_RANGES 64
enum { CONVENTIONAL = 7 };

static u64 is_free[2048];              // of the first 2 GiB; the rest of large memories is left alone
static u64 limit;                       // one past the highest page
static u64 count_free;
static u64 lock;
extern u8 image_end[];

static int test(u64 page) { return is_free[page / 64] >> page % 64 & 1; }

static void change(u64 page, u64 pages, int to_free) {
    for (; pages; pages--, page++)
        if (to_free) is_free[page / 64] |= 1UL << page % 64;
        else is_free[page / 64] &= ~(1UL << page % 64);
}

static u64 enter(void) {
    u64 enabled = machine->disable_interrupts();
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE)) pause();
    return enabled;
}

static void leave(u64 enabled) {
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
    if (enabled) machine->enable_interrupts();
}

void memory_start(void) {
    struct memory_range ranges[MOST_RANGES];
    int count = memory_map(ranges, MOST_RANGES);
    u64 most = sizeof(is_free) * 8;
    // The RAM disk of a domain is in memory that is free for all else.
    u64 module_first = start_info && start_info->module ? start_info->module >> PAGE_SHIFT : ~0UL;
    u64 module_end = start_info && start_info->module ? (start_info->module + start_info->module_size + PAGE_SIZE - 1) >> PAGE_SHIFT : 0;
    u64 image_first = 0x1000000 >> PAGE_SHIFT, image_last = (physical(image_end) - 1) >> PAGE_SHIFT;
    for (int k = 0; k < count; k++) {
        if (ranges[k].type != CONVENTIONAL) continue;
        u64 first = (ranges[k].start + PAGE_SIZE - 1) >> PAGE_SHIFT;
        u64 end = (ranges[k].start + (ranges[k].pages << 12)) >> PAGE_SHIFT;
        if (end > most) end = most;
        if (first < 1) first = 1;
        for (u64 page = first; page < end; page++) {
            if ((page >= image_first && page <= image_last) || (page >= module_first && page < module_end)) continue;
            change(page, 1, 1);
            count_free++;
            if (page >= limit) limit = page + 1;
        }
    }
}

void *allocate_pages(u64 count) {
    u64 align = 1;
    while (align < count) align *= 2;
    u64 enabled = enter();
    for (u64 page = align; page + count <= limit; page += align) {
        u64 have = 0;
        while (have < count && test(page + have)) have++;
        if (have < count) continue;
        change(page, count, 0);
        count_free -= count;
        leave(enabled);
        void *pages = at_physical(page << PAGE_SHIFT);
        return memset(pages, 0, count << PAGE_SHIFT);
    }
    leave(enabled);
    panic("no memory for %lu pages, %lu are free", count, count_free);
}

void free_pages(void *pages, u64 count) {
    u64 enabled = enter();
    change(frame_of(pages), count, 1);
    count_free += count;
    leave(enabled);
}

u64 free_page_count(void) { return count_free; }
