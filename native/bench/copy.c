// Copies of blocks by 8-byte words: in the guest by a loop with rotating registers (copy_words.s), on the host by this plain loop.
#include "bench.h"

#ifdef __ia64__
void copy_words(u64 *to, const u64 *from, u64 count);
#else
static NOINLINE void copy_words(u64 *to, const u64 *from, u64 count) {
    for (u64 i = 0; i < count; i++) to[i] = from[i];
}
#endif

#define WORDS 16384
static u64 from[WORDS], to[WORDS];

u64 copy(void) {
    u64 sum = 0, state = 0x589965cc75374cc3;
    for (int i = 0; i < WORDS; i++) from[i] = next(&state);
    for (u64 round = 0, rounds = share(5000); round < rounds; round++) {
        // Short and long ones.
        u64 count = round & 1 ? 40 + round % 64 : WORDS - round / 2;
        u64 at = round & 1 ? (round * 97) & (WORDS / 2 - 1) : 0;
        copy_words(to + at, from + (WORDS - count) - at / 4, count);
        sum = sum * 31 + to[(round * 7919) & (WORDS - 1)];
    }
    return sum;
}
