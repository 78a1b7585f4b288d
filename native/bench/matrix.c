// Multiplication of matrices of doubles: small whole numbers, so that the result is exact with and without fused multiply-add.
#include "bench.h"

#define ORDER 160
static double left[ORDER][ORDER], right[ORDER][ORDER], product[ORDER][ORDER];

u64 matrix(void) {
    u64 sum = 0, state = 0x123456789abcdef;
    for (int i = 0; i < ORDER; i++)
        for (int j = 0; j < ORDER; j++) {
            left[i][j] = (double)(long)(next(&state) & 0xff);
            right[i][j] = (double)(long)(next(&state) & 0xff);
        }
    for (int round = 0, rounds = share(10); round < rounds; round++) {
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
