// Text and memory.
#include "kernel.h"

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

int memcmp(const void *a, const void *b, u64 count) {
    const u8 *x = a, *y = b;
    for (; count; count--, x++, y++)
        if (*x != *y) return *x - *y;
    return 0;
}

u64 strlen(const char *text) {
    const char *end = text;
    while (*end) end++;
    return (u64)(end - text);
}

int strcmp(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return (u8)*a - (u8)*b;
}

int starts_with(const char *text, const char *prefix) {
    while (*prefix)
        if (*text++ != *prefix++) return 0;
    return 1;
}

const char *find_text(const char *text, const char *part) {
    for (; *text; text++)
        if (starts_with(text, part)) return text;
    return 0;
}

u64 to_number(const char *text) {
    u64 number = 0, base = 10;
    if (starts_with(text, "0x")) text += 2, base = 16;
    for (;; text++) {
        char c = *text;
        u64 digit = c >= '0' && c <= '9' ? (u64)(c - '0') : c >= 'a' && c <= 'f' ? (u64)(c - 'a' + 10) : 99;
        if (digit >= base) return number;
        number = number * base + digit;
    }
}

struct output { char *at, *end; int length; };

static void put(struct output *o, char c) {
    if (o->at < o->end) *o->at++ = c;
    o->length++;
}

static void put_padded(struct output *o, const char *text, u64 length, int width, char pad) {
    int left = width < 0;
    if (left) width = -width;
    for (u64 k = length; !left && k < (u64)width; k++) put(o, pad);
    for (u64 k = 0; k < length; k++) put(o, text[k]);
    for (u64 k = length; left && k < (u64)width; k++) put(o, ' ');
}

static void put_number(struct output *o, u64 value, int negative, u64 base, int width, char pad) {
    char digits[24];
    int at = COUNT(digits);
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    if (negative) digits[--at] = '-';
    put_padded(o, digits + at, (u64)(COUNT(digits) - at), width, pad);
}

int format_list(char *to, u64 room, const char *text, __builtin_va_list values) {
    struct output o = { to, to + (room ? room - 1 : 0), 0 };
    for (; *text; text++) {
        if (*text != '%') {
            put(&o, *text);
            continue;
        }
        text++;
        int left = *text == '-', width = 0, is_long = 0;
        if (left) text++;
        char pad = *text == '0' ? '0' : ' ';
        if (*text == '*') width = __builtin_va_arg(values, int), text++;
        for (; *text >= '0' && *text <= '9'; text++) width = width * 10 + *text - '0';
        for (; *text == 'l'; text++) is_long = 1;
        if (left) width = -width;
        switch (*text) {
        case 'd': {
            s64 value = is_long ? __builtin_va_arg(values, s64) : __builtin_va_arg(values, int);
            put_number(&o, value < 0 ? -(u64)value : (u64)value, value < 0, 10, width, pad);
            break;
        }
        case 'u': put_number(&o, is_long ? __builtin_va_arg(values, u64) : __builtin_va_arg(values, u32), 0, 10, width, pad); break;
        case 'x': put_number(&o, is_long ? __builtin_va_arg(values, u64) : __builtin_va_arg(values, u32), 0, 16, width, pad); break;
        case 's': {
            const char *value = __builtin_va_arg(values, const char *);
            put_padded(&o, value, strlen(value), width, ' ');
            break;
        }
        case 'c': put(&o, (char)__builtin_va_arg(values, int)); break;
        case '%': put(&o, '%'); break;
        default: return -1;
        }
    }
    if (room) *o.at = 0;
    return o.length;
}

int format(char *to, u64 room, const char *text, ...) {
    __builtin_va_list values;
    __builtin_va_start(values, text);
    int length = format_list(to, room, text, values);
    __builtin_va_end(values);
    return length;
}
