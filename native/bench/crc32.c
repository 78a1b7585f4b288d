// CRC-32 by a table of 256 entries.
#include "bench.h"

static u32 table[256];
static u8 bytes[1 << 16];

u64 crc32(void) {
    for (u32 i = 0; i < 256; i++) {
        u32 c = i;
        for (int bit = 0; bit < 8; bit++) c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
        table[i] = c;
    }
    u64 state = 0x2545f4914f6cdd1d;
    for (u32 i = 0; i < sizeof bytes; i++) bytes[i] = (u8)next(&state);
    u32 crc = ~0u;
    for (int round = 0, rounds = share(140); round < rounds; round++)
        for (u32 i = 0; i < sizeof bytes; i++) crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
    return ~crc;
}
