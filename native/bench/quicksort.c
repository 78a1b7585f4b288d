// Quicksort of random 64-bit keys.
#include "bench.h"

#define KEYS 100000
static u64 keys[KEYS];

static NOINLINE void sort(long low, long high) {
    while (low < high) {
        u64 pivot = keys[low + (high - low) / 2];
        long i = low, j = high;
        while (i <= j) {
            while (keys[i] < pivot) i++;
            while (keys[j] > pivot) j--;
            if (i <= j) {
                u64 key = keys[i];
                keys[i++] = keys[j];
                keys[j--] = key;
            }
        }
        // The shorter part by recursion: the stack stays small.
        if (j - low < high - i) {
            sort(low, j);
            low = i;
        } else {
            sort(i, high);
            high = j;
        }
    }
}

u64 quicksort(void) {
    u64 sum = 0, state = 88172645463325252;
    for (int round = 0, rounds = share(4); round < rounds; round++) {
        for (long i = 0; i < KEYS; i++) keys[i] = next(&state);
        sort(0, KEYS - 1);
        for (long i = 0; i < KEYS; i++) sum = sum * 31 + keys[i] + (i > 0 && keys[i - 1] > keys[i]);
    }
    return sum;
}
