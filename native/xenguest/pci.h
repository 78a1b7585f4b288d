// Devices on the PCI bus: virtio, its modern transport (virtio 1.2, 4.1), one queue.
#pragma once
#include "kernel.h"

enum { VIRTIO_VENDOR = 0x1af4, VIRTIO_BLOCK = 0x1042, VIRTIO_RNG = 0x1044 };
enum { VIRTIO_NEEDS_RESET = 64 };
#define QUEUE_SIZE 8

struct piece { u64 bus_address; u32 length; int device_writes; };
struct virtio {
    int slot;
    u64 bar;
    volatile u8 *common, *isr, *notify, *config; // uncacheable
    u8 *ring;                            // a page with the queue: descriptors, available ring, used ring
    u16 submitted, taken;
    u32 pirq, port;                      // on Xen
    volatile u64 interrupts;
};

u32 pci_read(int slot, u32 at, u32 size);
void pci_write(int slot, u32 at, u32 size, u32 value);
int pci_find(u16 device);                // its slot; 0 where there is none
// The address by which devices know our memory, which must not cross a page: on Xen that of the machine's frame.
u64 bus_address(const void *memory);
int virtio_open(struct virtio *device, int slot);
void virtio_close(struct virtio *device);
u8 virtio_status(struct virtio *device);
// Bytes that the device wrote, when it interrupted; -1 where it did not in time.
s64 virtio_do(struct virtio *device, const struct piece *pieces, int count);
