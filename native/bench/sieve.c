// The sieve of Eratosthenes over bytes.
#include "bench.h"

#define NUMBERS 1000000
static u8 composite[NUMBERS];

u64 sieve(void) {
    u64 sum = 0;
    for (int round = 0, rounds = share(10); round < rounds; round++) {
        for (int i = 0; i < NUMBERS; i++) composite[i] = 0;
        for (int i = 2; i < NUMBERS; i++) {
            if (composite[i]) continue;
            sum += (u64)i;
            for (int j = i + i; j < NUMBERS; j += i) composite[j] = 1;
        }
    }
    return sum;
}
