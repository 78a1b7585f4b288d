// Grants: giving pages to other domains, and using theirs.
#include "grants.h"

#define FRAMES 4
#define ENTRIES (FRAMES * 2048U)
#define FIRST 8                         // the first few are the tools'

struct grant_entry *grant_table;
static u32 next_free[ENTRIES];          // a list, ended by 0
static u32 first_free;

void grants_start(void) {
    static u64 frames[FRAMES];
    struct grant_setup setup = { DOMID_SELF, FRAMES, 0, handle_of(frames) };
    if (grant_table_op(GNTTABOP_setup_table, &setup, 1) != 0 || setup.status != 0) return;
    grant_table = at_physical(frames[0] << PAGE_SHIFT);
    for (u32 ref = FIRST; ref < ENTRIES; ref++) next_free[ref] = ref + 1 < ENTRIES ? ref + 1 : 0;
    first_free = FIRST;
}

static u32 enter(u16 domain, u64 frame, u16 flags) {
    u64 enabled = machine->disable_interrupts();
    u32 ref = first_free;
    if (!ref) panic("no grant entries are left");
    first_free = next_free[ref];
    if (enabled) machine->enable_interrupts();
    grant_table[ref].frame = (u32)frame;
    grant_table[ref].domain = domain;
    barrier();
    grant_table[ref].flags = flags;
    return ref;
}

static void forget(u32 ref) {
    u64 enabled = machine->disable_interrupts();
    next_free[ref] = first_free;
    first_free = ref;
    if (enabled) machine->enable_interrupts();
}

u32 grant_frame(u16 domain, u64 frame, int readonly) { return enter(domain, frame, (u16)(GTF_permit_access | (readonly ? GTF_readonly : 0))); }
u32 grant_page(u16 domain, const volatile void *page, int readonly) { return grant_frame(domain, frame_of(page), readonly); }
u32 grant_transfer_to(u16 domain, u64 frame) { return enter(domain, frame, GTF_accept_transfer); }

int end_grant(u32 ref) {
    u16 flags = grant_table[ref].flags;
    for (;;) {
        if (flags & (GTF_reading | GTF_writing)) return 0;
        if (__atomic_compare_exchange_n(&grant_table[ref].flags, &flags, (u16)0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) break;
    }
    forget(ref);
    return 1;
}

int take_transfer(u32 ref) {
    if (!(grant_table[ref].flags & GTF_transfer_completed)) return 0;
    grant_table[ref].flags = 0;
    forget(ref);
    return 1;
}

int map_grant(u16 domain, u32 ref, int readonly, struct mapping *mapping) {
    void *page = allocate_pages(1);
    u64 frame = frame_of(page);
    give_up_frames(&frame, 1);
    struct grant_map map = { physical(page), GNTMAP_host | (readonly ? GNTMAP_readonly : 0), ref, domain, 0, 0, 0 };
    s64 result = grant_table_op(GNTTABOP_map, &map, 1);
    if (result == 0 && map.status == 0) {
        mapping->page = page;
        mapping->handle = map.handle;
        return 0;
    }
    get_back_frames(&frame, 1);
    free_pages(page, 1);
    return result ? (int)result : map.status;
}

int unmap_grant(struct mapping *mapping) {
    struct grant_unmap unmap = { physical(mapping->page), 0, mapping->handle, 0 };
    s64 result = grant_table_op(GNTTABOP_unmap, &unmap, 1);
    u64 frame = frame_of(mapping->page);
    if (result != 0 || unmap.status != 0) return result ? (int)result : unmap.status;
    if (get_back_frames(&frame, 1) == 1) free_pages(mapping->page, 1);
    mapping->page = 0;
    return 0;
}
