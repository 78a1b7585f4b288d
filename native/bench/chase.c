// A chase along pointers in random order: through a ring that fits in the first-level cache, and one that fits in none but the last.
#include "bench.h"

#define LARGE (1 << 18)
#define SMALL (1 << 10)
struct node { struct node *next; u64 value; };
static struct node nodes[LARGE];

static NOINLINE u64 follow(const struct node *node, long steps) {
    u64 sum = 0;
    for (; steps > 0; steps--) {
        sum += node->value;
        node = node->next;
    }
    return sum;
}

// One cycle through the first `count` nodes (Sattolo's shuffle).
static NOINLINE void tie(u64 count, u64 *state) {
    for (u64 i = 0; i < count; i++) nodes[i].value = i;
    for (u64 i = count - 1; i > 0; i--) {
        u64 k = (next(state) >> 32) * i >> 32, value = nodes[i].value;
        nodes[i].value = nodes[k].value;
        nodes[k].value = value;
    }
    for (u64 i = 0; i < count; i++) nodes[i].next = &nodes[nodes[i].value];
}

u64 chase(void) {
    u64 state = 0xe7037ed1a0b428db, sum;
    tie(SMALL, &state);
    sum = follow(nodes, share(5000000));
    tie(LARGE, &state);
    return sum + follow(nodes, share(300000));
}
