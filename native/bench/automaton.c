// A state machine with many branches: splits random text into words, numbers, strings and comments.
#include "bench.h"

#define LETTERS 65536
static char text[LETTERS];

enum state { BETWEEN, WORD, NUMBER, FRACTION, STRING, ESCAPED, SLASH, LINE_COMMENT, COMMENT, STAR };

static NOINLINE u64 scan(const char *at, const char *end) {
    u64 words = 0, numbers = 0, texts = 0, comments = 0, marks = 0, depth = 0, value = 0, sum = 0;
    enum state state = BETWEEN;
    for (; at < end; at++) {
        int c = *at, letter = (c >= 'a' && c <= 'z') || c == '_', digit = c >= '0' && c <= '9';
        switch (state) {
        case WORD:
            if (letter || digit) { value = value * 33 + (u64)c; break; }
            words++;
            sum ^= value;
            state = BETWEEN;
            goto between;
        case NUMBER:
            if (digit) { value = value * 10 + (u64)(c - '0'); break; }
            if (c == '.') { state = FRACTION; break; }
            numbers++;
            sum += value;
            state = BETWEEN;
            goto between;
        case FRACTION:
            if (digit) { value++; break; }
            numbers++;
            sum += value;
            state = BETWEEN;
            goto between;
        case STRING:
            if (c == '\\') state = ESCAPED;
            else if (c == '"' || c == '\n') texts++, state = BETWEEN;
            break;
        case ESCAPED: state = STRING; break;
        case SLASH:
            if (c == '/') { state = LINE_COMMENT; break; }
            if (c == '*') { state = COMMENT; break; }
            marks++;
            state = BETWEEN;
            goto between;
        case LINE_COMMENT:
            if (c == '\n') comments++, state = BETWEEN;
            break;
        case COMMENT:
            if (c == '*') state = STAR;
            break;
        case STAR:
            if (c == '/') comments++, state = BETWEEN;
            else if (c != '*') state = COMMENT;
            break;
        case BETWEEN:
        between:
            if (letter) state = WORD, value = (u64)c;
            else if (digit) state = NUMBER, value = (u64)(c - '0');
            else if (c == '"') state = STRING;
            else if (c == '/') state = SLASH;
            else if (c == '(') depth++;
            else if (c == ')') { if (depth > 0) depth--; else marks += 3; }
            else if (c == ';') sum = sum * 7 + depth;
            else if (c != ' ' && c != '\n') marks++;
            break;
        }
    }
    return sum + words * 3 + numbers * 5 + texts * 7 + comments * 11 + marks * 13;
}

u64 automaton(void) {
    static const char letters[] = "abcdefghijklmnoprstuvwxyz_aeiou      \n\n0123456789..\"\"()();;+-*/";
    u64 sum = 0, state = 0x8ebc6af09c88c6e3;
    for (int i = 0; i < LETTERS; i++) text[i] = letters[(next(&state) >> 32) * (sizeof letters - 1) >> 32];
    // No comment is long.
    for (int i = 127; i < LETTERS; i += 128) text[i - 1] = '*', text[i] = '/';
    for (int round = 0, rounds = share(60); round < rounds; round++) {
        text[next(&state) >> 48 & (LETTERS - 1)] = '"';
        sum = sum * 31 + scan(text, text + LETTERS);
    }
    return sum;
}
