// xenstore's client. Of the first processor, outside of interrupt handlers.
#pragma once
#include "xen.h"

enum xs_type {
    XS_DEBUG, XS_DIRECTORY, XS_READ, XS_GET_PERMS, XS_WATCH, XS_UNWATCH, XS_TRANSACTION_START, XS_TRANSACTION_END, XS_INTRODUCE, XS_RELEASE,
    XS_GET_DOMAIN_PATH, XS_WRITE, XS_MKDIR, XS_RM, XS_SET_PERMS, XS_WATCH_EVENT, XS_ERROR, XS_IS_DOMAIN_INTRODUCED, XS_RESUME
};
typedef void (*xs_handler)(const char *path, void *argument);

void xs_start(void);
void xs_resume(void);                   // another store, or the same again: the watches are set once more
int xs_is_there(void);
extern char xs_error[32];               // the last error: "ENOENT"
// Length of the reply's payload, or -1 and xs_error. The reply is ended by a zero byte beyond its length.
int xs_request(enum xs_type type, u32 transaction, const void *payload, u32 length, char *reply, int room);
int xs_read(u32 transaction, const char *path, char *to, int room);
int xs_write(u32 transaction, const char *path, const char *text);
int xs_print(u32 transaction, const char *path, const char *name, const char *text, ...) __attribute__((format(printf, 4, 5)));
int xs_remove(u32 transaction, const char *path);
int xs_list(u32 transaction, const char *path, char *names, int room); // bytes of zero-ended names
u64 xs_number(const char *path, const char *name, u64 otherwise);
u32 xs_begin(void);                     // a transaction; 0 where there is none
int xs_end(u32 transaction, int commit);// -1 and EAGAIN: again
int xs_watch(const char *path, xs_handler handler, void *argument); // the number of the watch
void xs_unwatch(int watch);
int xs_wait_state(const char *path, int state, u64 until); // until path/state is it (true), or another end (false)
int xs_state(const char *path);
void xs_take_events(void);              // calls the handlers of watches that fired; by a service, and by services that wait
int domain_id(void);                    // its own number
