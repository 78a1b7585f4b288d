// Grants, with itself as the other domain.
#include "selftest.h"
#include "grants.h"

u64 read_word(u64);
void write_word(u64, u64);

static void test_mapping(void) {
    u64 *page = allocate_pages(1);
    page[3] = 0xabcdef;
    u32 ref = grant_page(DOMID_SELF, page, 0);
    // The entry names the domain itself by its number.
    extern int domain_id(void);
    grant_table[ref].domain = (u16)domain_id();
    struct mapping mapping;
    int mapped = map_grant((u16)domain_id(), ref, 0, &mapping);
    expect("grant.map", mapped, 0);
    if (mapped != 0) return;
    volatile u64 *view = mapping.page;
    expect("grant.map.seen", (s64)view[3], 0xabcdef);
    view[4] = 0x123;
    expect("grant.map.written", (s64)*(volatile u64 *)&page[4], 0x123);
    expect_true("grant.in.use", (grant_table[ref].flags & (GTF_reading | GTF_writing)) == (GTF_reading | GTF_writing));
    expect("grant.end.in.use", end_grant(ref), 0);
    expect("grant.unmap", unmap_grant(&mapping), 0);
    expect_true("grant.unused", (grant_table[ref].flags & (GTF_reading | GTF_writing)) == 0);
    expect("grant.end", end_grant(ref), 1);

    ref = grant_page((u16)domain_id(), page, 1);
    mapped = map_grant((u16)domain_id(), ref, 1, &mapping);
    expect("grant.map.readonly", mapped, 0);
    if (mapped != 0) return;
    view = mapping.page;
    expect("grant.readonly.seen", (s64)view[3], 0xabcdef);
    u64 result = attempt(write_word, (u64)&view[3], 5, 0);
    expect_true("grant.readonly.unchanged", *(volatile u64 *)&page[3] == 0xabcdef || result != FAULTED);
    expect("grant.readonly.kept", (s64)*(volatile u64 *)&page[3], 0xabcdef);
    expect("grant.readonly.unmap", unmap_grant(&mapping), 0);
    expect("grant.map.readonly.to.write", map_grant((u16)domain_id(), ref, 0, &mapping), GNTST_general_error);
    end_grant(ref);

    expect("grant.map.unused", map_grant((u16)domain_id(), 2000, 0, &mapping), GNTST_general_error);
    expect("grant.map.reference", map_grant((u16)domain_id(), 9999999, 0, &mapping), GNTST_bad_ref);
    expect("grant.map.nobody", map_grant(0x7000, 1, 0, &mapping), GNTST_bad_domain);
    struct grant_unmap unmap = { physical(page), 0, 0x7fffffff, 0 };
    grant_table_op(GNTTABOP_unmap, &unmap, 1);
    expect("grant.unmap.handle", unmap.status, GNTST_bad_handle);
    ref = grant_frame((u16)domain_id(), 0xfffffff, 0);
    expect_true("grant.map.frame", map_grant((u16)domain_id(), ref, 0, &mapping) < 0);
    end_grant(ref);
    free_pages(page, 1);
}

static void test_copies(void) {
    extern int domain_id(void);
    u16 self = (u16)domain_id();
    u8 *from = allocate_pages(1), *to = allocate_pages(1);
    for (int k = 0; k < 256; k++) from[k] = (u8)k;
    u32 ref = grant_page(self, to, 0);
    struct grant_copy copy = { { frame_of(from), DOMID_SELF, 16 }, { ref, self, 32 }, 64, GNTCOPY_target_ref, 0 };
    expect("grant.copy", grant_table_op(GNTTABOP_copy, &copy, 1), 0);
    expect("grant.copy.status", copy.status, 0);
    expect_true("grant.copy.content", memcmp(to + 32, from + 16, 64) == 0 && to[31] == 0 && to[96] == 0);
    copy.source.offset = (u16)(PAGE_SIZE - 8);
    grant_table_op(GNTTABOP_copy, &copy, 1);
    expect("grant.copy.beyond", copy.status, GNTST_bad_copy);
    copy.source.offset = 0;
    copy.target.frame_or_ref = 9999999;
    grant_table_op(GNTTABOP_copy, &copy, 1);
    expect("grant.copy.reference", copy.status, GNTST_bad_ref);
    end_grant(ref);
    ref = grant_page(self, to, 1);
    copy.target.frame_or_ref = ref;
    grant_table_op(GNTTABOP_copy, &copy, 1);
    expect_true("grant.copy.readonly", copy.status < 0);
    struct grant_copy back = { { ref, self, 32 }, { frame_of(from), DOMID_SELF, 512 }, 64, GNTCOPY_source_ref, 0 };
    grant_table_op(GNTTABOP_copy, &back, 1);
    expect_true("grant.copy.back", back.status == 0 && memcmp(from + 512, to + 32, 64) == 0);
    end_grant(ref);
    free_pages(from, 1);
    free_pages(to, 1);
}

// From one page of ours to the place of another.
static void test_transfer(void) {
    extern int domain_id(void);
    u64 *given = allocate_pages(1), *taken = allocate_pages(1), hole = frame_of(taken);
    given[5] = 0x55aa;
    give_up_frames(&hole, 1);
    u32 ref = grant_transfer_to((u16)domain_id(), hole);
    expect("grant.transfer.awaited", take_transfer(ref), 0);
    struct grant_transfer transfer = { frame_of(given), (u16)domain_id(), ref, 77 };
    grant_table_op(GNTTABOP_transfer, &transfer, 1);
    expect("grant.transfer", transfer.status, GNTST_okay);
    expect("grant.transfer.came", take_transfer(ref), 1);
    expect("grant.transfer.content", (s64)*(volatile u64 *)&taken[5], 0x55aa);
    grant_table_op(GNTTABOP_transfer, &transfer, 1);
    expect_true("grant.transfer.twice", transfer.status < 0);
    transfer.frame = 0xffffffffff;
    grant_table_op(GNTTABOP_transfer, &transfer, 1);
    expect_true("grant.transfer.frame", transfer.status < 0);
    free_pages(given, 1);
    free_pages(taken, 1);
}

void test_grants(void) {
    expect_true("grant.table", grant_table != 0);
    if (!grant_table) return;
    struct grant_query query = { DOMID_SELF, 0, 0, 77 };
    expect("grant.query", grant_table_op(GNTTABOP_query_size, &query, 1), 0);
    expect_true("grant.query.frames", query.status == 0 && query.frames >= 4 && query.maximum >= query.frames);
    static u64 frames[64];
    struct grant_setup setup = { DOMID_SELF, 10000, 77, handle_of(frames) };
    grant_table_op(GNTTABOP_setup_table, &setup, 1);
    expect_true("grant.setup.too.many", setup.status < 0);
    setup = (struct grant_setup){ 0x7000, 1, 77, handle_of(frames) };
    grant_table_op(GNTTABOP_setup_table, &setup, 1);
    expect_true("grant.setup.other", setup.status < 0);
    expect("grant.unknown", grant_table_op(99, &query, 1), -ENOSYS);
    expect("grant.nowhere", hypercall(GNTTABOP_query_size, NOWHERE, 1, 0, 0, HYPERVISOR_grant_table_op), -EFAULT);
    test_mapping();
    test_copies();
    test_transfer();
}
