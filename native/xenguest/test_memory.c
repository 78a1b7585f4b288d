// Memory reservations, the balloon.
#include "selftest.h"
#include "grants.h"

static s64 of_self(u64 command) {
    u16 self[4] = { DOMID_SELF };
    return memory_op(command, self);
}

void test_memory(void) {
    s64 current = of_self(MEMOP_current), maximum = of_self(MEMOP_maximum);
    expect_true("memory.current", current > 0 && current <= maximum);
    expect_true("memory.maximum.gpfn", of_self(MEMOP_maximum_gpfn) >= current - 1);
    u64 *page = allocate_pages(1), frame = frame_of(page);
    page[0] = 0x5a5a;
    expect("memory.decrease", give_up_frames(&frame, 1), 1);
    expect("memory.decrease.current", of_self(MEMOP_current), current - 1);
    expect("memory.decrease.twice", give_up_frames(&frame, 1), 0);
    expect("memory.populate", get_back_frames(&frame, 1), 1);
    expect("memory.populate.clear", (s64)*(volatile u64 *)page, 0);
    expect("memory.populate.twice", get_back_frames(&frame, 1), 0);
    page[0] = 0x1234;
    expect("memory.usable", (s64)*(volatile u64 *)page, 0x1234);
    u64 far = 0xffffffffff;
    expect("memory.populate.far", get_back_frames(&far, 1), 0);
    struct reservation r = { handle_of(&frame), 1, 0, 0, 0x7000 };
    // What cannot be begun has done no extents; that is no error.
    expect("memory.decrease.other", memory_op(MEMOP_decrease, &r), 0);
    r.domain = DOMID_SELF;
    r.order = 63;
    expect_true("memory.populate.order", memory_op(MEMOP_populate, &r) <= 0);
    expect("memory.nowhere", hypercall(MEMOP_decrease, NOWHERE, 0, 0, 0, HYPERVISOR_memory_op), 0);
    expect("memory.current.nowhere", hypercall(MEMOP_current, NOWHERE, 0, 0, 0, HYPERVISOR_memory_op), -EFAULT);
    expect("memory.unknown", memory_op(60, &r), -ENOSYS);
    struct { u16 domain; u32 space; u64 index, frame; } add = { DOMID_SELF, 0, 0, frame };
    expect("memory.add_to_physmap", memory_op(MEMOP_add_to_physmap, &add), -ENOSYS);
    free_pages(page, 1);
    u64 total = start_info->pages;
    expect_true("balloon.down", balloon_to(total - 64) && of_self(MEMOP_current) == current - 64);
    expect_true("balloon.up", balloon_to(total) && of_self(MEMOP_current) == current);

    u64 *many = allocate_pages(4);
    u64 in[4], out = frame_of(many);
    for (u64 k = 0; k < 4; k++) in[k] = out + k;
    struct { struct reservation in, out; u64 done; } exchange = { { handle_of(in), 4, 0, 0, DOMID_SELF }, { handle_of(&out), 1, 2, 0, DOMID_SELF }, 0 };
    expect("memory.exchange", memory_op(MEMOP_exchange, &exchange), 0);
    expect("memory.exchange.done", (s64)exchange.done, 4);
    many[100] = 7;
    expect("memory.exchange.usable", (s64)*(volatile u64 *)&many[100], 7);
    free_pages(many, 4);
}
