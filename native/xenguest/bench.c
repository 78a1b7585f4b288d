// What things cost: "bench" measures and says a line for each, "bench=peer" is the other domain that some of it needs ("peer=N" names the
// other one to both). A line is "bench NAME VALUE": nanoseconds, or MiB a second.
#include "devices.h"
#include "grants.h"
#include "selftest.h"
#include "xenstore.h"

#define BATCHES 16
#define MAGIC 0x46584245UL
#define COPIES 16
#define NEVER (~0UL)

u64 xen_thash(u64);
void xen_ssm_i(void), break_instruction(void);
void rfi_loop(u64 count, u64 psr);
u64 xen_get_psr(void);

// The page that both share. The peer grants it, and fills in all but the wishes.
static struct exchange {
    u64 magic, refs[COPIES];
    volatile u64 ends, answers;         // wishes: the end, answers to events
    volatile u64 bytes, target;         // of frames that came; how many are to come
} *exchange;
static u16 other;
static u32 channel;

static void say(const char *name, u64 hundredths) { print("bench %s %lu.%02lu\n", name, hundredths / 100, hundredths % 100); }

// The least time of a round, of some batches of them.
static void measure(const char *name, void (*rounds)(u64 count), u64 count) {
    u64 least = NEVER;
    for (int batch = 0; batch < BATCHES; batch++) {
        u64 begin = now();
        rounds(count);
        u64 time = now() - begin;
        if (time < least) least = time;
    }
    say(name, least * 100 / count);
}

// The same of a batch that moves so many bytes; 0 where it failed.
static void measure_bandwidth(const char *name, u64 (*move)(void)) {
    u64 most = 0;
    for (int batch = 0; batch < BATCHES; batch++) {
        u64 begin = now(), bytes = move(), time = now() - begin;
        if (!bytes) {
            print("bench.%s: a batch failed\n", name);
            continue;
        }
        u64 speed = bytes * 100 / (time / 1000 + 1) * 1000000 >> 20;
        if (speed > most) most = speed;
    }
    if (most) say(name, most);
}

static void hypercalls(u64 count) {
    for (; count; count--) xen_version(0, 0);
}

static void ssms(u64 count) {
    for (; count; count--) xen_ssm_i();
}

static void thashes(u64 count) {
    for (; count; count--) xen_thash(0);
}

static void insertions(u64 count) {
    for (; count; count--) machine->insert(0xa000000000100000UL, PAGE_SHIFT << 2, physical(exchange) | 0x661, 0, INSERT_DATA);
}

static void rfis(u64 count) { rfi_loop(count, xen_get_psr()); }

// What a program does: it sorts, computes, looks up and branches, in 32 KiB.
static u64 table[4096];
static u64 work(u64 seed, int rounds) {
    for (int round = 0; round < rounds; round++) {
        for (int k = 0; k < 4096; k++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            u64 *slot = &table[seed & 4095];
            if (*slot > seed) *slot ^= seed >> 3;
            else table[(*slot + (u64)k) & 4095] += seed;
        }
        for (int k = 1; k < 64; k++) {
            u64 value = table[k];
            int at = k;
            for (; at > 0 && table[at - 1] > value; at--) table[at] = table[at - 1];
            table[at] = value;
        }
    }
    return seed;
}

static void computations(u64 count) { work(88172645463325252UL, (int)count); }

static void system_calls(u64 count) {
    for (; count; count--) attempt(break_instruction, 0, 0, 0);
}

// With some five hundred instructions for each.
static void busy_system_calls(u64 count) {
    u64 seed = 88172645463325252UL;
    for (; count; count--) {
        attempt(break_instruction, 0, 0, 0);
        for (int k = 0; k < 32; k++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            table[seed & 4095] += seed;
        }
    }
}

// The other domain answers from its handler, with an event of its own.
static volatile u64 answers;
static void answer_came(u32 port, void *argument) { (void)port, (void)argument; answers++; }
static void events(u64 count) {
    for (; count; count--) {
        u64 before = answers;
        notify(channel);
        for (;;) {
            machine->disable_interrupts();
            if (answers != before) break;
            machine->halt();
        }
        machine->enable_interrupts();
    }
}

// An event is half of a round, so that there are half as many rounds.
static void both_events(u64 count) { events(count / 2); }

static u32 shared_ref;
static void *window;
static struct grant_map map_of(u32 ref) { return (struct grant_map){ physical(window), GNTMAP_host, ref, other, 0, 0, 0 }; }

static void mappings(u64 count) {
    for (; count; count--) {
        struct grant_map map = map_of(exchange->refs[0]);
        grant_table_op(GNTTABOP_map, &map, 1);
        if (map.status != 0) panic("a grant cannot be mapped: %d", map.status);
        (void)*(volatile u64 *)window;
        struct grant_unmap unmap = { physical(window), 0, map.handle, 0 };
        grant_table_op(GNTTABOP_unmap, &unmap, 1);
    }
}

static u8 *copies;
static u64 copy(void) {
    static struct grant_copy list[COPIES];
    for (int k = 0; k < COPIES; k++)
        list[k] = (struct grant_copy){ { exchange->refs[k], other, 0 }, { frame_of(copies) + (u64)k, DOMID_SELF, 0 }, PAGE_SIZE, GNTCOPY_source_ref, 1 };
    for (int round = 0; round < 16; round++)
        if (grant_table_op(GNTTABOP_copy, list, COPIES) != 0) return 0;
    for (int k = 0; k < COPIES; k++)
        if (list[k].status != 0) return 0;
    return 16 * COPIES * PAGE_SIZE;
}

// The disk from its begin to its end, with some of the largest requests always under way.
#define DEPTH 8
#define REQUEST_SECTORS (BLKIF_SEGMENTS * SECTORS_PER_PAGE)
static u8 *disk_pages;
static u64 read_disk(void) {
    static int under_way[DEPTH];
    struct disk *disk = &disks[0];
    u64 requests = disk->sectors / REQUEST_SECTORS, submitted = 0;
    for (u64 finished = 0; finished < requests; finished++) {
        for (; submitted < requests && submitted < finished + DEPTH; submitted++) {
            u8 *pages = disk_pages + submitted % DEPTH * BLKIF_SEGMENTS * PAGE_SIZE;
            under_way[submitted % DEPTH] = disk_begin(disk, BLKIF_read, submitted * REQUEST_SECTORS, pages, BLKIF_SEGMENTS * PAGE_SIZE);
        }
        if (disk_end(disk, under_way[finished % DEPTH]) != 0) return 0;
    }
    return requests * REQUEST_SECTORS * SECTOR;
}

// Frames of a page to the other domain, from pages that nobody writes; it tells when it has all.
#define FRAMES 2048
#define SENDING 64
static u8 *frame_pages;
static int all_came(void *argument) { (void)argument; return exchange->bytes >= exchange->target; }
static u64 send_frames(void) {
    static u32 refs[SENDING];
    struct nic *nic = &nics[0];
    exchange->bytes = 0;
    exchange->target = FRAMES * PAGE_SIZE;
    barrier();
    u32 sent = 0, answered = 0;
    while (answered < FRAMES) {
        u32 producer = nic->tx->ring.request_producer, old = producer;
        for (; sent < FRAMES && sent - answered < SENDING; sent++, producer++) {
            u8 *page = frame_pages + sent % SENDING * PAGE_SIZE;
            refs[sent % SENDING] = grant_page(nic->end.backend_domain, page, 1);
            nic->tx->slot[producer % NET_SLOTS].request = (struct tx_request){ refs[sent % SENDING], 0, 0, (u16)(sent % SENDING), (u16)PAGE_SIZE };
        }
        barrier();
        nic->tx->ring.request_producer = producer;
        barrier();
        if (producer - nic->tx->ring.request_event < producer - old) notify(nic->end.port);
        // Half of them have to be back, or as many as there are.
        u32 wanted = sent - answered > SENDING / 2 ? SENDING / 2 : sent - answered;
        nic->tx->ring.response_event = nic->tx_consumer + wanted;
        for (;;) {
            machine->disable_interrupts();
            barrier();
            if (nic->tx->ring.response_producer - nic->tx_consumer >= wanted) break;
            machine->halt();
        }
        machine->enable_interrupts();
        for (; nic->tx_consumer != nic->tx->ring.response_producer; nic->tx_consumer++, answered++)
            end_grant(refs[nic->tx->slot[nic->tx_consumer % NET_SLOTS].response.id % SENDING]);
    }
    nic->tx->ring.response_event = nic->tx_consumer + 1;
    return wait_until(all_came, 0, now() + SECOND / 2) ? FRAMES * PAGE_SIZE : 0;
}

static void frame_came(const u8 *frame, u32 length) {
    (void)frame;
    exchange->bytes += length;
    barrier();
    if (exchange->target && exchange->bytes >= exchange->target) notify(channel);
}

// Finds the peer's page by trying references: only one of its grants is to this domain and has the word in it.
static int find_peer(void) {
    window = allocate_pages(1);
    exchange = allocate_pages(1);
    u64 frames[2] = { frame_of(window), frame_of(exchange) };
    give_up_frames(frames, 2);
    for (u64 until = now() + 20 * SECOND; now() < until; sleep(20 * MILLISECOND)) {
        for (u32 ref = 8; ref < 1024; ref++) {
            struct grant_map map = { physical(exchange), GNTMAP_host, ref, other, 0, 0, 0 };
            if (grant_table_op(GNTTABOP_map, &map, 1) != 0 || map.status != 0) continue;
            if (exchange->magic == MAGIC) {
                shared_ref = ref;
                for (u32 port = 1; port < 256 && !channel; port++) channel = channel_to(other, port);
                return channel != 0;
            }
            struct grant_unmap unmap = { physical(exchange), 0, map.handle, 0 };
            grant_table_op(GNTTABOP_unmap, &unmap, 1);
        }
    }
    return 0;
}

static void bench_with_peer(void) {
    if (!find_peer()) {
        print("bench: there is no peer\n");
        return;
    }
    listen(channel, answer_came, 0);
    exchange->answers = 1;
    measure("event", both_events, 2000);
    exchange->answers = 0;
    measure("grant_map", mappings, 2000);
    copies = allocate_pages(COPIES);
    measure_bandwidth("grant_copy", copy);
    frame_pages = allocate_pages(SENDING);
    for (int k = 0; nic_count && k < SENDING; k++) {
        u8 *frame = frame_pages + (u64)k * PAGE_SIZE;
        // To everybody, of an experimental type.
        memset(frame, 0xff, 6);
        memcpy(frame + 6, nics[0].link.mac, 6);
        frame[12] = 0x88, frame[13] = 0xb5;
    }
    if (nic_count) measure_bandwidth("net_send", send_frames);
    exchange->ends = 1;
    notify(channel);
}

static void bench_on_xen(void) {
    exchange = allocate_pages(1);
    measure("hypercall", hypercalls, 20000);
    measure("ssm", ssms, 20000);
    measure("thash", thashes, 20000);
    measure("itc_d", insertions, 20000);
    measure("rfi", rfis, 20000);
    free_pages(exchange, 1);
    disk_pages = allocate_pages(DEPTH * BLKIF_SEGMENTS);
    if (disk_count) measure_bandwidth("disk_read", read_disk);
    if (other) bench_with_peer();
}

static void asked(u32 port, void *argument) {
    (void)argument;
    if (exchange->answers) notify(port);
}

static int is_over(void *argument) { (void)argument; return exchange->ends != 0; }

static void serve_peer(void) {
    exchange = allocate_pages(1);
    u8 *pages = allocate_pages(COPIES);
    for (u64 k = 0; k < COPIES; k++) exchange->refs[k] = grant_page(other, pages + k * PAGE_SIZE, 0);
    channel = channel_for(other);
    listen(channel, asked, 0);
    large_frame_came = frame_came;
    exchange->magic = MAGIC;
    barrier();
    grant_page(other, exchange, 0);
    wait_until(is_over, 0, NEVER);
}

void bench(const char *role) {
    char value[24];
    other = word_value("peer", value, sizeof(value)) ? (u16)to_number(value) : 0;
    if (strcmp(role, "peer") == 0) {
        serve_peer();
        end_machine(POWER_OFF);
    }
    measure("compute", computations, 40);
    measure("system_call", system_calls, 2000);
    measure("system_calls_and_work", busy_system_calls, 2000);
    if (on_xen) bench_on_xen();
    end_machine(POWER_OFF);
}
