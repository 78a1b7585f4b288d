// The kernel's test of what it runs on. A test prints "ok NAME", or "FAIL NAME: got ..., expected ...".
#pragma once
#include "kernel.h"

#define NOWHERE (1UL << 63 | 0x00000fff00000000UL) // a handle of an address that has no memory

int selftest(void);                     // the number of failures
void fuzz(u64 seed, u64 rounds);         // and as many more where it is told to go wild
void bench(const char *role) __attribute__((noreturn)); // "peer", or who measures
void expect(const char *name, s64 got, s64 expected);
void expect_true(const char *name, int holds);
// A call that must end in this interruption vector; the low byte of ISR where it is not -1.
void expect_fault(const char *name, u64 result, u64 vector, int code);
void expect_no_fault(const char *name, u64 result);

void test_processor(void);
void test_machine(void);
void test_hypercalls(void);
void test_events(void);
void test_memory(void);
void test_grants(void);
void test_store(void);
void test_devices(void);
void test_pci(void);
void parallel(void) __attribute__((noreturn));
