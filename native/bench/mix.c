// Records, strings, calls and branches, in the manner of Dhrystone.
#include "bench.h"

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

u64 mix(void) {
    u64 sum = 0;
    records[0].link = &records[1];
    records[0].kind = FIRST;
    copy_text(records[0].text, "a text that is nearly the other");
    for (int round = 0, rounds = share(400000); round < rounds; round++) {
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
