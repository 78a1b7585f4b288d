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

// maker.c: domains that dom0 makes by domctl, of the kernel that is its RAM disk.
int create_domain(const char *name, u64 mib, int vcpus, const char *words, int is_loud); // paused; its number, or a negative error. Loud: its console is printed here
s64 pause_domain(u16 id);
s64 unpause_domain(u16 id);
s64 resume_domain(u16 id);              // one that suspended itself goes on
s64 destroy_domain(u16 id);
int domain_is_paused(u16 id);
int domain_has_suspended(u16 id);
int domain_exists(u16 id);
void type_to_domain(u16 id, const char *text); // to its console
