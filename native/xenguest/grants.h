// Grants: giving pages to other domains, and using theirs.
#pragma once
#include "xen.h"

enum { GNTTABOP_map, GNTTABOP_unmap, GNTTABOP_setup_table, GNTTABOP_dump_table, GNTTABOP_transfer, GNTTABOP_copy, GNTTABOP_query_size };
enum { GTF_permit_access = 1, GTF_accept_transfer = 2, GTF_readonly = 4, GTF_reading = 8, GTF_writing = 16, GTF_transfer_completed = 8 };
enum { GNTMAP_device = 1, GNTMAP_host = 2, GNTMAP_readonly = 4 };
enum { GNTCOPY_source_ref = 1, GNTCOPY_target_ref = 2 };
enum {
    GNTST_okay = 0, GNTST_general_error = -1, GNTST_bad_domain = -2, GNTST_bad_ref = -3, GNTST_bad_handle = -4, GNTST_bad_address = -5,
    GNTST_permission_denied = -8, GNTST_bad_page = -9, GNTST_bad_copy = -10
};

struct grant_entry { volatile u16 flags; u16 domain; u32 frame; };
struct grant_map { u64 address; u32 flags, ref; u16 domain; s16 status; u32 handle; u64 bus_address; };
struct grant_unmap { u64 address, bus_address; u32 handle; s16 status; };
struct grant_setup { u16 domain; u32 frames; s16 status; u64 list; };
struct grant_query { u16 domain; u32 frames, maximum; s16 status; };
struct grant_transfer { u64 frame; u16 domain; u32 ref; s16 status; };
struct grant_copy_end { u64 frame_or_ref; u16 domain, offset; };
struct grant_copy { struct grant_copy_end source, target; u16 length, flags; s16 status; };
_Static_assert(sizeof(struct grant_map) == 32 && sizeof(struct grant_copy) == 40 && sizeof(struct grant_unmap) == 24, "grant_table.h");

extern struct grant_entry *grant_table; // null where there is none
void grants_start(void);
u32 grant_frame(u16 domain, u64 frame, int readonly);
u32 grant_page(u16 domain, const volatile void *page, int readonly);
u32 grant_transfer_to(u16 domain, u64 frame); // a reference through which the domain may give us a page, at a frame that has none
int take_transfer(u32 ref);             // whether it came
int end_grant(u32 ref);                 // false while it is in use
// Another domain's pages in a page of ours, which gives up its memory meanwhile.
struct mapping { void *page; u32 handle; };
int map_grant(u16 domain, u32 ref, int readonly, struct mapping *mapping); // a GNTST
int unmap_grant(struct mapping *mapping);

// balloon.c
enum { MEMOP_increase, MEMOP_decrease, MEMOP_maximum_ram_page, MEMOP_current, MEMOP_maximum, MEMOP_populate = 6, MEMOP_add_to_physmap = 7, MEMOP_exchange = 11,
    MEMOP_maximum_gpfn = 14 };
struct reservation { u64 extents, count; u32 order, flags; u16 domain; };
s64 give_up_frames(const u64 *frames, u64 count);
s64 get_back_frames(const u64 *frames, u64 count);
void balloon_start(void);
u64 balloon_pages(void);
int balloon_to(u64 pages);              // the memory that the domain has; what came of it
