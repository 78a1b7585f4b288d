// What frontends have in common. A frontend begins when its own state says Initialising: a toolstack (or the host) writes that when it gives the device a
// backend, also another one in place of one that died. What it writes itself it writes only as long as that is still the same backend.
#include "devices.h"
#include "xenstore.h"

#define MOST 8
#define MOST_FAILURES 16                // in a row, with a backend that lives

static struct frontend *all[MOST];
static int count;

static void changed(const char *path, void *argument) { (void)path; ((struct frontend *)argument)->is_changed = 1; }

// One transaction: from one state to the next, unless the device has got another backend meanwhile.
static int advance(struct frontend *end, int from, int to, int describe) {
    char name[96], text[96];
    for (int attempts = 0; attempts < 8; attempts++) {
        u32 transaction = xs_begin();
        if (!transaction) return 0;
        format(name, sizeof(name), "%s/state", end->path);
        int same = xs_read(transaction, name, text, sizeof(text)) > 0 && (int)to_number(text) == from;
        format(name, sizeof(name), "%s/backend", end->path);
        same = same && xs_read(transaction, name, text, sizeof(text)) > 0 && strcmp(text, end->backend) == 0;
        if (!same) {
            xs_end(transaction, 0);
            return 0;
        }
        if (describe) end->kind->describe(end, transaction);
        xs_print(transaction, end->path, "state", "%d", to);
        if (xs_end(transaction, 1) >= 0) return 1;
    }
    return 0;
}

static void find_backend(struct frontend *end) {
    char name[96], path[96];
    format(name, sizeof(name), "%s/backend", end->path);
    if (xs_read(0, name, path, sizeof(path)) <= 0) path[0] = 0;
    end->backend_domain = (u16)xs_number(end->path, "backend-id", 0);
    if (strcmp(path, end->backend) == 0) return;
    xs_unwatch(end->watch);
    end->watch = -1;
    memcpy(end->backend, path, sizeof(path));
    if (!path[0]) return;
    format(path, sizeof(path), "%s/state", end->backend);
    end->watch = xs_watch(path, changed, end);
}

static void leave(struct frontend *end) {
    if (end->port) close_channel(end->port);
    end->port = 0;
    end->step = FRONT_leaving;
}

static void begin(struct frontend *end) {
    if (end->failures == MOST_FAILURES) return;
    if (!end->kind->offer(end)) {
        end->failures = MOST_FAILURES;
        leave(end);
    } else if (advance(end, STATE_initialising, end->kind->offered, 1)) end->step = FRONT_offered;
    else {
        leave(end);
        end->is_changed = 1;
    }
}

static void follow(struct frontend *end) {
    if (!end->is_changed && end->step != FRONT_leaving) return;
    end->is_changed = 0;
    int own = xs_state(end->path);
    if (own == STATE_initialising || !end->backend[0]) find_backend(end);
    int other = end->backend[0] ? xs_state(end->backend) : STATE_unknown;
    int is_used = end->step == FRONT_offered || end->step == FRONT_connected;
    if (is_used && (own == STATE_initialising || other == STATE_unknown || other >= STATE_closing)) {
        leave(end);
        // One that lives lets go of its end when it is told.
        if (other >= STATE_closing) advance(end, own, STATE_closed, 0);
    }
    if (end->step == FRONT_leaving) {
        if (!end->kind->let_go(end, 0)) return;
        end->step = FRONT_waiting;
        own = xs_state(end->path);
        // It could not do with this frontend, but is not going away: once more.
        if (own == STATE_closed && xs_number(end->backend, "online", 0) == 1 && end->failures < MOST_FAILURES) {
            end->failures++;
            if (advance(end, STATE_closed, STATE_initialising, 0)) own = STATE_initialising;
        }
    }
    if (end->step == FRONT_waiting && own == STATE_initialising && other == STATE_init_wait) begin(end);
    if (end->step == FRONT_offered && xs_state(end->backend) == STATE_connected) {
        if (end->kind->offered != STATE_connected && !advance(end, end->kind->offered, STATE_connected, 0)) {
            end->is_changed = 1;
            return;
        }
        end->step = FRONT_connected;
        end->failures = 0;
        end->connections++;
        end->since = now();
        end->kind->connected(end);
    }
}

void frontends_follow(void) {
    static int is_following;
    // Of the first processor, and not from within.
    if (this_cpu->number != 0 || is_following) return;
    is_following = 1;
    for (int k = 0; k < count; k++) follow(all[k]);
    is_following = 0;
}

int frontend_add(struct frontend *end, const struct frontend_kind *kind, const char *path) {
    if (count == MOST) return 0;
    end->kind = kind;
    end->watch = -1;
    format(end->path, sizeof(end->path), "%s", path);
    if (xs_watch(end->path, changed, end) < 0) return 0;
    end->is_changed = 1;
    if (count == 0) add_service(frontends_follow);
    all[count++] = end;
    return 1;
}

void frontends_resume(void) {
    for (int k = 0; k < count; k++) {
        // The channel and the grants went with the old domain.
        all[k]->port = 0;
        all[k]->kind->let_go(all[k], 1);
        all[k]->step = FRONT_waiting;
        all[k]->is_changed = 1;
    }
}

static int are_settled(void *argument) {
    (void)argument;
    for (int k = 0; k < count; k++)
        if (all[k]->is_changed || all[k]->step == FRONT_offered || all[k]->step == FRONT_leaving
            || (all[k]->step == FRONT_waiting && all[k]->failures < MOST_FAILURES && xs_state(all[k]->backend[0] ? all[k]->backend : all[k]->path) > STATE_unknown))
            return 0;
    return 1;
}

int frontends_settle(u64 until) { return wait_until(are_settled, 0, until); }
