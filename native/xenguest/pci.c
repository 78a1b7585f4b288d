// The PCI bus as SAL shows it, and virtio devices on it. On Xen their interrupts are physical ones: dom0 sets up the IOSAPIC's line, a domU finds in the
// interrupt line register what it may bind. On a machine they are polled.
#include "pci.h"
#include "xen.h"

#define SAL_PCI_CONFIG_READ 0x01000010
#define SAL_PCI_CONFIG_WRITE 0x01000011
#define IOSAPIC 0xfec00000UL
enum { PCI_COMMAND = 4, PCI_BAR0 = 0x10, PCI_CAPABILITIES = 0x34, PCI_INTERRUPT_LINE = 0x3c, PCI_SLOTS = 32 };
enum { CAPABILITY_VENDOR = 9, STRUCTURE_COMMON = 1, STRUCTURE_NOTIFY, STRUCTURE_ISR, STRUCTURE_DEVICE };
enum { FEATURE_SELECT = 8, FEATURES = 12, STATUS = 20, QUEUE_SELECT = 22, QUEUE_ENTRIES = 24, QUEUE_ENABLE = 28, QUEUE_DESCRIPTORS = 32, QUEUE_DRIVER = 40, QUEUE_DEVICE = 48 };
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };
enum { IA64_DOM0VP_ioremap = 0, IA64_DOM0VP_phystomach = 1 };
enum { PHYSDEVOP_apic_write = 9, PHYSDEVOP_alloc_irq_vector = 10 };
enum { RTE_LOW = 1 << 13, RTE_LEVEL = 1 << 15, RTE_MASKED = 1 << 16 };
// In the ring's page.
enum { AVAILABLE = 0x200, USED = 0x400 };

struct descriptor { u64 address; u32 length; u16 flags, next; };

static u64 config_address(int slot, u32 at) { return (u64)slot << 11 | at; }

u32 pci_read(int slot, u32 at, u32 size) { return (u32)sal(SAL_PCI_CONFIG_READ, config_address(slot, at), size, 0, 0, 0).value[0]; }
void pci_write(int slot, u32 at, u32 size, u32 value) { sal(SAL_PCI_CONFIG_WRITE, config_address(slot, at), size, value, 0, 0); }

int pci_find(u16 device) {
    for (int slot = 1; slot < PCI_SLOTS; slot++)
        if (pci_read(slot, 0, 4) == ((u32)device << 16 | VIRTIO_VENDOR)) return slot;
    return 0;
}

u64 bus_address(const void *memory) {
    u64 frame = frame_of(memory);
    if (on_xen) frame = (u64)hypercall(IA64_DOM0VP_phystomach, frame, 0, 0, 0, HYPERVISOR_dom0vp_op);
    return frame << PAGE_SHIFT | (physical(memory) & (PAGE_SIZE - 1));
}

static void put(struct virtio *d, u32 at, u32 size, u64 value) {
    volatile u8 *to = d->common + at;
    if (size == 1) *to = (u8)value;
    else if (size == 2) *(volatile u16 *)to = (u16)value;
    else *(volatile u32 *)to = (u32)value;
    if (size == 8) *(volatile u32 *)(to + 4) = (u32)(value >> 32);
}

u8 virtio_status(struct virtio *d) { return d->common[STATUS]; }

static void pci_interrupt(u32 port, void *argument) {
    (void)port;
    struct virtio *d = argument;
    // Reading the cause takes the line back.
    if (*d->isr & 3) d->interrupts++;
    hypercall(d->pirq, 0, 0, 0, 0, HYPERVISOR_fast_eoi);
}

static int set_line(u32 line, u32 value) {
    struct { u64 address; u32 at, value; } entry = { IOSAPIC, 0x10 + 2 * line, value };
    return hypercall(PHYSDEVOP_apic_write, handle_of(&entry), 0, 0, 0, HYPERVISOR_physdev_op) == 0;
}

static int bind_interrupt(struct virtio *d) {
    d->pirq = pci_read(d->slot, PCI_INTERRUPT_LINE, 1);
    if (is_dom0()) {
        struct { s32 irq; u32 vector; } any = { -1, 0 };
        if (hypercall(PHYSDEVOP_alloc_irq_vector, handle_of(&any), 0, 0, 0, HYPERVISOR_physdev_op) || !set_line(d->pirq, any.vector | RTE_LEVEL | RTE_LOW)) return 0;
        d->pirq = any.vector;
    }
    struct { u32 pirq, flags, port; } bind = { d->pirq, 0, 0 };
    if (event_channel_op(EVTCHNOP_bind_pirq, &bind)) return 0;
    d->port = bind.port;
    listen(bind.port, pci_interrupt, d);
    return 1;
}

static void find_structures(struct virtio *d) {
    for (u32 at = pci_read(d->slot, PCI_CAPABILITIES, 1); at; at = pci_read(d->slot, at + 1, 1)) {
        if (pci_read(d->slot, at, 1) != CAPABILITY_VENDOR) continue;
        volatile u8 *structure = (volatile u8 *)((d->bar + pci_read(d->slot, at + 8, 4)) | REGION6);
        switch (pci_read(d->slot, at + 3, 1)) {
        case STRUCTURE_COMMON: d->common = structure; break;
        case STRUCTURE_NOTIFY: d->notify = structure; break;
        case STRUCTURE_ISR: d->isr = structure; break;
        case STRUCTURE_DEVICE: d->config = structure; break;
        }
    }
}

int virtio_open(struct virtio *d, int slot) {
    memset(d, 0, sizeof(*d));
    d->slot = slot;
    pci_write(slot, PCI_COMMAND, 2, 6);
    d->bar = pci_read(slot, PCI_BAR0, 4) & ~15U;
    if (on_xen && hypercall(IA64_DOM0VP_ioremap, d->bar, 0x8000, 0, 0, HYPERVISOR_dom0vp_op) != (s64)d->bar) return 0;
    find_structures(d);
    if (!d->common || !d->notify || !d->isr || (on_xen && !bind_interrupt(d))) return 0;
    d->ring = allocate_pages(1);
    put(d, STATUS, 1, 0);
    put(d, STATUS, 1, ACKNOWLEDGE | DRIVER);
    put(d, FEATURE_SELECT, 4, 0);
    put(d, FEATURES, 4, 0);
    // Version 1, and nothing else.
    put(d, FEATURE_SELECT, 4, 1);
    put(d, FEATURES, 4, 1);
    put(d, STATUS, 1, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    if (!(virtio_status(d) & FEATURES_OK)) return 0;
    u64 ring = bus_address(d->ring);
    put(d, QUEUE_SELECT, 2, 0);
    put(d, QUEUE_ENTRIES, 2, QUEUE_SIZE);
    put(d, QUEUE_DESCRIPTORS, 8, ring);
    put(d, QUEUE_DRIVER, 8, ring + AVAILABLE);
    put(d, QUEUE_DEVICE, 8, ring + USED);
    put(d, QUEUE_ENABLE, 2, 1);
    put(d, STATUS, 1, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
    return !(virtio_status(d) & VIRTIO_NEEDS_RESET);
}

void virtio_close(struct virtio *d) {
    put(d, STATUS, 1, 0);
    if (on_xen) close_channel(d->port);
    free_pages(d->ring, 1);
}

static int is_used(struct virtio *d) { return *(volatile u16 *)(d->ring + USED + 2) != d->taken; }

struct wait { struct virtio *device; u64 interrupts; };

static int is_over(void *argument) {
    struct wait *wait = argument;
    struct virtio *d = wait->device;
    return (virtio_status(d) & VIRTIO_NEEDS_RESET) || (is_used(d) && (!on_xen || d->interrupts != wait->interrupts));
}

s64 virtio_do(struct virtio *d, const struct piece *pieces, int count) {
    struct descriptor *table = (void *)d->ring;
    for (int k = 0; k < count; k++) {
        table[k].address = pieces[k].bus_address;
        table[k].length = pieces[k].length;
        table[k].flags = (u16)((k + 1 < count) | (pieces[k].device_writes ? 2 : 0));
        table[k].next = (u16)(k + 1);
    }
    struct wait wait = { d, d->interrupts };
    volatile u16 *available = (volatile u16 *)(d->ring + AVAILABLE);
    available[2 + d->submitted % QUEUE_SIZE] = 0;
    barrier();
    available[1] = ++d->submitted;
    barrier();
    *(volatile u16 *)d->notify = 0;
    if (!wait_until(is_over, &wait, now() + 5 * SECOND) || !is_used(d)) return -1;
    u32 *element = (u32 *)(d->ring + USED + 4 + 8 * (d->taken++ % QUEUE_SIZE));
    return element[1];
}
