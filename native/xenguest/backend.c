// What backends have in common: the directories of both ends in the store, and their states.
#include "devices.h"
#include "xenstore.h"

// A directory that was removed stays so.
void set_backend_state(struct backend *backend, int state) {
    if (xs_state(backend->backend) != STATE_unknown) xs_print(0, backend->backend, "state", "%d", state);
}

static void frontend_changed(const char *path, void *argument) { (void)path; ((struct backend *)argument)->is_changed = 1; }

static int make_directory(const char *path, int owner, int reader) {
    char payload[128];
    u64 length = strlen(path) + 1;
    memcpy(payload, path, length);
    if (xs_request(XS_MKDIR, 0, payload, (u32)length, 0, 0) < 0) return 0;
    length += (u64)format(payload + length, sizeof(payload) - length, "n%d", owner) + 1;
    length += (u64)format(payload + length, sizeof(payload) - length, "r%d", reader) + 1;
    return xs_request(XS_SET_PERMS, 0, payload, (u32)length, 0, 0) >= 0;
}

static void name_ends(struct backend *backend, const char *kind, u16 domain, u32 device) {
    backend->domain = domain;
    backend->device = device;
    backend->watch = -1;
    format(backend->frontend, sizeof(backend->frontend), "/local/domain/%u/device/%s/%u", domain, kind, device);
    format(backend->backend, sizeof(backend->backend), "/local/domain/%d/backend/%s/%u/%u", domain_id(), kind, domain, device);
}

static int listen_to_frontend(struct backend *backend) {
    char state[112];
    format(state, sizeof(state), "%s/state", backend->frontend);
    backend->watch = xs_watch(state, frontend_changed, backend);
    return backend->watch >= 0;
}

int announce_backend(struct backend *backend, const char *kind, u16 domain, u32 device) {
    if (!xs_is_there()) return 0;
    name_ends(backend, kind, domain, device);
    backend->is_ours = 1;
    // Each end writes its own and reads the other's; what is below inherits it.
    if (!make_directory(backend->backend, domain_id(), domain) || !make_directory(backend->frontend, domain, domain_id())) return 0;
    xs_print(0, backend->backend, "frontend", "%s", backend->frontend);
    xs_print(0, backend->backend, "frontend-id", "%u", domain);
    xs_print(0, backend->backend, "online", "1");
    return xs_print(0, backend->backend, "state", "%d", STATE_init_wait) >= 0;
}

int offer_backend(struct backend *backend) {
    if (xs_print(0, backend->frontend, "backend", "%s", backend->backend) < 0) return 0;
    xs_print(0, backend->frontend, "backend-id", "%d", domain_id());
    xs_print(0, backend->frontend, "state", "%d", STATE_initialising);
    return listen_to_frontend(backend);
}

int accept_backend(struct backend *backend, const char *kind, u16 domain, u32 device) {
    name_ends(backend, kind, domain, device);
    if (!listen_to_frontend(backend)) return 0;
    set_backend_state(backend, STATE_init_wait);
    return 1;
}

void forget_backend(struct backend *backend) {
    xs_unwatch(backend->watch);
    if (backend->is_ours) xs_remove(0, backend->backend);
}

int is_orphan(struct backend *backend) { return backend->is_ours && xs_state(backend->frontend) == STATE_unknown; }

enum backend_step backend_step(struct backend *backend, int ready_state) {
    if (!backend->is_changed) return STEP_none;
    backend->is_changed = 0;
    int state = xs_state(backend->frontend);
    if (!backend->is_connected) {
        if (state >= ready_state && state <= STATE_connected) return STEP_connect;
        if (state == STATE_initialising) set_backend_state(backend, STATE_init_wait);
        return STEP_none;
    }
    // Gone (its domain may be), about to go, or beginning anew.
    if (state == STATE_initialising) backend->is_changed = 1;
    return state < STATE_init_wait || state >= STATE_closing ? STEP_disconnect : STEP_none;
}
