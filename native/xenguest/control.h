// The domain's life: what it is told to do, what it tells, its prompt.
#pragma once
#include "kernel.h"

void control_start(void);               // control/shutdown, devices that appear later
void prompt(void) __attribute__((noreturn));
int suspend(void);                      // true where it was restored, false where it was called off

// toolstack.c
struct domain { u16 id; char name[32]; u32 vcpus; u64 pages, cpu_time; int is_running, is_dying; };
int list_domains(struct domain *to, int room);
int shut_down_domain(u16 id, const char *how); // asks it to; "poweroff", "reboot"
int domain_is_gone(u16 id);
void tour(void);                        // what dom0 shows
