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
void disks_resume(void);
int disk_connect(struct disk *disk, const char *path);
void disk_disconnect(struct disk *disk);
// One request; the buffer is page-aligned. The backend's status: 0 is good.
int disk_do(struct disk *disk, int operation, u64 sector, void *buffer, u32 bytes);

// backend.c: what backends have in common: the directories of both ends, and their states.
struct backend { u16 domain; char frontend[96], backend[96]; int is_connected; volatile int is_changed; };
// Writes the directory of the frontend's to read, in InitWait; false and xs_error where it cannot.
int announce_backend(struct backend *backend, const char *kind, u16 domain, u32 device);
// Gives the frontend its directory, and listens to its state.
int offer_backend(struct backend *backend);
enum backend_step { STEP_none, STEP_connect, STEP_disconnect };
enum backend_step backend_step(struct backend *backend, int ready_state);
void set_backend_state(struct backend *backend, int state);

// blkback.c: serves a RAM disk.
int serve_disk(u16 domain, u32 device, u64 sectors);
u64 disk_requests_served(void);

// internet.c: a link is what frames go over: our network interface, or one that we serve.
struct link {
    u8 mac[6];                          // ours on it
    int is_connected, is_served;        // served: it is another domain's interface
    int (*send)(struct link *link, const void *frame, u32 length); // false where there is no room
};
void internet_start(void);              // ARP, ICMP echo, UDP echo at port 7; a switch where there are several links
void add_link(struct link *link);
int has_link(void);
void frame_received(struct link *link, const u8 *frame, u32 length);
u32 address_of_domain(int domain);
s64 ping(u32 address, u32 bytes, u64 timeout); // nanoseconds, or -1
s64 udp_echo(u32 address, const char *text, u64 timeout);

// netif.h
#define NET_SLOTS 1024
#define MOST_FRAME 1514
enum { NETTXF_more_data = 4, NETTXF_extra = 8 };
enum { NETIF_error = -1, NETIF_dropped = -2, NETIF_okay = 0 };
struct tx_request { u32 ref; u16 offset, flags, id, size; };
struct tx_response { u16 id; s16 status; };
struct rx_request { u16 id; u32 ref; };
struct rx_response { u16 id, offset, flags; s16 status; };
_Static_assert(sizeof(struct tx_request) == 12 && sizeof(struct rx_response) == 8, "netif.h");
struct tx_ring { struct ring ring; union { struct tx_request request; struct tx_response response; } slot[NET_SLOTS]; };
struct rx_ring { struct ring ring; union { struct rx_request request; struct rx_response response; } slot[NET_SLOTS]; };

// network.c
struct nic {
    struct link link;
    char path[64], backend[96];
    u16 backend_domain;
    u32 port, tx_ref, rx_ref, tx_consumer, rx_consumer;
    struct tx_ring *tx;
    struct rx_ring *rx;
    u64 sent, received;
};
extern struct nic nics[2];
extern void (*large_frame_came)(const u8 *frame, u32 length); // who wants frames beyond MOST_FRAME, or null
extern int nic_count;
void nics_start(void);
void nics_resume(void);
int nic_connect(const char *path);

// netback.c: serves a network interface; we are at its other end, and the switch between those that we serve.
int serve_nic(u16 domain, u32 device);
