// A hash table with open addressing: insertions, lookups that find and that do not, removals.
#include "bench.h"

#define BITS 16
#define SLOTS (1u << BITS)
#define KEYS 40000
struct entry { u64 key, value; };      // key 0: free
static struct entry entries[SLOTS];

static u32 home(u64 key) { return (u32)(key * 0x9e3779b97f4a7c15 >> (64 - BITS)); }

static NOINLINE struct entry *find(u64 key) {
    u32 i = home(key);
    while (entries[i].key && entries[i].key != key) i = (i + 1) & (SLOTS - 1);
    return &entries[i];
}

// What follows moves up, so that no search is cut short.
static NOINLINE void take_out(struct entry *entry) {
    u32 hole = (u32)(entry - entries);
    for (u32 i = (hole + 1) & (SLOTS - 1); entries[i].key; i = (i + 1) & (SLOTS - 1)) {
        if (((i - home(entries[i].key)) & (SLOTS - 1)) < ((i - hole) & (SLOTS - 1))) continue;
        entries[hole] = entries[i];
        hole = i;
    }
    entries[hole].key = 0;
}

u64 hash(void) {
    u64 sum = 0, state = 0xd1342543de82ef95;
    for (int round = 0, rounds = share(8); round < rounds; round++) {
        u64 start = state;
        for (int i = 0; i < KEYS; i++) {
            u64 key = next(&state);
            struct entry *entry = find(key);
            entry->key = key;
            entry->value = key >> 7 ^ (u64)i;
        }
        u64 seen = start;
        for (int i = 0; i < KEYS; i++) {
            u64 key = next(&seen);
            sum = sum * 3 + find(key)->value + find(key ^ 1)->key;
        }
        seen = start;
        for (int i = 0; i < KEYS; i++) {
            struct entry *entry = find(next(&seen));
            sum += entry->value;
            take_out(entry);
        }
    }
    return sum;
}
