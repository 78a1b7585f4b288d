// What the compiler expects of a C library where it copies or clears much; the host has its own.
#ifdef __ia64__
#include "bench.h"

// Or the compiler would make these loops into calls of these functions.
#pragma GCC optimize("no-tree-loop-distribute-patterns")

void *memset(void *to, int byte, u64 count) {
    u8 *at = to, *end = at + count;
    u64 word = (u8)byte * 0x0101010101010101;
    while (((u64)at & 7) && at < end) *at++ = (u8)byte;
    for (; at + 8 <= end; at += 8) *(u64 *)at = word;
    while (at < end) *at++ = (u8)byte;
    return to;
}

void *memcpy(void *to, const void *from, u64 count) {
    u8 *at = to, *end = at + count;
    const u8 *source = from;
    if ((((u64)at | (u64)source) & 7) == 0)
        for (; at + 8 <= end; at += 8, source += 8) *(u64 *)at = *(const u64 *)source;
    while (at < end) *at++ = *source++;
    return to;
}

u64 strlen(const char *text) {
    const char *end = text;
    while (*end) end++;
    return (u64)(end - text);
}
#endif
