// 64-bit division and remainder, which IA-64 does with floating-point multiply-adds.
#include "bench.h"

u64 divide(void) {
    u64 sum = 0, state = 0x9e3779b97f4a7c15;
    for (int round = 0, rounds = share(4000000); round < rounds; round++) {
        u64 a = next(&state), b = next(&state) >> (round & 31) | 1;
        sum += a / b + (u64)((long)a % (long)(b >> 1 | 1));
    }
    return sum;
}
