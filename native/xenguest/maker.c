// A toolstack: makes domains by hypercalls alone, of the kernel that is this domain's RAM disk (an ELF file such as our own), shows their consoles, and ends them.
#include "control.h"
#include "devices.h"
#include "xenstore.h"

enum {
    DOMCTL_create = 1, DOMCTL_destroy = 2, DOMCTL_pause = 3, DOMCTL_unpause = 4, DOMCTL_info = 5, DOMCTL_max_mem = 11, DOMCTL_set_context = 12, DOMCTL_max_vcpus = 15,
    DOMCTL_arch_setup = 23, DOMCTL_resume = 27, DOMCTL_VERSION = 8
};
enum { DOM0VP_zap = 5, DOM0VP_map_frame = 9 };
enum { FLAG_shutdown = 4, FLAG_paused = 8, REASON_SHIFT = 16, REASON_suspend = 2 };
#define WINDOW 0x1000000UL              // a frame number beyond any memory: where frames of other domains are looked at
#define SHARED_INFO (1UL << 40 >> PAGE_SHIFT)
#define MAGIC_FRAMES 4                  // the memory map, start_info, the store's ring, the console's
#define BOOT_PARAMETER 0x490            // behind start_info
#define CONTEXT_SIZE 22208
#define MOST_VCPUS 8

// domctl.h: version 8.
static struct { u32 command, version; u16 domain; u16 pad[3]; union { u64 word[16]; u8 byte[128]; } u; } call;

static s64 domctl(u32 command, u16 domain) {
    call.command = command;
    call.version = DOMCTL_VERSION;
    call.domain = domain;
    return hypercall(handle_of(&call), 0, 0, 0, 0, HYPERVISOR_domctl);
}

static s64 domctl_with(u32 command, u16 domain, u64 a, u64 b, u64 c) {
    memset(&call.u, 0, sizeof(call.u));
    call.u.word[0] = a, call.u.word[1] = b, call.u.word[2] = c;
    return domctl(command, domain);
}

// What dom0 made, with its end of each console.
static struct made {
    u16 id;
    int is_used, is_loud;
    char name[32], line[160];
    u64 frames;
    u32 port, length;
    u64 console;                        // the window's frame
} made[8];

static struct made *find(u16 id) {
    for (int k = 0; k < COUNT(made); k++)
        if (made[k].is_used && made[k].id == id) return &made[k];
    return 0;
}

// Other domains' frames, one after another.
static s64 map_frame(u64 at, u16 domain, u64 frame) { return hypercall(DOM0VP_map_frame, at, frame, 0, domain, HYPERVISOR_dom0vp_op); }
static void zap_frame(u64 at) { hypercall(DOM0VP_zap, at, 0, 0, 0, HYPERVISOR_dom0vp_op); }

static int write_to(u16 domain, u64 address, const void *from, u64 bytes) {
    for (const u8 *at = from; bytes;) {
        u64 within = address % PAGE_SIZE, part = PAGE_SIZE - within < bytes ? PAGE_SIZE - within : bytes;
        if (map_frame(WINDOW, domain, address >> PAGE_SHIFT) != 0) return 0;
        memcpy((u8 *)at_physical(WINDOW << PAGE_SHIFT) + within, at, part);
        zap_frame(WINDOW);
        address += part, at += part, bytes -= part;
    }
    return 1;
}

struct elf_header { u8 ident[16]; u16 type, machine; u32 version; u64 entry, programs, sections; u32 flags; u16 size, program_size, program_count, rest[3]; };
struct elf_program { u32 type, flags; u64 offset, virtual_address, address, file_size, size, align; };

// The loadable segments; what is behind a segment's bytes in the file is zero already. False where it is no kernel for this interface, or too large.
static int load(u16 domain, u64 end, u64 *entry) {
    const u8 *file = start_info->module ? at_physical(start_info->module) : 0;
    const struct elf_header *header = (const void *)file;
    u64 size = file ? start_info->module_size : 0;
    if (size < sizeof(*header) || memcmp(header->ident, "\177ELF\2\1", 6) != 0 || header->machine != 50 || header->program_size != sizeof(struct elf_program)) return 0;
    if (header->programs > size || header->program_count > (size - header->programs) / sizeof(struct elf_program)) return 0;
    for (int k = 0; k < header->program_count; k++) {
        struct elf_program program;
        memcpy(&program, file + header->programs + (u64)k * sizeof(program), sizeof(program));
        if (program.type != 1) continue;
        if (program.offset > size || program.file_size > size - program.offset || program.size < program.file_size || program.size > end || program.address > end - program.size) return 0;
        if (!write_to(domain, program.address, file + program.offset, program.file_size)) return 0;
    }
    *entry = header->entry;
    return 1;
}

static int populate(u16 domain, u64 frames) {
    static u64 list[256];
    for (u64 first = 0; first < frames;) {
        u64 count = frames - first < COUNT(list) ? frames - first : COUNT(list);
        for (u64 k = 0; k < count; k++) list[k] = first + k;
        struct { u64 extents, count; u32 order, flags; u16 domain; } r = { handle_of(list), count, 0, 0, domain };
        if (memory_op(6, &r) != (s64)count) return 0;
        first += count;
    }
    return 1;
}

static u32 channel_of(u16 domain) {
    struct alloc_unbound channel = { domain, 0, 0 };
    return event_channel_op(EVTCHNOP_alloc_unbound, &channel) == 0 ? channel.port : 0;
}

// start_info with the boot parameter behind it, and what arch_setup adds: the firmware and the memory map.
static int set_up(struct made *domain, const char *words, u32 store_port, u32 console_port) {
    static struct { struct start_info info; u8 rest[PAGE_SIZE - sizeof(struct start_info)]; } page;
    u64 total = domain->frames, at = (total - 3) << PAGE_SHIFT;
    memset(&page, 0, sizeof(page));
    format(page.info.magic, sizeof(page.info.magic), "xen-3.0-ia64");
    page.info.pages = total;
    page.info.store_frame = total - 2, page.info.store_port = store_port;
    page.info.console_frame = total - 1, page.info.console_port = console_port;
    format(page.info.command_line, sizeof(page.info.command_line), "%s", words);
    *(u64 *)((u8 *)&page + BOOT_PARAMETER) = at + __builtin_offsetof(struct start_info, command_line);
    // The memory map is the maker's: 1 and the frame behind the boot parameter, and its size, which is not 0.
    struct { u64 bytes, descriptor_size; u32 version, pad; struct memory_range range; } map = { sizeof(struct memory_range), sizeof(struct memory_range), 1, 0,
        { 7, 0, 0, 0, (total - MAGIC_FRAMES) << (PAGE_SHIFT - 12), 8 } };
    *(u64 *)((u8 *)&page + BOOT_PARAMETER + 0x18) = map.bytes;
    *(u64 *)((u8 *)&page + BOOT_PARAMETER + 0x50) = 1;
    *(u64 *)((u8 *)&page + BOOT_PARAMETER + 0x58) = total - MAGIC_FRAMES;
    u64 frame = total - 3;
    if (!write_to(domain->id, (total - MAGIC_FRAMES) << PAGE_SHIFT, &map, sizeof(map))) return 0;
    if (!write_to(domain->id, at, &page, sizeof(page)) || !write_to(domain->id, (SHARED_INFO << PAGE_SHIFT) + __builtin_offsetof(struct shared_info, start_info_frame), &frame, 8))
        return 0;
    return domctl_with(DOMCTL_arch_setup, domain->id, 0, at + BOOT_PARAMETER, total << PAGE_SHIFT) == 0;
}

static int start_at(const struct made *domain, u64 entry) {
    static u8 context[CONTEXT_SIZE] __attribute__((aligned(16)));
    memset(context, 0, sizeof(context));
    *(u64 *)(context + 0xf0) = ((domain->frames - 3) << PAGE_SHIFT) + BOOT_PARAMETER; // r28
    *(u64 *)(context + 0x1d0) = entry;
    *(u64 *)(context + 0x1e0) = 1UL << 63;                 // a frame of nothing
    *(u64 *)(context + 0x1f8 + 8 * 40) = 0x9804c0270033f;  // ar.fpsr
    return domctl_with(DOMCTL_set_context, domain->id, 0, handle_of(context), 0) == 0;
}

static void set_owner(const char *path, int owner, int reader) {
    char payload[128];
    u64 length = strlen(path) + 1;
    memcpy(payload, path, length);
    length += (u64)format(payload + length, sizeof(payload) - length, "n%d", owner) + 1;
    length += (u64)format(payload + length, sizeof(payload) - length, "r%d", reader) + 1;
    xs_request(XS_SET_PERMS, 0, payload, (u32)length, 0, 0);
}

static int introduce(const struct made *domain, int vcpus, u32 store_port) {
    static const char *const own[] = { "control", "control/shutdown", "device", "error", "data" };
    char home[64], path[96], payload[64];
    format(home, sizeof(home), "/local/domain/%u", domain->id);
    xs_write(0, home, "");
    set_owner(home, 0, domain->id);
    xs_print(0, home, "name", "%s", domain->name);
    xs_print(0, home, "domid", "%u", domain->id);
    xs_print(0, home, "memory/target", "%lu", domain->frames << (PAGE_SHIFT - 10));
    for (int k = 0; k < vcpus; k++) {
        format(path, sizeof(path), "cpu/%d/availability", k);
        xs_print(0, home, path, "online");
    }
    xs_print(0, home, "store/ring-ref", "%lu", domain->frames - 2);
    xs_print(0, home, "store/port", "%u", store_port);
    for (int k = 0; k < COUNT(own); k++) {
        format(path, sizeof(path), "%s/%s", home, own[k]);
        xs_write(0, path, "");
        set_owner(path, domain->id, 0);
    }
    u64 length = (u64)format(payload, sizeof(payload), "%u", domain->id) + 1;
    length += (u64)format(payload + length, sizeof(payload) - length, "%lu", domain->frames - 2) + 1;
    length += (u64)format(payload + length, sizeof(payload) - length, "%u", store_port) + 1;
    return xs_request(XS_INTRODUCE, 0, payload, (u32)length, 0, 0) >= 0;
}

// The console's ring (io/console.h): its output begins behind 1024 bytes of input, then the indices.
struct console { u8 in[1024], out[2048]; volatile u32 in_consumer, in_producer, out_consumer, out_producer; };

static void some_event(u32 port, void *argument) { (void)port, (void)argument; }

static void take_output(struct made *domain) {
    struct console *ring = at_physical(domain->console << PAGE_SHIFT);
    u32 producer = ring->out_producer, consumer = ring->out_consumer;
    barrier();
    if (producer == consumer || producer - consumer > sizeof(ring->out)) return;
    for (; consumer != producer; consumer++) {
        char c = (char)ring->out[consumer % sizeof(ring->out)];
        if (c >= ' ' && c < 127 && domain->length < COUNT(domain->line) - 1) domain->line[domain->length++] = c;
        if (c != '\n') continue;
        domain->line[domain->length] = 0;
        if (domain->length && domain->is_loud) print("[%s] %s\n", domain->name, domain->line);
        domain->length = 0;
    }
    barrier();
    ring->out_consumer = consumer;
    notify(domain->port);
}

static void serve_consoles(void) {
    for (int k = 0; k < COUNT(made); k++)
        if (made[k].is_used && made[k].port) take_output(&made[k]);
}

void type_to_domain(u16 id, const char *text) {
    struct made *domain = find(id);
    struct console *ring = domain && domain->port ? at_physical(domain->console << PAGE_SHIFT) : 0;
    for (; ring && *text && ring->in_producer - ring->in_consumer < sizeof(ring->in); text++) {
        ring->in[ring->in_producer % sizeof(ring->in)] = (u8)*text;
        barrier();
        ring->in_producer++;
    }
    if (ring) notify(domain->port);
}

// Whoever waits for a domain wakes up when one shuts down, or is gone.
static void listen_to_ends(void) {
    static struct bind_virq virq = { VIRQ_DOM_EXC, 0, 0 };
    if (!virq.port && event_channel_op(EVTCHNOP_bind_virq, &virq) == 0) listen(virq.port, some_event, 0);
}

static int serve_console(struct made *domain, u32 port) {
    static int is_serving;
    domain->console = WINDOW + 1 + (u64)(domain - made);
    if (map_frame(domain->console, domain->id, domain->frames - 1) != 0) return 0;
    domain->port = channel_to(domain->id, port);
    if (!domain->port) return 0;
    listen(domain->port, some_event, 0);
    if (!is_serving) add_service(serve_consoles);
    is_serving = 1;
    return 1;
}

static int build(struct made *domain, int vcpus, const char *words) {
    u64 entry;
    if (domctl_with(DOMCTL_max_vcpus, domain->id, (u64)vcpus, 0, 0) != 0 || domctl_with(DOMCTL_max_mem, domain->id, domain->frames << (PAGE_SHIFT - 10), 0, 0) != 0) return 0;
    if (!populate(domain->id, domain->frames) || !load(domain->id, (domain->frames - MAGIC_FRAMES) << PAGE_SHIFT, &entry)) return 0;
    u32 store = channel_of(domain->id), console = channel_of(domain->id);
    return store && console && set_up(domain, words, store, console) && start_at(domain, entry) && introduce(domain, vcpus, store) && serve_console(domain, console);
}

int create_domain(const char *name, u64 mib, int vcpus, const char *words, int is_loud) {
    int k = 0;
    while (k < COUNT(made) && made[k].is_used) k++;
    if (k == COUNT(made) || vcpus < 1 || vcpus > MOST_VCPUS || mib < 18 || mib > 1024) return -EINVAL;
    if (domctl_with(DOMCTL_create, 0, 0, 0, 0) != 0) return -ENOSYS;
    listen_to_ends();
    memset(&made[k], 0, sizeof(made[k]));
    made[k].is_used = 1;
    made[k].is_loud = is_loud;
    made[k].id = call.domain;
    made[k].frames = mib << (20 - PAGE_SHIFT);
    format(made[k].name, sizeof(made[k].name), "%s", name);
    if (build(&made[k], vcpus, words)) return made[k].id;
    destroy_domain(made[k].id);
    return -EINVAL;
}

s64 pause_domain(u16 id) { return domctl(DOMCTL_pause, id); }
s64 unpause_domain(u16 id) { return domctl(DOMCTL_unpause, id); }
s64 resume_domain(u16 id) { return domctl(DOMCTL_resume, id); }

static u32 flags_of(u16 id) { return domctl_with(DOMCTL_info, id, 0, 0, 0) == 0 && call.domain == id ? *(u32 *)(call.u.byte + 4) : 0; }
int domain_is_paused(u16 id) { return (flags_of(id) & FLAG_paused) != 0; }
int domain_has_suspended(u16 id) { return (flags_of(id) & FLAG_shutdown) != 0 && (flags_of(id) >> REASON_SHIFT & 0xff) == REASON_suspend; }
int domain_exists(u16 id) { return domctl_with(DOMCTL_info, id, 0, 0, 0) == 0 && call.domain == id; }

// Also one that the host made; of those that dom0 made nothing is left.
s64 destroy_domain(u16 id) {
    struct made *domain = find(id);
    if (domain) {
        if (domain->port) close_channel(domain->port);
        if (domain->console) zap_frame(domain->console);
        char text[64];
        u64 length = (u64)format(text, sizeof(text), "%u", id) + 1;
        xs_request(XS_RELEASE, 0, text, (u32)length, 0, 0);
        format(text, sizeof(text), "/local/domain/%u", id);
        xs_remove(0, text);
        domain->is_used = 0;
    }
    return domctl(DOMCTL_destroy, id);
}
