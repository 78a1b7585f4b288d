// Virtio devices on the PCI bus, where there are any.
#include "pci.h"
#include "selftest.h"
#include "xen.h"

static void test_rng(int slot) {
    struct virtio rng;
    u64 *bytes = allocate_pages(1);
    u64 before[4] = { 0 };
    int fresh = 1;
    expect_true("pci.rng.open", virtio_open(&rng, slot));
    for (int k = 0; k < 4; k++) {
        struct piece piece = { bus_address(bytes) + 64 * (u64)k, 32, 1 };
        expect("pci.rng.bytes", virtio_do(&rng, &piece, 1), 32);
        fresh &= memcmp(before, bytes + 8 * k, 32) != 0;
        memcpy(before, bytes + 8 * k, 32);
    }
    expect_true("pci.rng.fresh", fresh && bytes[4] == 0);
    // One for each: the line went down in between, and each was ended.
    if (on_xen) expect("pci.rng.interrupts", (s64)rng.interrupts, 4);
    virtio_close(&rng);
    free_pages(bytes, 1);
}

// What is not ours is out of the device's reach: it gives up, and nothing is written.
static void test_reach(int slot, u64 address) {
    struct virtio rng;
    expect_true("pci.reach.open", virtio_open(&rng, slot));
    struct piece piece = { address, 64, 1 };
    expect("pci.reach", virtio_do(&rng, &piece, 1), -1);
    expect_true("pci.reach.broken", virtio_status(&rng) & VIRTIO_NEEDS_RESET);
    virtio_close(&rng);
}

static void test_block(int slot) {
    struct virtio disk;
    struct { u32 type, pad; u64 sector; } *header = allocate_pages(1);
    u8 *data = allocate_pages(1), *status = (u8 *)header + 64;
    expect_true("pci.disk.open", virtio_open(&disk, slot));
    u32 sectors = *(volatile u32 *)disk.config;
    expect_true("pci.disk.size", sectors != 0);
    u64 sector = sectors - 1;
    struct piece pieces[] = { { bus_address(header), 16, 0 }, { bus_address(data), 512, 0 }, { bus_address(status), 1, 1 } };
    int writable = has_word("scratch");
    if (writable) {
        for (int k = 0; k < 512; k++) data[k] = (u8)(k * 7 + 3);
        header->type = 1;
        header->sector = sector;
        *status = 0xff;
        expect("pci.disk.write", virtio_do(&disk, pieces, 3), 1);
        expect("pci.disk.written", *status, 0);
        memset(data, 0, 512);
    }
    header->type = 0;
    header->sector = sector;
    *status = 0xff;
    pieces[1].device_writes = 1;
    expect("pci.disk.read", virtio_do(&disk, pieces, 3), 513);
    int same = *status == 0;
    for (int k = 0; writable && k < 512; k++) same &= data[k] == (u8)(k * 7 + 3);
    expect_true("pci.disk.content", same);
    header->sector = sectors;
    *status = 0xff;
    expect_true("pci.disk.beyond", virtio_do(&disk, pieces, 3) > 0 && *status == 1);
    virtio_close(&disk);
    free_pages(data, 1);
    free_pages(header, 1);
}

static void test_registers(int slot) {
    u32 bar = pci_read(slot, 0x10, 4);
    pci_write(slot, 0x10, 4, ~0U);
    expect("pci.bar.size", pci_read(slot, 0x10, 4), 0xffff8000);
    pci_write(slot, 0x10, 4, bar);
    expect("pci.bar", pci_read(slot, 0x10, 4), bar);
    expect("pci.absent", pci_read(slot, 0x10, 4) ? pci_read(31, 0, 4) : 0, 0xffffffff);
    expect("pci.size", sal(0x01000010, (u64)slot << 11, 3, 0, 0, 0).status, -2);
}

void test_pci(void) {
    int rng = pci_find(VIRTIO_RNG), disk = pci_find(VIRTIO_BLOCK);
    if (rng) {
        test_registers(rng);
        test_rng(rng);
        // Nobody's, the domain's own number (which is not its machine frame's), the window of the hypervisor.
        test_reach(rng, 1UL << 45);
        if (on_xen) {
            u64 *page = allocate_pages(1);
            test_reach(rng, physical(page));
            test_reach(rng, (u64)hypercall(1, 1UL << 26, 0, 0, 0, HYPERVISOR_dom0vp_op) << PAGE_SHIFT);
            free_pages(page, 1);
        }
        test_rng(rng);
    }
    if (disk) test_block(disk);
}
