// A driver domain: what a toolstack (or the host) writes into this domain's directory "backend" is served from then on, until it is removed. Nothing of it is kept:
// a driver domain that comes after this one finds the same there, and its frontends begin anew.
#include "devices.h"
#include "grants.h"
#include "xenstore.h"

static const struct server {
    const char *kind;
    int (*accept)(u16 domain, u32 device);
    struct backend *(*served)(int k);
    void (*drop)(int k);
} servers[] = { { "vbd", accept_disk, served_disk, drop_disk }, { "vif", accept_nic, served_nic, drop_nic } };

static volatile int backends_changed;
static void backend_changed(const char *path, void *argument) { (void)path, (void)argument; backends_changed = 1; }

// What was removed, also where it is written anew: that is another device of a domain that may be another one.
static void drop_old(const struct server *server) {
    struct backend *backend;
    for (int k = 0; (backend = server->served(k)); k++)
        if (backend->is_used && xs_state(backend->backend) <= STATE_initialising) server->drop(k);
}

static void accept_new(const struct server *server) {
    static char domains[1024], devices[1024];
    char path[64];
    format(path, sizeof(path), "backend/%s", server->kind);
    int length = xs_list(0, path, domains, sizeof(domains));
    for (int at = 0; at < length; at += (int)strlen(domains + at) + 1) {
        format(path, sizeof(path), "backend/%s/%s", server->kind, domains + at);
        int size = xs_list(0, path, devices, sizeof(devices));
        for (int k = 0; k < size; k += (int)strlen(devices + k) + 1) {
            format(path, sizeof(path), "backend/%s/%s/%s", server->kind, domains + at, devices + k);
            if (xs_state(path) != STATE_initialising) continue;
            if (server->accept((u16)to_number(domains + at), (u32)to_number(devices + k))) continue;
            print("%s cannot be served\n", path);
            xs_print(0, path, "state", "%d", STATE_closed);
        }
    }
}

static void follow_backends(void) {
    if (!backends_changed) return;
    backends_changed = 0;
    for (int k = 0; k < COUNT(servers); k++) {
        drop_old(&servers[k]);
        accept_new(&servers[k]);
    }
}

void serving_start(void) {
    if (!xs_is_there() || !grant_table) return;
    if (xs_watch("backend", backend_changed, 0) >= 0) add_service(follow_backends);
}
