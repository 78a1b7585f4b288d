// Split devices: the frontends' and the backends' ends.
#pragma once
#include "xen.h"

enum xenbus_state { STATE_unknown, STATE_initialising, STATE_init_wait, STATE_initialised, STATE_connected, STATE_closing, STATE_closed };

// A ring page's header (ring.h); what one end consumes is its own.
struct ring { volatile u32 request_producer, request_event, response_producer, response_event; u8 pad[48]; };

// frontend.c: what frontends have in common: the handshake with a backend that the store names, and that may die and be replaced while they work.
struct frontend;
struct frontend_kind {
    const char *name;
    int offered;                        // the state that tells the backend that the rings are there
    int (*offer)(struct frontend *end); // makes rings and a channel; false where it cannot
    void (*describe)(struct frontend *end, u32 transaction); // tells the backend of them
    void (*connected)(struct frontend *end);                 // the backend uses them
    // Of all that the backend could use; false while it still does. Where it is lost the grants are gone already.
    int (*let_go)(struct frontend *end, int is_lost);
};
enum frontend_step { FRONT_waiting, FRONT_offered, FRONT_connected, FRONT_leaving };
struct frontend {
    const struct frontend_kind *kind;
    char path[64], backend[96];
    u16 backend_domain;
    u32 port;
    enum frontend_step step;
    int watch, failures;
    volatile int is_changed;
    u64 connections, since;             // how often, and when last
};
int frontend_add(struct frontend *end, const struct frontend_kind *kind, const char *path); // connects where a backend is there, now or later
void frontends_follow(void);            // what the store has told; by services, and by whoever waits for a device
void frontends_resume(void);            // in another domain than before: all is gone
int frontends_settle(u64 until);        // until all are connected whose backends there are

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

// A request that has no answer yet; it is made again to another backend where this one dies.
struct disk_request {
    volatile u8 is_used, is_done;
    u8 operation, segments, is_abandoned;
    volatile s16 status;
    u64 sector, age;
    u8 *buffer;
    u32 bytes, refs[BLKIF_SEGMENTS];
};
struct disk {
    struct frontend end;
    u32 ring_ref, response_consumer;
    struct blk_ring *page;
    u64 sectors;
    u32 sector_size, info;
    int can_flush, can_barrier;
    u64 requests, repeated;
    struct disk_request request[BLK_RING];
};
extern struct disk disks[4];
extern int disk_count;
void disks_start(void);                 // connects to all that the store shows
struct disk *disk_connect(const char *path);
// One request; the buffer is page-aligned. The backend's status: 0 is good. While there is no backend it waits for one.
int disk_do(struct disk *disk, int operation, u64 sector, void *buffer, u32 bytes);
int disk_begin(struct disk *disk, int operation, u64 sector, void *buffer, u32 bytes); // its name, or less than 0
int disk_end(struct disk *disk, int request); // waits for it
u32 virtual_disk(const char *name);     // the number of "xvda" and the like, or of a number

// backend.c: what backends have in common: the directories of both ends, and their states.
struct backend { u16 domain; u32 device; char frontend[96], backend[96]; int is_used, is_ours, is_connected, watch; volatile int is_changed; };
// Writes the directory of the frontend's to read, in InitWait; false and xs_error where it cannot.
int announce_backend(struct backend *backend, const char *kind, u16 domain, u32 device);
// Gives the frontend its directory, and listens to its state.
int offer_backend(struct backend *backend);
// Both directories are there, written by a toolstack.
int accept_backend(struct backend *backend, const char *kind, u16 domain, u32 device);
void forget_backend(struct backend *backend);
int is_orphan(struct backend *backend); // announced, and its frontend's domain is gone: to be dropped
enum backend_step { STEP_none, STEP_connect, STEP_disconnect };
enum backend_step backend_step(struct backend *backend, int ready_state);
void set_backend_state(struct backend *backend, int state);

// serve.c: a driver domain: serves what a toolstack writes into its directory "backend".
void serving_start(void);

// blkback.c: serves a RAM disk, or a disk of its own.
int serve_disk(u16 domain, u32 device, u64 sectors);
u64 disk_requests_served(void);
int accept_disk(u16 domain, u32 device); // as the toolstack's nodes say: params "ram", "ram:KIB" or the own disk's name, mode
struct backend *served_disk(int k);     // null beyond the last place
void drop_disk(int k);

// internet.c: a link is what frames go over: our network interface, or one that we serve.
struct link {
    u8 mac[6];                          // ours on it
    int is_connected, is_served;        // served: it is another domain's interface
    int (*send)(struct link *link, const void *frame, u32 length); // false where there is no room
};
void internet_start(void);              // ARP, ICMP echo, UDP echo at port 7; a switch where there are several links
void add_link(struct link *link);
void remove_link(struct link *link);
int has_link(void);
void frame_received(struct link *link, const u8 *frame, u32 length);
u32 address_of_domain(int domain);
s64 ping(u32 address, u32 bytes, u64 timeout); // nanoseconds, or -1
s64 udp_echo(u32 address, const char *text, u64 timeout);

// churn.c: uses its first disk and pings a domain all the time.
void churn(int domain) __attribute__((noreturn));

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
    struct frontend end;
    u32 tx_ref, rx_ref, tx_consumer, rx_consumer;
    struct tx_ring *tx;
    struct rx_ring *rx;
    u64 sent, received;
};
extern struct nic nics[2];
extern void (*large_frame_came)(const u8 *frame, u32 length); // who wants frames beyond MOST_FRAME, or null
extern int nic_count;
void nics_start(void);
struct nic *nic_connect(const char *path);

// netback.c: serves a network interface; we are at its other end, and the switch between those that we serve.
int serve_nic(u16 domain, u32 device);
int accept_nic(u16 domain, u32 device);
struct backend *served_nic(int k);
void drop_nic(int k);
