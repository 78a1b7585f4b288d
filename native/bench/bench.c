// The benchmark: the same work for the guest (on the platform personality, MMU on) and for the host, so that the two can be
// compared. Every workload does a fixed amount of work and prints its name, a checksum, and the time it took in units of
// 2.5 ns: the guest's AR.ITC counts 400 million a second (or, with a deterministic clock, instruction slots).

#ifdef __ia64__
void print(const char *text);      // native/startup/console.s
void print_hex(unsigned long number);
static void say(const char *text) { print(text); }
static void say_hex(unsigned long number) { print_hex(number); }
static unsigned long now(void) {
    unsigned long itc;
    __asm__ volatile("mov %0 = ar.itc" : "=r"(itc) : : "memory");
    return itc;
}
#define LINE_END "\r\n"
#else
#include <stdio.h>
#include <time.h>
static void say(const char *text) { fputs(text, stdout); }
static void say_hex(unsigned long number) { printf("0x%016lx", number); }
static unsigned long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (unsigned long)time.tv_sec * 400000000 + (unsigned long)time.tv_nsec * 2 / 5;
}
#define LINE_END "\n"
#endif

typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned char u8;

#define NOINLINE __attribute__((noinline))

// xorshift64, the source of all data.
static u64 state;
static u64 next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

// --- mix: records, strings, calls, branches, in the manner of Dhrystone -----------------------------------------------

enum kind { FIRST, SECOND, THIRD, FOURTH };
struct record {
    struct record *link;
    enum kind kind;
    int number;
    char text[32];
};

static struct record records[2];
static int table[64];

static NOINLINE enum kind follow(enum kind kind, int number) {
    switch (kind) {
    case FIRST: return number > 100 ? FIRST : FOURTH;
    case SECOND: return SECOND;
    case THIRD: return FIRST;
    default: return THIRD;
    }
}

static NOINLINE int compare_text(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *(const u8 *)a - *(const u8 *)b;
}

static NOINLINE void copy_text(char *to, const char *from) {
    while ((*to++ = *from++)) { }
}

static NOINLINE void exchange(struct record *record, int round) {
    struct record *other = record->link;
    *other = *record;
    record->number = 5 + round % 7;
    other->number = record->number;
    other->link = record;
    other->kind = follow(record->kind, round & 127);
    if (other->kind == FOURTH) other->number += 9;
    else *record = *other;
    record->link = other;
}

static NOINLINE void fill_table(int at, int value) {
    int i = at & 31;
    table[i] = value;
    table[i + 1] = table[i];
    table[i + 30] = i;
    for (int j = i; j <= i + 1; j++) table[j] += i;
    table[i + 20] = table[i];
}

static NOINLINE u64 mix(void) {
    u64 sum = 0;
    records[0].link = &records[1];
    records[0].kind = FIRST;
    copy_text(records[0].text, "a text that is nearly the other");
    for (int round = 0; round < 150000; round++) {
        char text[32];
        copy_text(text, "a text that is nearly the othes");
        if (compare_text(text, records[0].text) > 0) sum += 3;
        exchange(&records[0], round);
        fill_table(round, (int)sum & 0xffff);
        int a = round % 11, b = (a * 7 - 3) / (1 + a % 3);
        sum += (u64)(a * b) + (u64)records[0].number + (u64)records[0].kind + (u64)table[round & 63];
        records[0].kind = follow(records[0].kind, a * b);
    }
    return sum;
}

// --- sieve ------------------------------------------------------------------------------------------------------------

#define NUMBERS 1000000
static u8 composite[NUMBERS];

static NOINLINE u64 sieve(void) {
    u64 sum = 0;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < NUMBERS; i++) composite[i] = 0;
        for (int i = 2; i < NUMBERS; i++) {
            if (composite[i]) continue;
            sum += (u64)i;
            for (int j = i + i; j < NUMBERS; j += i) composite[j] = 1;
        }
    }
    return sum;
}

// --- CRC-32 -----------------------------------------------------------------------------------------------------------

static u32 crc_table[256];
static u8 bytes[1 << 16];

static NOINLINE u64 crc32(void) {
    for (u32 i = 0; i < 256; i++) {
        u32 c = i;
        for (int bit = 0; bit < 8; bit++) c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
        crc_table[i] = c;
    }
    state = 0x2545f4914f6cdd1d;
    for (u32 i = 0; i < sizeof bytes; i++) bytes[i] = (u8)next();
    u32 crc = ~0u;
    for (int round = 0; round < 120; round++)
        for (u32 i = 0; i < sizeof bytes; i++) crc = crc >> 8 ^ crc_table[(crc ^ bytes[i]) & 0xff];
    return ~crc;
}

// --- quicksort --------------------------------------------------------------------------------------------------------

#define KEYS 200000
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

static NOINLINE u64 quicksort(void) {
    u64 sum = 0;
    state = 88172645463325252;
    for (int round = 0; round < 3; round++) {
        for (long i = 0; i < KEYS; i++) keys[i] = next();
        sort(0, KEYS - 1);
        for (long i = 0; i < KEYS; i++) sum = sum * 31 + keys[i] + (i > 0 && keys[i - 1] > keys[i]);
    }
    return sum;
}

// --- 64-bit division --------------------------------------------------------------------------------------------------

static NOINLINE u64 divide(void) {
    u64 sum = 0;
    state = 0x9e3779b97f4a7c15;
    for (int round = 0; round < 1200000; round++) {
        u64 a = next(), b = next() >> (round & 31) | 1;
        sum += a / b + (u64)((long)a % (long)(b >> 1 | 1));
    }
    return sum;
}

// --- matrix multiply: small whole numbers, so that the result is exact with and without fused multiply-add ---------------

#define ORDER 160
static double left[ORDER][ORDER], right[ORDER][ORDER], product[ORDER][ORDER];

static NOINLINE u64 matrix(void) {
    state = 0x123456789abcdef;
    for (int i = 0; i < ORDER; i++)
        for (int j = 0; j < ORDER; j++) {
            left[i][j] = (double)(long)(next() & 0xff);
            right[i][j] = (double)(long)(next() & 0xff);
        }
    u64 sum = 0;
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < ORDER; i++)
            for (int j = 0; j < ORDER; j++) {
                double dot = round;
                for (int k = 0; k < ORDER; k++) dot += left[i][k] * right[k][j];
                product[i][j] = dot;
            }
        for (int i = 0; i < ORDER; i++)
            for (int j = 0; j < ORDER; j++) sum = sum * 31 + (u64)(long)product[i][j];
    }
    return sum;
}

static void measure(const char *name, u64 (*work)(void)) {
    u64 begin = now();
    u64 checksum = work();
    u64 end = now();
    say(name);
    say(" ");
    say_hex(checksum);
    say(" ");
    say_hex(end - begin);
    say(LINE_END);
}

int main(void) {
    measure("mix", mix);
    measure("sieve", sieve);
    measure("crc32", crc32);
    measure("quicksort", quicksort);
    measure("divide", divide);
    measure("matrix", matrix);
    return 0;
}
