// An interpreter of a small register machine; its program adds up the lengths of Collatz sequences.
#include "bench.h"

enum operation { LOAD, MOVE, ADD, MULTIPLY, AND, SHIFT_RIGHT, JUMP, JUMP_IF_ZERO, JUMP_IF_LESS, END };
struct instruction { u8 operation, a, b; signed char c; };

static const struct instruction program[] = {
    { LOAD, 0, 0, 1 },              //  0: r0 = 1, the number whose sequence is followed
    { LOAD, 5, 0, 1 },              //  1: r5 = 1
    { LOAD, 6, 0, 3 },              //  2: r6 = 3
    { MOVE, 1, 0, 0 },              //  3: r1 = r0
    { JUMP_IF_LESS, 1, 8, 8 },      //  4: r1 < 2: to 13
    { AND, 2, 1, 5 },               //  5: r2 = r1 & r5
    { JUMP_IF_ZERO, 2, 0, 3 },      //  6: even: to 10
    { MULTIPLY, 1, 1, 6 },          //  7: r1 *= 3
    { ADD, 1, 1, 5 },               //  8: r1 += 1
    { JUMP, 0, 0, 1 },              //  9: to 11
    { SHIFT_RIGHT, 1, 1, 5 },       // 10: r1 >>= 1
    { ADD, 4, 4, 5 },               // 11: r4 += 1
    { JUMP, 0, 0, -9 },             // 12: to 4
    { ADD, 0, 0, 5 },               // 13: r0 += 1
    { JUMP_IF_LESS, 0, 7, -12 },    // 14: r0 < r7: to 3
    { END, 4, 0, 0 },               // 15
};

static NOINLINE u64 execute(const struct instruction *at, u64 *r) {
    for (;; at++) {
        switch (at->operation) {
        case LOAD: r[at->a] = (u64)(long)at->c; break;
        case MOVE: r[at->a] = r[at->b]; break;
        case ADD: r[at->a] = r[at->b] + r[at->c]; break;
        case MULTIPLY: r[at->a] = r[at->b] * r[at->c]; break;
        case AND: r[at->a] = r[at->b] & r[at->c]; break;
        case SHIFT_RIGHT: r[at->a] = r[at->b] >> (r[at->c] & 63); break;
        case JUMP: at += at->c; break;
        case JUMP_IF_ZERO: if (r[at->a] == 0) at += at->c; break;
        case JUMP_IF_LESS: if (r[at->a] < r[at->b]) at += at->c; break;
        default: return r[at->a];
        }
    }
}

u64 bytecode(void) {
    u64 registers[16] = { 0 };
    registers[7] = share(20000);
    registers[8] = 2;
    return execute(program, registers);
}
