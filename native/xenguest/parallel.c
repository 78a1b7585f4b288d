// The same work on one processor and on two: "parallel" says how long each takes, in nanoseconds, and ends the machine.
#include "kernel.h"
#include "selftest.h"

#define WORDS 4096
#define UNITS 64                        // that the processors share
#define ROUNDS 200                      // over the words, in a unit
#define BATCHES 5

static volatile u64 next_unit, sum;

// Loads, stores, calls, branches on data; now and then a word that all write.
static u64 __attribute__((noinline)) mix(u64 a, u64 b) { return (a ^ b >> 7) * 0x9e3779b97f4a7c15 + (a & 64 ? b : ~b); }

static void work(void *buffer) {
    u64 *words = buffer, own = 0;
    for (;;) {
        u64 unit = __sync_fetch_and_add(&next_unit, 1);
        if (unit >= UNITS) break;
        for (int round = 0; round < ROUNDS; round++)
            for (int k = 0; k < WORDS; k++) words[k] = own = mix(words[k] + unit, own);
    }
    __sync_fetch_and_add(&sum, own | 1);
}

static u64 time_of(int processors, void **buffers) {
    u64 begin = now();
    next_unit = 0;
    for (int n = 1; n < processors; n++) run_on(n, work, buffers[n]);
    work(buffers[0]);
    for (int n = 1; n < processors; n++)
        if (!wait_idle(n, now() + 60 * SECOND)) panic("processor %d does not come to an end", n);
    return now() - begin;
}

void parallel(void) {
    void *buffers[2] = { allocate_pages(WORDS * 8 / PAGE_SIZE), allocate_pages(WORDS * 8 / PAGE_SIZE) };
    u64 least[2] = { ~0UL, ~0UL };
    for (int batch = 0; batch < BATCHES; batch++)
        for (int processors = 1; processors <= 2; processors++) {
            u64 time = time_of(processors, buffers);
            if (time < least[processors - 1]) least[processors - 1] = time;
        }
    print("parallel 1 %lu\nparallel 2 %lu\n", least[0], least[1]);
    end_machine(POWER_OFF);
}
