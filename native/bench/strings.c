// String functions in plain C over short texts: length, comparison, search for a byte and for a text.
#include "bench.h"

#define TEXTS 512
#define LONGEST 48
static char texts[TEXTS][LONGEST];

static NOINLINE u64 length(const char *text) {
    const char *end = text;
    while (*end) end++;
    return (u64)(end - text);
}

static NOINLINE int compare(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return (u8)*a - (u8)*b;
}

static NOINLINE const u8 *find_byte(const u8 *at, u8 byte, u64 count) {
    for (; count > 0; at++, count--)
        if (*at == byte) return at;
    return 0;
}

static NOINLINE const char *find_text(const char *text, const char *part) {
    for (; *text; text++) {
        u64 i = 0;
        while (part[i] && text[i] == part[i]) i++;
        if (!part[i]) return text;
    }
    return 0;
}

u64 strings(void) {
    u64 sum = 0, state = 0xa0761d6478bd642f;
    // Four letters: the texts have beginnings and parts in common.
    for (int i = 0; i < TEXTS; i++) {
        u64 count = 8 + next(&state) % (LONGEST - 9);
        for (u64 k = 0; k < count; k++) texts[i][k] = "etao"[next(&state) >> 60 & 3];
        texts[i][count] = 0;
    }
    for (int round = 0, rounds = share(200); round < rounds; round++)
        for (int i = 0; i < TEXTS; i++) {
            const char *text = texts[i], *other = texts[(i * 7 + round) % TEXTS];
            u64 count = length(text);
            const u8 *byte = find_byte((const u8 *)text, (u8)"etao"[round & 3], count);
            const char *part = find_text(text, other + length(other) - 5);
            sum = sum * 5 + count + (u64)(compare(text, other) > 0) + (byte ? (u64)(byte - (const u8 *)text) : 99) + (part ? (u64)(part - text) : 77);
        }
    return sum;
}
