// Bodies that attract each other: doubles with divisions and square roots. The checksum is the total energy to nine places, and
// the run is short enough that rounding (with or without fused multiply-add) has not grown to that.
#include "bench.h"

#define BODIES 5
struct body { double x, y, z, vx, vy, vz, mass; };
static struct body bodies[BODIES];

// By Newton's method (the guest has no C library): for numbers that are not tiny or huge.
static double square_root(double x) {
    union { double number; u64 bits; } guess = { x };
    guess.bits = (guess.bits >> 1) + 0x1ff8000000000000;
    for (int i = 0; i < 4; i++) guess.number = 0.5 * (guess.number + x / guess.number);
    return guess.number;
}

static NOINLINE void advance(double time) {
    for (int i = 0; i < BODIES; i++) {
        struct body *a = &bodies[i];
        for (int j = i + 1; j < BODIES; j++) {
            struct body *b = &bodies[j];
            double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
            double square = dx * dx + dy * dy + dz * dz, pull = time / (square * square_root(square));
            a->vx -= dx * b->mass * pull;
            a->vy -= dy * b->mass * pull;
            a->vz -= dz * b->mass * pull;
            b->vx += dx * a->mass * pull;
            b->vy += dy * a->mass * pull;
            b->vz += dz * a->mass * pull;
        }
    }
    for (int i = 0; i < BODIES; i++) {
        struct body *body = &bodies[i];
        body->x += time * body->vx;
        body->y += time * body->vy;
        body->z += time * body->vz;
    }
}

static double energy(void) {
    double sum = 0;
    for (int i = 0; i < BODIES; i++) {
        struct body *a = &bodies[i];
        sum += 0.5 * a->mass * (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz);
        for (int j = i + 1; j < BODIES; j++) {
            struct body *b = &bodies[j];
            double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
            sum -= a->mass * b->mass / square_root(dx * dx + dy * dy + dz * dz);
        }
    }
    return sum;
}

u64 nbody(void) {
    // A heavy one in the middle, light ones around it on nearly circular ways.
    for (int i = 0; i < BODIES; i++) {
        double distance = 2.0 * i * i;
        bodies[i] = (struct body) { 0, 0, 0.125 * i, 0, 0, 0, i == 0 ? 40 : 0.0625 * i };
        bodies[i].x = distance;
        if (i > 0) bodies[i].vy = square_root(40 / distance);
    }
    u64 sum = 0;
    for (int round = 0, rounds = share(10); round < rounds; round++) {
        for (int step = 0; step < 6000; step++) advance(0.001);
        sum = sum * 31 + (u64)(long)(energy() * 1e9);
    }
    return sum;
}
