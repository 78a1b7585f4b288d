// Split devices: the frontends' and the backends' ends.
#pragma once
#include "xen.h"

enum xenbus_state { STATE_unknown, STATE_initialising, STATE_init_wait, STATE_initialised, STATE_connected, STATE_closing, STATE_closed };

// A ring page's header (ring.h); what one end consumes is its own.
struct ring { volatile u32 request_producer, request_event, response_producer, response_event; u8 pad[48]; };

// block.c
enum { BLKIF_read, BLKIF_write, BLKIF_barrier, BLKIF_flush };
#define BLKIF_SEGMENTS 11
#define SECTOR 512
#define SECTORS_PER_PAGE (PAGE_SIZE / SECTOR)
struct blkif_request {
    u8 operation, segments;
    u16 handle;
    u64 id, sector;
    struct { u32 ref; u8 first, last; u16 pad; } segment[BLKIF_SEGMENTS];
};
struct blkif_response { u64 id; u8 operation; s16 status; };
_Static_assert(sizeof(struct blkif_request) == 112, "blkif.h");
#define BLK_RING 128
struct blk_ring { struct ring ring; union { struct blkif_request request; struct blkif_response response; } slot[BLK_RING]; };

struct disk {
    char path[64], backend[96];
    u16 backend_domain;
    u32 port, ring_ref, response_consumer;
    struct blk_ring *page;
    u64 sectors;
    u32 sector_size, info;
    int can_flush, can_barrier, is_connected;
    u64 requests;
    s16 status[BLK_RING];
    u8 is_done[BLK_RING];
};
extern struct disk disks[4];
extern int disk_count;
void disks_start(void);                 // connects to all that the store shows
int disk_connect(struct disk *disk, const char *path);
void disk_disconnect(struct disk *disk);
// One request; the buffer is page-aligned. The backend's status: 0 is good.
int disk_do(struct disk *disk, int operation, u64 sector, void *buffer, u32 bytes);

// blkback.c: serves a RAM disk.
int serve_disk(u16 domain, u32 device, u64 sectors); // writes both ends' directories
void blkback_start(void);
u64 disk_requests_served(void);

// network.c
struct nic {
    char path[64], backend[96];
    u16 backend_domain;
    u8 mac[6];
    u32 port, tx_ref, rx_ref, tx_consumer, rx_consumer;
    struct tx_ring *tx;
    struct rx_ring *rx;
    int is_connected;
    u64 sent, received;
};
extern struct nic nics[2];
extern int nic_count;
void nics_start(void);
int nic_send(struct nic *nic, const void *frame, u32 length);

// internet.c: ARP, ICMP echo, a UDP echo at port 7.
void internet_start(void);
void frame_received(struct nic *nic, const u8 *frame, u32 length);
u32 own_address(void);
u32 address_of_domain(int domain);
s64 ping(u32 address, u32 bytes, u64 timeout); // nanoseconds, or -1
s64 udp_echo(u32 address, const char *text, u64 timeout);
u64 pings_answered(void);
