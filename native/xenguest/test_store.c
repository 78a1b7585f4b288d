// xenstore: values, listings, transactions, watches, refusals.
#include "selftest.h"
#include "xenstore.h"

static volatile int watched;
static char watched_path[64];
static void changed(const char *path, void *argument) {
    (void)argument;
    watched++;
    format(watched_path, sizeof(watched_path), "%s", path);
}
static int has_changed(void *before) { return watched != *(int *)before; }
static int failed_with(int result, const char *error) { return result < 0 && strcmp(xs_error, error) == 0; }

void test_store(void) {
    if (!xs_is_there()) return;
    static char text[3000];
    expect("store.domid", xs_read(0, "domid", text, sizeof(text)) > 0, 1);
    xs_remove(0, "data/test");
    expect("store.write", xs_write(0, "data/test/a", "hello"), 3);
    expect("store.read", xs_read(0, "data/test/a", text, sizeof(text)), 5);
    expect_true("store.value", strcmp(text, "hello") == 0);
    xs_write(0, "data/test/b", "2");
    int length = xs_list(0, "data/test", text, sizeof(text));
    expect_true("store.list", length == 4 && text[0] == 'a' && text[2] == 'b');
    expect_true("store.missing", failed_with(xs_read(0, "data/test/c", text, sizeof(text)), "ENOENT"));
    expect_true("store.path", failed_with(xs_read(0, "data//test", text, sizeof(text)), "EINVAL"));
    expect_true("store.path.character", failed_with(xs_read(0, "data/te?st", text, sizeof(text)), "EINVAL"));
    if (!is_dom0()) {
        int result = xs_write(0, "/local/domain/0/name", "mine");
        expect_true("store.refused", result < 0);
        expect_true("store.refused.root", failed_with(xs_write(0, "/tool/test", "mine"), "EACCES"));
    }
    u32 transaction = xs_begin();
    expect_true("store.transaction", transaction != 0);
    xs_write(transaction, "data/test/b", "3");
    xs_read(0, "data/test/b", text, sizeof(text));
    expect_true("store.transaction.isolated", strcmp(text, "2") == 0);
    expect_true("store.transaction.commit", xs_end(transaction, 1) >= 0);
    xs_read(0, "data/test/b", text, sizeof(text));
    expect_true("store.transaction.visible", strcmp(text, "3") == 0);
    transaction = xs_begin();
    xs_write(transaction, "data/test/b", "4");
    xs_end(transaction, 0);
    xs_read(0, "data/test/b", text, sizeof(text));
    expect_true("store.transaction.abort", strcmp(text, "3") == 0);
    transaction = xs_begin();
    xs_read(transaction, "data/test/b", text, sizeof(text));
    xs_write(transaction, "data/test/a", "x");
    xs_write(0, "data/test/b", "5");
    expect_true("store.transaction.conflict", failed_with(xs_end(transaction, 1), "EAGAIN"));
    expect_true("store.transaction.number", failed_with(xs_read(4711, "data/test/b", text, sizeof(text)), "ENOENT"));

    int before = watched, watch = xs_watch("data/test", changed, 0);
    expect_true("store.watch", watch >= 0 && wait_until(has_changed, &before, now() + 5 * SECOND));
    before = watched;
    xs_write(0, "data/test/a", "again");
    expect_true("store.watch.fires", wait_until(has_changed, &before, now() + 5 * SECOND));
    expect_true("store.watch.path", strcmp(watched_path, "data/test/a") == 0);
    xs_unwatch(watch);
    before = watched;
    xs_write(0, "data/test/a", "silent");
    expect_true("store.unwatch", !wait_until(has_changed, &before, now() + 5 * MILLISECOND));
    expect_true("store.permissions", xs_request(XS_GET_PERMS, 0, "data/test", 10, text, sizeof(text)) > 0);
    expect_true("store.domain.path", xs_request(XS_GET_DOMAIN_PATH, 0, "0", 2, text, sizeof(text)) > 0 && strcmp(text, "/local/domain/0") == 0);
    expect_true("store.introduced", xs_request(XS_IS_DOMAIN_INTRODUCED, 0, "0", 2, text, sizeof(text)) > 0);
    expect_true("store.unknown", failed_with(xs_request((enum xs_type)99, 0, "", 1, text, sizeof(text)), "ENOSYS"));
    expect_true("store.remove", xs_remove(0, "data/test") >= 0);
    expect_true("store.removed", failed_with(xs_read(0, "data/test/a", text, sizeof(text)), "ENOENT"));
}
