// A hostile guest: what its files have in common.
#pragma once
#include "devices.h"

u64 random(void);
u64 below(u64 limit);
u64 some_number(void);
u64 some_frame(void);                   // one of the fuzzer's own pages, or none

// fuzz_devices.c
void fuzz_devices(void);                // requests to the backends, of pages that may not be granted, and nodes of the frontends
void fuzz_store(void);                  // messages that are whole
void fuzz_rings(void);                  // indices and bytes of the store's and the console's rings: this domain has neither any more
