// Memory that the domain gives back to Xen and gets again, as xenstore's memory/target says.
#include "grants.h"
#include "xenstore.h"

#define MOST 65536

static u32 given[MOST];                 // frames that we do not have now
static u64 given_count;
static volatile int changed;

static s64 change(u64 command, const u64 *frames, u64 count) {
    struct reservation r = { handle_of(frames), count, 0, 0, DOMID_SELF };
    return memory_op(command, &r);
}

s64 give_up_frames(const u64 *frames, u64 count) { return change(MEMOP_decrease, frames, count); }
s64 get_back_frames(const u64 *frames, u64 count) { return change(MEMOP_populate, frames, count); }
u64 balloon_pages(void) { return given_count; }

int balloon_to(u64 pages) {
    u64 total = start_info->pages, reserve = 256;
    u64 want = pages >= total ? 0 : total - pages;
    if (want > MOST) want = MOST;
    while (given_count < want && free_page_count() > reserve) {
        u64 frame = frame_of(allocate_pages(1));
        if (give_up_frames(&frame, 1) != 1) return 0;
        given[given_count++] = (u32)frame;
    }
    while (given_count > want) {
        u64 frame = given[given_count - 1];
        if (get_back_frames(&frame, 1) != 1) return 0;
        given_count--;
        free_pages(at_physical(frame << PAGE_SHIFT), 1);
    }
    return given_count == want;
}

static void target_changed(const char *path, void *argument) { (void)path, (void)argument; changed = 1; }

static void follow_target(void) {
    if (!changed) return;
    changed = 0;
    char text[32];
    // In KiB.
    if (xs_read(0, "memory/target", text, sizeof(text)) > 0 && to_number(text) > 0) balloon_to(to_number(text) >> (PAGE_SHIFT - 10));
}

void balloon_start(void) {
    if (!xs_is_there() || is_dom0()) return;
    xs_watch("memory/target", target_changed, 0);
    add_service(follow_target);
}
