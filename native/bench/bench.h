// What the workloads share. Each is a function without arguments that does a fixed amount of work and returns a checksum of
// it, the same on every machine.
#pragma once

typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

#define NOINLINE __attribute__((noinline))

// Group and name of each, in the order of the run.
#define WORKLOADS(WORKLOAD)     \
    WORKLOAD(integer, mix)      \
    WORKLOAD(integer, sieve)    \
    WORKLOAD(integer, crc32)    \
    WORKLOAD(integer, sha256)   \
    WORKLOAD(integer, quicksort) \
    WORKLOAD(integer, hash)     \
    WORKLOAD(integer, bytecode) \
    WORKLOAD(integer, strings)  \
    WORKLOAD(integer, chase)    \
    WORKLOAD(integer, automaton) \
    WORKLOAD(integer, copy)     \
    WORKLOAD(floating, divide)  \
    WORKLOAD(floating, matrix)  \
    WORKLOAD(floating, fft)     \
    WORKLOAD(floating, nbody)

#define DECLARE(group, name) u64 name(void);
WORKLOADS(DECLARE)

// How much of its rounds a workload does: all, or in the short form a sixteenth, but one at least.
extern int halvings;
static inline int share(int rounds) { return rounds >> halvings ? rounds >> halvings : 1; }

// xorshift64, the source of all data.
static inline u64 next(u64 *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}
