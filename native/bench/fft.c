// Fast Fourier transforms of complex doubles, there and back; the rounded result is the whole numbers that went in, so that the
// last bits, which differ with and without fused multiply-add, do not matter.
#include "bench.h"

#define BITS 10
#define POINTS (1 << BITS)
struct complex { double re, im; };
static struct complex points[POINTS], turns[POINTS / 2];

// The powers of e^(i 2 pi / POINTS): the first from the series of sine and cosine, whose angle is small.
static void make_turns(void) {
    double angle = 6.283185307179586 / POINTS, square = angle * angle;
    double cosine = 1 - square / 2 * (1 - square / 12 * (1 - square / 30));
    double sine = angle * (1 - square / 6 * (1 - square / 20 * (1 - square / 42)));
    turns[0].re = 1;
    turns[0].im = 0;
    for (int i = 1; i < POINTS / 2; i++) {
        turns[i].re = turns[i - 1].re * cosine - turns[i - 1].im * sine;
        turns[i].im = turns[i - 1].re * sine + turns[i - 1].im * cosine;
    }
}

static NOINLINE void transform(double direction) {
    for (u32 i = 0, mirrored = 0; i < POINTS; i++) {
        if (i < mirrored) {
            struct complex point = points[i];
            points[i] = points[mirrored];
            points[mirrored] = point;
        }
        u32 bit = POINTS / 2;
        while (mirrored & bit) mirrored ^= bit, bit >>= 1;
        mirrored |= bit;
    }
    for (int half = 1, step = POINTS / 2; half < POINTS; half *= 2, step /= 2)
        for (int begin = 0; begin < POINTS; begin += 2 * half)
            for (int i = 0; i < half; i++) {
                struct complex *a = &points[begin + i], *b = a + half;
                double re = turns[i * step].re, im = direction * turns[i * step].im;
                double b_re = b->re * re - b->im * im, b_im = b->re * im + b->im * re;
                b->re = a->re - b_re;
                b->im = a->im - b_im;
                a->re += b_re;
                a->im += b_im;
            }
}

u64 fft(void) {
    u64 sum = 0, state = 0x1d8e4e27c47d124f;
    make_turns();
    for (int i = 0; i < POINTS; i++) {
        points[i].re = (double)(long)(next(&state) & 0xfff);
        points[i].im = (double)(long)(next(&state) & 0xfff);
    }
    for (int round = 0, rounds = share(500); round < rounds; round++) {
        transform(1);
        transform(-1);
        for (int i = 0; i < POINTS; i++) {
            points[i].re *= 1.0 / POINTS;
            points[i].im *= 1.0 / POINTS;
        }
    }
    for (int i = 0; i < POINTS; i++) sum = sum * 31 + (u64)(long)(points[i].re + 0.5) * 4096 + (u64)(long)(points[i].im + 0.5);
    return sum;
}
