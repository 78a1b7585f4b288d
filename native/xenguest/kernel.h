// The kernel's own interfaces. One idea a file; what a file offers to the others is here under its name.
#pragma once

typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;
typedef long s64;
typedef int s32;
typedef short s16;

#define PAGE_SHIFT 14
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define REGION6 0xc000000000000000UL
#define REGION7 0xe000000000000000UL
#define MAXIMUM_CPUS 64
#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

// Region 7 shows physical addresses (on Xen: the guest's), region 6 the same uncacheable.
static inline void *at_physical(u64 address) { return (void *)(address | REGION7); }
static inline u64 physical(const volatile void *address) { return (u64)address & ~REGION7; }
static inline u64 frame_of(const volatile void *address) { return physical(address) >> PAGE_SHIFT; }

static inline void barrier(void) { __asm__ volatile("mf" : : : "memory"); }
static inline void pause(void) { __asm__ volatile("hint @pause" : : : "memory"); }
static inline u64 read_itc(void) {
    u64 itc;
    __asm__ volatile("mov %0 = ar.itc" : "=r"(itc) : : "memory");
    return itc;
}

// start.s
extern const u64 boot_parameters;       // physical
extern const u64 on_xen;                // the level at which the kernel runs: not 0 on Xen
extern u64 area_of_lid[256];
extern u8 first_area[];
u64 physical_call(u64 entry, u64 gp, u64 a0, u64 a1, u64 a2, u64 a3);

// A processor. r13 points to it; its page has its stacks, too.
struct cpu {
    void *recover_ip;                   // attempt() of operations.s
    u64 recover_sp;
    u64 fault_vector, fault_isr, fault_address;
    u64 number, lid;
    volatile u64 is_up;
    volatile u64 ticks;                 // interrupts of the timer
    volatile u64 wakeups;               // of any kind
    u64 handling;                       // what happens in an interrupt handler
    void (*volatile task)(void *);
    void *volatile argument;
    u32 timer_port, ipi_port;
    volatile u64 ipis;
};
register struct cpu *this_cpu __asm__("r13");

// library.c
void *memset(void *to, int byte, u64 count);
void *memcpy(void *to, const void *from, u64 count);
int memcmp(const void *a, const void *b, u64 count);
u64 strlen(const char *text);
int strcmp(const char *a, const char *b);
int starts_with(const char *text, const char *prefix);
const char *find_text(const char *text, const char *part);
u64 to_number(const char *text);
int format(char *to, u64 room, const char *text, ...) __attribute__((format(printf, 3, 4)));
int format_list(char *to, u64 room, const char *text, __builtin_va_list values);

// console.c: printf-like; %d %u %x (with l), %s, %c, widths.
void console_start(void);
void print(const char *text, ...) __attribute__((format(printf, 1, 2)));
void put_character(char c);
int read_line(char *line, int room, u64 until);  // -1: no line until then
void console_flush(void);

// memory.c
void memory_start(void);
void *allocate_pages(u64 count);        // zeroed, aligned to their size rounded up to a power of two; panics where there is none
void free_pages(void *pages, u64 count);
u64 free_page_count(void);

// firmware.c
void firmware_start(void);
const char *command_line(void);
int has_word(const char *word);
const char *word_value(const char *name, char *to, int room); // NAME=VALUE; null where it is not there
struct pal_result { s64 status; u64 value[3]; };
struct pal_result pal(u64 index, u64 a0, u64 a1, u64 a2);
struct pal_result sal(u64 index, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4);
u64 efi_call(int service, u64 a0, u64 a1, u64 a2, u64 a3);
enum { EFI_GET_TIME = 0, EFI_RESET = 10 };
struct memory_range { u32 type, pad; u64 start, virtual_start, pages, attributes; };
int memory_map(struct memory_range *to, int room);
int cpu_lids(u8 *to, int room);
u64 pal_entry(void);
u64 wakeup_vector(void);                // starts a processor by SAL's rendezvous

// processor.c: the machine's operations or Xen's.
struct operations {
    const char *name;
    u64 (*get_ivr)(void);
    u64 (*get_tpr)(void);
    void (*set_tpr)(u64);
    void (*eoi)(void);
    void (*set_itm)(u64);
    u64 (*thash)(u64 address);
    void (*purge)(u64 address, u64 size);
    u64 (*get_rr)(u64 address);
    void (*set_rr)(u64 address, u64 value);
    void (*set_five_rr)(u64, u64, u64, u64, u64);
    void (*set_kr)(u64 index, u64 value);
    void (*flush_line)(u64 address);
    u64 (*get_cpuid)(u64 index);
    u64 (*get_psr)(void);
    u64 (*get_pmd)(u64 index);
    void (*insert)(u64 address, u64 itir, u64 pte, u64 slot, int kind);
    u64 (*disable_interrupts)(void);    // whether they were enabled
    void (*enable_interrupts)(void);
    void (*halt)(void);                 // enabled and waiting, in one; returns after an interrupt
    void (*send_ipi)(int cpu, u64 vector);
};
enum { INSERT_DATA, INSERT_CODE, INSERT_REGISTER };
extern const struct operations *machine;
u64 attempt(const void *function, u64 a0, u64 a1, u64 a2); // FAULTED where it did; this_cpu->fault_* tell
#define FAULTED 0x7fffffffdeadfa17UL
void processor_start(void);
void panic(const char *text, ...) __attribute__((noreturn, format(printf, 1, 2)));
enum end { POWER_OFF, REBOOT, SUSPEND, CRASH };
void end_machine(enum end how) __attribute__((noreturn));

// trap.c
struct frame {
    u64 pr, unat, b0, b6, b7, pfs, ccv, ipsr, iip, ifs, isr, ifa, iim, iha, vector, nats;
    u64 r1, r2, r3, sp, r8, r9, r10, r11, r14, r15, r16[16], f6[12];
};
void trap(struct frame *frame);

// time.c
#define TIMER_VECTOR 0xef
#define MILLISECOND 1000000UL
#define SECOND 1000000000UL
void time_start(void);
void time_start_cpu(void);
u64 itc_frequency(void);
u64 now(void);                          // nanoseconds since the processor's counter began
void timer_interrupt(void);
void wait_interrupt(u64 until);         // an interrupt, or the time; interrupts are off before, on after
// Runs the kernel's services until the condition holds (true) or the time comes (false).
int wait_until(int (*condition)(void *), void *argument, u64 until);
void sleep(u64 nanoseconds);
// What is to be done outside of interrupt handlers, now and then.
void add_service(void (*service)(void));
void run_services(void);

// smp.c
extern struct cpu *cpus[MAXIMUM_CPUS];
extern int cpu_count;                   // that the machine has
void smp_start(void);                   // those that are down
int take_down(int cpu);                 // on Xen
int cpus_up(void);
int run_on(int cpu, void (*task)(void *), void *argument); // starts it; false where the processor is not up or busy
int wait_idle(int cpu, u64 until);
void ipi_interrupt(void);
