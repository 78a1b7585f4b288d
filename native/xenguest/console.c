// The console: Xen's ring, or console_io before and without one; the UART of a machine.
#include "xen.h"

#define UART (REGION6 | 0xffffc000000UL)
#define PORT(number) ((volatile u8 *)(UART | (u64)((number) >> 2) << 12 | ((number) & 0xfff)))
#define UART_DATA PORT(0x3f8)
#define UART_MODEM PORT(0x3fc)
#define UART_STATUS PORT(0x3fd)
#define UART_RECEIVED 1
#define UART_READY 0x20
#define PATIENCE (2 * SECOND)

struct console_ring {
    char in[1024], out[2048];
    volatile u32 in_consumer, in_producer, out_consumer, out_producer;
};

enum { CONSOLEIO_write, CONSOLEIO_read };

static struct console_ring *ring;
static u32 ring_port;
static int tells;                       // of input, by an event
static u64 lock;
static char line[256], emergency[256];
static int line_length, emergency_length;

static void console_event(u32 port, void *argument) { (void)port, (void)argument; }

void console_start(void) {
    if (!on_xen) {
        // Ready to receive: DTR, RTS.
        *UART_MODEM = 3;
        return;
    }
    // dom0 has no ring: its console is the hypervisor's own.
    if (is_dom0() || !start_info->console_port) {
        struct bind_virq virq = { VIRQ_CONSOLE, 0, 0 };
        tells = is_dom0() && event_channel_op(EVTCHNOP_bind_virq, &virq) == 0;
        if (tells) listen(virq.port, console_event, 0);
        return;
    }
    tells = 1;
    ring = at_physical(start_info->console_frame << PAGE_SHIFT);
    ring_port = start_info->console_port;
    listen(ring_port, console_event, 0);
}

static void write_emergency(void) {
    if (emergency_length) console_io(CONSOLEIO_write, (u64)emergency_length, emergency);
    emergency_length = 0;
}

// A ring that nobody empties must not stop the kernel: then what it says is lost.
static void write_ring(char c) {
    static int deaf;
    if (ring->out_producer - ring->out_consumer >= sizeof(ring->out)) {
        notify(ring_port);
        u64 until = now() + PATIENCE;
        while (!deaf && ring->out_producer - ring->out_consumer >= sizeof(ring->out)) {
            sched_op(SCHEDOP_yield, 0);
            deaf = now() >= until;
        }
        if (ring->out_producer - ring->out_consumer >= sizeof(ring->out)) return;
    }
    deaf = 0;
    ring->out[ring->out_producer % sizeof(ring->out)] = c;
    __asm__ volatile("" : : : "memory");
    barrier();
    ring->out_producer++;
}

static void write(char c) {
    if (ring) write_ring(c);
    else if (on_xen) {
        emergency[emergency_length++] = c;
        if (c == '\n' || emergency_length == COUNT(emergency)) write_emergency();
    } else {
        while (!(*UART_STATUS & UART_READY)) pause();
        *UART_DATA = (u8)c;
    }
}

static void flush(void) {
    if (ring) notify(ring_port);
    else if (on_xen) write_emergency();
}

static u64 enter(void) {
    u64 enabled = machine->disable_interrupts();
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE)) pause();
    return enabled;
}

static void leave(u64 enabled) {
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
    if (enabled) machine->enable_interrupts();
}

void print(const char *text, ...) {
    char said[512];
    __builtin_va_list values;
    __builtin_va_start(values, text);
    format_list(said, sizeof(said), text, values);
    __builtin_va_end(values);
    u64 enabled = enter();
    for (const char *at = said; *at; at++) {
        if (*at == '\n') write('\r');
        write(*at);
    }
    flush();
    leave(enabled);
}

void put_character(char c) { print("%c", c); }

static int is_empty(void *argument) { (void)argument; return !ring || ring->out_consumer == ring->out_producer; }

void console_flush(void) {
    flush();
    u64 until = now() + PATIENCE;
    while (!is_empty(0) && now() < until) sched_op(SCHEDOP_yield, 0);
}

static int read_character(void) {
    if (ring) {
        if (ring->in_consumer == ring->in_producer) return -1;
        barrier();
        char c = ring->in[ring->in_consumer % sizeof(ring->in)];
        barrier();
        ring->in_consumer++;
        notify(ring_port);
        return c;
    }
    if (on_xen) {
        char c;
        return console_io(CONSOLEIO_read, 1, &c) == 1 ? c : -1;
    }
    return *UART_STATUS & UART_RECEIVED ? *UART_DATA : -1;
}

static int take_line(void *argument) {
    (void)argument;
    for (;;) {
        int c = read_character();
        if (c < 0) return 0;
        if (c == '\r' || c == '\n') {
            print("\n");
            return 1;
        }
        if ((c == 8 || c == 127) && line_length > 0) {
            line_length--;
            print("\b \b");
        } else if (c >= ' ' && c < 127 && line_length < COUNT(line) - 1) {
            line[line_length++] = (char)c;
            put_character((char)c);
        }
    }
}

int read_line(char *to, int room, u64 until) {
    // Where no event tells of input it is looked for.
    for (;;) {
        u64 next = tells ? until : now() + 50 * MILLISECOND;
        if (wait_until(take_line, 0, next < until ? next : until)) break;
        if (now() >= until) return -1;
    }
    int length = line_length < room ? line_length : room - 1;
    memcpy(to, line, (u64)length);
    to[length] = 0;
    line_length = 0;
    return length;
}
