// The Xen/ia64 interface as this kernel uses it: numbers and layouts of the public headers, and what our files offer for it.
#pragma once
#include "kernel.h"

#define IPI_VECTOR 0xfe
#define XSI_BASE 0xfffffffffff00000UL
#define DOMID_SELF 0x7ff0

enum {
    HYPERVISOR_sched_op_compat = 6, HYPERVISOR_platform_op = 7, HYPERVISOR_memory_op = 12, HYPERVISOR_multicall = 13, HYPERVISOR_xen_version = 17,
    HYPERVISOR_console_io = 18, HYPERVISOR_grant_table_op = 20, HYPERVISOR_vcpu_op = 24, HYPERVISOR_sched_op = 29, HYPERVISOR_callback_op = 30,
    HYPERVISOR_event_channel_op = 32, HYPERVISOR_physdev_op = 33, HYPERVISOR_hvm_op = 34, HYPERVISOR_sysctl = 35, HYPERVISOR_domctl = 36,
    HYPERVISOR_dom0vp_op = 48, HYPERVISOR_fast_eoi = 49, HYPERVISOR_debug_op = 50, HYPERVISOR_opt_feature = 0x700,
};
enum { EPERM = 1, ENOENT = 2, ESRCH = 3, EFAULT = 14, EBUSY = 16, EEXIST = 17, EINVAL = 22, ENOSPC = 28, ENOSYS = 38 };
enum { SCHEDOP_yield, SCHEDOP_block, SCHEDOP_shutdown, SCHEDOP_poll, SCHEDOP_remote_shutdown, SCHEDOP_shutdown_code };
enum { VIRQ_TIMER = 0, VIRQ_DEBUG = 1, VIRQ_CONSOLE = 2, VIRQ_DOM_EXC = 3, VIRQ_ITC = 16 };
enum {
    EVTCHNOP_bind_interdomain, EVTCHNOP_bind_virq, EVTCHNOP_bind_pirq, EVTCHNOP_close, EVTCHNOP_send, EVTCHNOP_status, EVTCHNOP_alloc_unbound,
    EVTCHNOP_bind_ipi, EVTCHNOP_bind_vcpu, EVTCHNOP_unmask, EVTCHNOP_reset
};
enum { SIF_PRIVILEGED = 1, SIF_INITDOMAIN = 2 };

struct start_info {
    char magic[32];
    u64 pages, shared_info;
    u32 flags, pad;
    u64 store_frame;
    u32 store_port, pad2;
    u64 console_frame;
    u32 console_port, pad3;
    u64 unused[3];
    u64 module, module_size;
    char command_line[1024];
};

struct vcpu_info { volatile u8 pending, mask; u8 pad[6]; volatile u64 selector; u64 time[4]; };
struct shared_info {
    struct vcpu_info vcpu[64];
    volatile u64 pending[64], mask[64];
    u32 wall_clock[4];
    u64 start_info_frame;
    u32 evtchn_vector, memmap_pages;
    u64 memmap_frame;
};
_Static_assert(__builtin_offsetof(struct shared_info, start_info_frame) == 0x1010, "shared_info");

struct mapped_registers {
    u8 before[0x400];
    u64 bank1[16], bank0[16], vnat, vbnat;
    u8 gap1[0x880 - 0x510];
    u64 ipsr, isr, unused1, iip, ifa, itir, iipa, ifs, iim, iha;
    u8 gap2[0xa40 - 0x8d0];
    u64 itv;
    u8 gap3[0xc00 - 0xa48];
    u64 precover_ifs, unat;
    u32 collection, pad;
    volatile u8 *interrupt_mask;
    volatile u32 pending_interruption;
    u8 vpsr_pp, vpsr_dfh, hpsr_dfh, hpsr_mfh;
    u64 reserved[4];
    u32 metaphysical, bank;
    u64 rr[8], kr[8];
};
_Static_assert(__builtin_offsetof(struct mapped_registers, kr) == 0xc90, "mapped_registers");
#define shared ((struct shared_info *)XSI_BASE)
#define xsi_registers ((struct mapped_registers *)(XSI_BASE + 0x4000))

// operations.s
s64 hypercall(u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 number);
s64 suspend_hypercall(u64 a0, u64 a1, u64 number);
u64 firmware_hypercall(u64 number, u64 r28);

// xen.c
extern struct start_info *start_info;   // null on a machine
void xen_start(void);
int is_dom0(void);
// A handle of the hypervisor for memory that is contiguous in physical addresses, as all of this kernel's is.
static inline u64 handle_of(const volatile void *memory) { return memory ? physical(memory) | 1UL << 63 : 0; }
static inline s64 sched_op(u64 command, void *argument) { return hypercall(command, handle_of(argument), 0, 0, 0, HYPERVISOR_sched_op); }
static inline s64 event_channel_op(u64 command, void *argument) { return hypercall(command, handle_of(argument), 0, 0, 0, HYPERVISOR_event_channel_op); }
static inline s64 memory_op(u64 command, void *argument) { return hypercall(command, handle_of(argument), 0, 0, 0, HYPERVISOR_memory_op); }
static inline s64 grant_table_op(u64 command, void *argument, u64 count) { return hypercall(command, handle_of(argument), count, 0, 0, HYPERVISOR_grant_table_op); }
static inline s64 xen_version(u64 command, void *argument) { return hypercall(command, handle_of(argument), 0, 0, 0, HYPERVISOR_xen_version); }
static inline s64 vcpu_op(u64 command, u64 vcpu, void *argument) { return hypercall(command, vcpu, handle_of(argument), 0, 0, HYPERVISOR_vcpu_op); }
static inline s64 console_io(u64 command, u64 count, void *text) { return hypercall(command, count, handle_of(text), 0, 0, HYPERVISOR_console_io); }

// events.c
typedef void (*event_handler)(u32 port, void *argument);
struct bind_virq { u32 virq, vcpu, port; };
struct bind_ipi { u32 vcpu, port; };
struct alloc_unbound { u16 domain, remote; u32 port; };
struct bind_interdomain { u16 remote; u32 remote_port, port; };
struct bind_vcpu { u32 port, vcpu; };
struct channel_status { u16 domain; u32 port, status, vcpu; union { struct { u16 domain; } unbound; struct { u16 domain; u32 port; } interdomain; u32 pirq, virq; } u; };
void events_start(void);
void events_resume(void);               // nothing is bound but this processor's own channels
void events_start_cpu(void);
void bind_cpu_events(struct cpu *cpu);
void bind_timer(void);
void take_events(void);
void send_ipi_event(int cpu);
void listen(u32 port, event_handler handler, void *argument); // unmasks
void stop_listening(u32 port);                                // masks
s64 notify(u32 port);
s64 unmask(u32 port);
u32 channel_for(u16 domain);            // an unbound channel that this domain may bind; 0 where there is none
u32 channel_to(u16 domain, u32 port);   // bound to its channel; 0 where it cannot
void close_channel(u32 port);
