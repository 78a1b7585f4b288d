// xenstore's client: requests and replies over the ring, watches.
#include "xenstore.h"

#define RING 1024
#define MOST 4096
#define PATIENCE (10 * SECOND)

struct store_ring {
    u8 request[RING], reply[RING];
    volatile u32 request_consumer, request_producer, reply_consumer, reply_producer;
};

struct header { u32 type, request, transaction, length; };

static struct store_ring *ring;
static u32 port, last_request;
char xs_error[32];

static struct { char path[128]; xs_handler handler; void *argument; } watches[64];
static struct { char path[128]; int watch; } events[64];
static u32 event_first, event_end;
static int events_lost;                 // more than there was room for

static void store_event(u32 p, void *argument) { (void)p, (void)argument; }
int xs_is_there(void) { return ring != 0; }

static void deliver_watches(void) {
    if (events_lost) {
        events_lost = 0;
        event_first = event_end;
        for (int watch = 0; watch < COUNT(watches); watch++)
            if (watches[watch].handler) watches[watch].handler(watches[watch].path, watches[watch].argument);
    }
    while (event_first != event_end) {
        int watch = events[event_first % COUNT(events)].watch;
        char path[128];
        memcpy(path, events[event_first % COUNT(events)].path, sizeof(path));
        event_first++;
        if (watches[watch].handler) watches[watch].handler(path, watches[watch].argument);
    }
}

// Waits without services: those use the store, too.
static int wait_quietly(int (*condition)(void)) {
    u64 until = now() + PATIENCE;
    while (!condition()) {
        if (now() >= until) return 0;
        machine->disable_interrupts();
        if (condition()) machine->enable_interrupts();
        else wait_interrupt(until);
    }
    return 1;
}

static int has_room(void) { return ring->request_producer - ring->request_consumer < RING; }
static int has_reply(void) { return ring->reply_producer != ring->reply_consumer; }

static int put(const void *bytes, u32 length) {
    const u8 *from = bytes;
    for (u32 k = 0; k < length; k++) {
        if (!has_room()) {
            notify(port);
            if (!wait_quietly(has_room)) return 0;
        }
        ring->request[ring->request_producer % RING] = from[k];
        barrier();
        ring->request_producer++;
    }
    return 1;
}

static int get(void *bytes, u32 length) {
    u8 *to = bytes;
    for (u32 k = 0; k < length; k++) {
        if (!has_reply()) {
            notify(port);
            if (!wait_quietly(has_reply)) return 0;
        }
        barrier();
        u8 byte = ring->reply[ring->reply_consumer % RING];
        barrier();
        ring->reply_consumer++;
        if (to) to[k] = byte;
    }
    return 1;
}

// Takes a message: 1: the reply, 0: a watch's event, -1: nothing came.
static int take(struct header *header, char *reply, int room) {
    static char event[MOST + 1];
    if (!get(header, sizeof(*header)) || header->length > MOST) return -1;
    if (!get(event, header->length)) return -1;
    notify(port);
    event[header->length] = 0;
    if (header->type == XS_WATCH_EVENT) {
        // Path and token, which is the watch's number.
        int watch = (int)to_number(event + strlen(event) + 1);
        if (event_end - event_first == COUNT(events)) events_lost = 1;
        else if (watch < COUNT(watches)) {
            events[event_end % COUNT(events)].watch = watch;
            format(events[event_end % COUNT(events)].path, sizeof(events[0].path), "%s", event);
            event_end++;
        }
        return 0;
    }
    u32 length = header->length < (u32)room ? header->length : (u32)room - 1;
    if (room > 0) {
        memcpy(reply, event, length);
        reply[length] = 0;
    }
    if (header->type == XS_ERROR) format(xs_error, sizeof(xs_error), "%s", event);
    return 1;
}

void xs_take_events(void) {
    struct header header;
    if (!ring) return;
    while (has_reply())
        if (take(&header, 0, 0) < 0) break;
    deliver_watches();
}

static void fail(const char *error) { format(xs_error, sizeof(xs_error), "%s", error); }

int xs_request(enum xs_type type, u32 transaction, const void *payload, u32 length, char *reply, int room) {
    if (!ring) {
        fail("ENODEV");
        return -1;
    }
    struct header header = { type, ++last_request, transaction, length };
    if (!put(&header, sizeof(header)) || !put(payload, length)) {
        fail("ETIMEDOUT");
        return -1;
    }
    notify(port);
    for (;;) {
        int taken = take(&header, reply, room);
        if (taken < 0) {
            fail("ETIMEDOUT");
            return -1;
        }
        if (taken == 1 && header.request == last_request) break;
    }
    return header.type == XS_ERROR ? -1 : (int)header.length;
}

static int simple(enum xs_type type, u32 transaction, const char *path, char *reply, int room) {
    return xs_request(type, transaction, path, (u32)strlen(path) + 1, reply, room);
}

int xs_read(u32 transaction, const char *path, char *to, int room) { return simple(XS_READ, transaction, path, to, room); }
int xs_remove(u32 transaction, const char *path) { return simple(XS_RM, transaction, path, 0, 0); }
int xs_list(u32 transaction, const char *path, char *names, int room) { return simple(XS_DIRECTORY, transaction, path, names, room); }

int xs_write(u32 transaction, const char *path, const char *text) {
    char payload[512];
    u64 length = strlen(path) + 1, more = strlen(text);
    if (length + more > sizeof(payload)) {
        fail("E2BIG");
        return -1;
    }
    memcpy(payload, path, length);
    memcpy(payload + length, text, more);
    return xs_request(XS_WRITE, transaction, payload, (u32)(length + more), 0, 0);
}

int xs_print(u32 transaction, const char *path, const char *name, const char *text, ...) {
    char full[192], value[192];
    format(full, sizeof(full), "%s/%s", path, name);
    __builtin_va_list values;
    __builtin_va_start(values, text);
    format_list(value, sizeof(value), text, values);
    __builtin_va_end(values);
    return xs_write(transaction, full, value);
}

u64 xs_number(const char *path, const char *name, u64 otherwise) {
    char full[192], value[32];
    format(full, sizeof(full), "%s/%s", path, name);
    return xs_read(0, full, value, sizeof(value)) > 0 ? to_number(value) : otherwise;
}

u32 xs_begin(void) {
    char id[16];
    return xs_request(XS_TRANSACTION_START, 0, "", 1, id, sizeof(id)) < 0 ? 0 : (u32)to_number(id);
}

int xs_end(u32 transaction, int commit) { return simple(XS_TRANSACTION_END, transaction, commit ? "T" : "F", 0, 0); }

static int watch_request(enum xs_type type, int watch) {
    char payload[160];
    u64 length = strlen(watches[watch].path) + 1;
    memcpy(payload, watches[watch].path, length);
    int token = format(payload + length, sizeof(payload) - length, "%d", watch);
    return xs_request(type, 0, payload, (u32)length + (u32)token + 1, 0, 0);
}

int xs_watch(const char *path, xs_handler handler, void *argument) {
    int watch = 0;
    while (watch < COUNT(watches) && watches[watch].handler) watch++;
    if (watch == COUNT(watches)) return -1;
    format(watches[watch].path, sizeof(watches[watch].path), "%s", path);
    watches[watch].argument = argument;
    watches[watch].handler = handler;
    if (watch_request(XS_WATCH, watch) >= 0) return watch;
    watches[watch].handler = 0;
    return -1;
}

void xs_unwatch(int watch) {
    if (watch < 0) return;
    watch_request(XS_UNWATCH, watch);
    watches[watch].handler = 0;
}

int xs_state(const char *path) { return (int)xs_number(path, "state", 0); }

static void state_changed(const char *path, void *argument) { (void)path; *(volatile int *)argument = 1; }

// Looks itself: it may be a service that waits.
static int is_set(void *flag) {
    xs_take_events();
    return *(volatile int *)flag;
}

int xs_wait_state(const char *path, int state, u64 until) {
    char full[192];
    volatile int changed = 1;
    format(full, sizeof(full), "%s/state", path);
    int watch = xs_watch(full, state_changed, (void *)&changed), found = 0;
    while (watch >= 0 && !found && wait_until(is_set, (void *)&changed, until)) {
        changed = 0;
        int is = xs_state(path);
        found = is == state ? 1 : is > state && is >= 5 ? -1 : 0;
    }
    xs_unwatch(watch);
    return found == 1;
}

static int own_id = -1;

int domain_id(void) {
    char text[16];
    if (own_id < 0) own_id = xs_read(0, "domid", text, sizeof(text)) > 0 ? (int)to_number(text) : is_dom0() ? 0 : 0x7ff0;
    return own_id;
}

void xs_resume(void) {
    own_id = -1;
    if (!ring) return;
    port = start_info->store_port;
    listen(port, store_event, 0);
    // What was on its way is not coming any more.
    ring->reply_consumer = ring->reply_producer;
    event_first = event_end;
    machine->enable_interrupts();
    for (int watch = 0; watch < COUNT(watches); watch++)
        if (watches[watch].handler) watch_request(XS_WATCH, watch);
}

void xs_start(void) {
    if (!start_info || !start_info->store_port) return;
    ring = at_physical(start_info->store_frame << PAGE_SHIFT);
    port = start_info->store_port;
    listen(port, store_event, 0);
    add_service(xs_take_events);
}
