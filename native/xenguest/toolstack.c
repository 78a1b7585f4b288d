// dom0's part: the domains that there are, and what it shows of them.
#include "control.h"
#include "devices.h"
#include "grants.h"
#include "xenstore.h"

enum { SYSCTL_getdomaininfolist = 6, SYSCTL_VERSION = 9 };
enum { FLAG_dying = 1, FLAG_shutdown = 4, FLAG_paused = 8 };
#define INFO_SIZE 88

static u8 infos[64 * INFO_SIZE] __attribute__((aligned(16)));

static u64 word(const u8 *at, int bytes) {
    u64 value = 0;
    memcpy(&value, at, (u64)bytes);
    return value;
}

static int by_sysctl(struct domain *to, int room) {
    static struct { u32 command, version; struct { u32 first, most; u64 buffer; u32 count; } list; u64 rest[16]; } call;
    memset(&call, 0, sizeof(call));
    call.command = SYSCTL_getdomaininfolist;
    call.version = SYSCTL_VERSION;
    call.list.most = (u32)(room < 64 ? room : 64);
    call.list.buffer = handle_of(infos);
    if (hypercall(handle_of(&call), 0, 0, 0, 0, HYPERVISOR_sysctl) != 0) return -1;
    int count = 0;
    for (u32 k = 0; k < call.list.count && count < room; k++, count++) {
        // 88 bytes each: domain@0 flags@4 tot_pages@8 max_pages@16 shared_info_frame@40 cpu_time@48 nr_online@56.
        const u8 *info = infos + INFO_SIZE * k;
        u32 flags = (u32)word(info + 4, 4);
        to[count] = (struct domain){ (u16)word(info, 2), "", (u32)word(info + 56, 4), word(info + 8, 8), word(info + 48, 8),
            !(flags & (FLAG_dying | FLAG_shutdown | FLAG_paused)), (flags & (FLAG_dying | FLAG_shutdown)) != 0 };
    }
    return count;
}

static int by_store(struct domain *to, int room) {
    static char names[2048];
    int length = xs_list(0, "/local/domain", names, sizeof(names)), count = 0;
    for (int at = 0; at < length && count < room; at += (int)strlen(names + at) + 1) {
        u16 id = (u16)to_number(names + at);
        if (id < 0x7fef) to[count++] = (struct domain){ id, "", 0, 0, 0, 1, 0 };
    }
    return count;
}

int list_domains(struct domain *to, int room) {
    int count = by_sysctl(to, room);
    if (count < 0) count = by_store(to, room);
    for (int k = 0; k < count; k++) {
        char path[64];
        format(path, sizeof(path), "/local/domain/%u/name", to[k].id);
        if (xs_read(0, path, to[k].name, sizeof(to[k].name)) < 0) format(to[k].name, sizeof(to[k].name), "?");
        format(path, sizeof(path), "/local/domain/%u", to[k].id);
        if (!to[k].pages) to[k].pages = xs_number(path, "memory/target", 0) >> (PAGE_SHIFT - 10);
        if (to[k].vcpus) continue;
        // Without sysctl: as many as have an entry.
        char names[256], cpus[80];
        format(cpus, sizeof(cpus), "%s/cpu", path);
        int length = xs_list(0, cpus, names, sizeof(names));
        for (int at = 0; at < length; at += (int)strlen(names + at) + 1) to[k].vcpus++;
    }
    return count;
}

int shut_down_domain(u16 id, const char *how) {
    char path[64];
    format(path, sizeof(path), "/local/domain/%u/control", id);
    return xs_print(0, path, "shutdown", "%s", how) >= 0;
}

int domain_is_gone(u16 id) {
    static struct domain all[64];
    int count = list_domains(all, COUNT(all));
    for (int k = 0; k < count; k++)
        if (all[k].id == id) return all[k].is_dying;
    return 1;
}

static const char *dotted(u32 address, char *text, int room) {
    format(text, (u64)room, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
    return text;
}

static void show_domains(const struct domain *all, int count) {
    char address[20];
    print("\n   ID  NAME              VCPUS    MEMORY  CPU TIME  ADDRESS\n");
    for (int k = 0; k < count; k++)
        print("  %3u  %-16s  %5u  %4lu MiB  %5lu ms  %s\n", all[k].id, all[k].name, all[k].vcpus, all[k].pages >> 6, all[k].cpu_time / 1000000,
            dotted(address_of_domain(all[k].id), address, sizeof(address)));
}

static void show_processors(void) {
    u64 begin = now(), rounds = 0;
    if (cpu_count < 2) return;
    for (; rounds < 200; rounds++) {
        u64 before = cpus[1]->ipis, until = now() + SECOND;
        send_ipi_event(1);
        while (cpus[1]->ipis == before && now() < until) pause();
    }
    print("  processors    %d up; an event reaches another one in %lu us\n", cpus_up(), (now() - begin) / rounds / 1000);
}

static void show_calls(void) {
    u64 begin = now();
    for (int k = 0; k < 1000; k++) xen_version(0, 0);
    u64 calls = now() - begin;
    begin = now();
    for (int k = 0; k < 1000; k++) machine->get_rr(0);
    u64 privileged = now() - begin;
    print("  hypercalls    %lu ns each; a privileged operation by hyperprivop %lu ns\n", calls / 1000, privileged / 1000);
}

static int has_result(void *path) {
    char text[64];
    return xs_read(0, path, text, sizeof(text)) > 0;
}

static void show_disk(const struct domain *domain) {
    char path[64], text[64];
    format(path, sizeof(path), "/local/domain/%u/data/disk", domain->id);
    xs_remove(0, path);
    if (!serve_disk(domain->id, 51712 + 16 * 25, 2 * 1024 * 1024 / SECTOR)) {
        print("  block device  could not be served to %s: %s\n", domain->name, xs_error);
        return;
    }
    if (wait_until(has_result, path, now() + 20 * SECOND) && xs_read(0, path, text, sizeof(text)) > 0) {
        u64 kib = to_number(text + (starts_with(text, "ok ") ? 3 : 7));
        const char *unit = find_text(text, "KiB ");
        u64 microseconds = unit ? to_number(unit + 4) : 1;
        print("  block device  2 MiB of dom0's memory as xvdz of %s: %lu KiB written and read back, %s; %lu MiB/s, %lu requests\n", domain->name, kib,
            starts_with(text, "ok") ? "the same" : "NOT the same", kib * 1000000 / 1024 / (microseconds ? microseconds : 1), disk_requests_served());
    } else print("  block device  %s did not use what it was served\n", domain->name);
}

static void show_pings(const struct domain *domain) {
    char address[20];
    u32 to = address_of_domain(domain->id);
    s64 best = -1;
    int back = 0;
    for (int k = 0; k < 5; k++) {
        s64 time = ping(to, 56, 5 * SECOND);
        if (time < 0) continue;
        back++;
        if (best < 0 || time < best) best = time;
    }
    s64 udp = udp_echo(to, "hello", 5 * SECOND);
    print("  network       %s at %s: %d of 5 pings came back, the fastest in %ld us; UDP echo %s\n", domain->name, dotted(to, address, sizeof(address)), back,
        best < 0 ? 0 : best / 1000, udp >= 0 ? "as well" : "did not");
}

static int has_paused(void *id) { return domain_is_paused(*(u16 *)id); }
static int has_suspended(void *id) { return domain_has_suspended(*(u16 *)id); }
static int no_longer(void *id) { return !domain_exists(*(u16 *)id); }

// A domain of dom0's own making: fed, paused, suspended and taken up again, ended.
static void show_making(void) {
    char address[20];
    u64 begin = now();
    int number = create_domain("carol", 24, 1, "idle", 0);
    u16 id = (u16)number;
    if (number < 0 || !serve_nic(id, 7) || unpause_domain(id) != 0) {
        print("  toolstack     carol could not be made: error %d\n", -number);
        return;
    }
    u32 to = address_of_domain(id);
    s64 answer = ping(to, 56, 20 * SECOND);
    print("  toolstack     carol was made by domctl (domain %u at %s, 24 MiB): %s after %lu ms\n", id, dotted(to, address, sizeof(address)), answer >= 0 ? "answers" : "SILENT",
        (now() - begin) / 1000000);
    int is_paused = pause_domain(id) == 0 && wait_until(has_paused, &id, now() + SECOND) && ping(to, 56, 50 * MILLISECOND) < 0;
    is_paused = unpause_domain(id) == 0 && ping(to, 56, 20 * SECOND) >= 0 && is_paused;
    shut_down_domain(id, "suspend");
    int is_resumed = wait_until(has_suspended, &id, now() + 20 * SECOND) && resume_domain(id) == 0 && ping(to, 56, 20 * SECOND) >= 0;
    int is_gone = destroy_domain(id) == 0 && wait_until(no_longer, &id, now() + 20 * SECOND);
    print("  toolstack     carol was paused and unpaused%s, suspended itself and was resumed%s, was destroyed%s\n", is_paused ? "" : " IN VAIN", is_resumed ? "" : " IN VAIN",
        is_gone ? "" : " IN VAIN");
}

static int is_gone(void *id) { return domain_is_gone(*(u16 *)id); }

void tour(void) {
    static struct domain all[64];
    static char text[1024];
    s64 version = xen_version(0, 0);
    xen_version(1, text);
    print("\n  This is dom0: a kernel of FastXen's own, on Xen/ia64 %ld.%ld%s\n", version >> 16, version & 0xffff, text);
    int count = list_domains(all, COUNT(all));
    show_domains(all, count);
    print("\n");
    show_calls();
    show_processors();
    int served = 0;
    for (int k = 0; k < count; k++) {
        if (all[k].id == 0 || all[k].is_dying) continue;
        if (!served++) show_disk(&all[k]);
    }
    // Over the host's switch, where dom0 is on it; else dom0 is the switch.
    for (int k = 0; k < count && !nic_count; k++)
        if (all[k].id != 0 && !all[k].is_dying) serve_nic(all[k].id, 7);
    for (int k = 0; k < count; k++)
        if (all[k].id != 0 && !all[k].is_dying && has_link()) show_pings(&all[k]);
    if (start_info->module) show_making();
    if (has_word("stay")) return;
    print("\n");
    for (int k = 0; k < count; k++) {
        if (all[k].id == 0) continue;
        shut_down_domain(all[k].id, "poweroff");
        int gone = wait_until(is_gone, &all[k].id, now() + 10 * SECOND);
        print("  %s was told to power off%s\n", all[k].name, gone ? ", and did" : ", and has not yet");
    }
    print("  dom0 powers off\n");
    end_machine(POWER_OFF);
}
