// The prompt.
#include "control.h"
#include "devices.h"
#include "grants.h"
#include "selftest.h"
#include "xenstore.h"

#define NEVER (~0UL)

static char *rest_of(char *line) {
    while (*line && *line != ' ') line++;
    while (*line == ' ') *line++ = 0;
    return line;
}

static void list_store(const char *path, int depth) {
    // On the heap of pages: a level deeper each.
    char *names = allocate_pages(1), value[160];
    char *child = names + PAGE_SIZE / 2;
    int length = xs_list(0, path, names, (int)PAGE_SIZE / 2);
    if (length < 0) print("%s: %s\n", path, xs_error);
    for (int at = 0; at < length; at += (int)strlen(names + at) + 1) {
        format(child, PAGE_SIZE / 2, "%s%s%s", path, strcmp(path, "/") == 0 ? "" : "/", names + at);
        int has = xs_read(0, child, value, sizeof(value));
        print("%*s%s%s%s%s\n", 2 * depth + 1, "", names + at, has > 0 ? " = \"" : "", has > 0 ? value : "", has > 0 ? "\"" : "");
        if (depth < 6) list_store(child, depth + 1);
    }
    free_pages(names, 1);
}

static void show_memory(void) {
    print("%lu MiB free", free_page_count() >> 6);
    if (start_info) print(", %lu MiB the domain's, %lu MiB given back to Xen", (start_info->pages - balloon_pages()) >> 6, balloon_pages() >> 6);
    print("\n");
}

static const char *state_of(const struct frontend *end) {
    return end->step == FRONT_connected ? end->connections > 1 ? "connected again" : "connected" : "without a backend";
}

static void show_devices(void) {
    for (int k = 0; k < disk_count; k++)
        print("%s: %s, backend %u, %lu sectors, %lu requests, %lu made again\n", disks[k].end.path, state_of(&disks[k].end), disks[k].end.backend_domain, disks[k].sectors,
            disks[k].requests, disks[k].repeated);
    for (int k = 0; k < nic_count; k++) {
        u8 *mac = nics[k].link.mac;
        print("%s: %s, backend %u, %02x:%02x:%02x:%02x:%02x:%02x, %lu sent, %lu received\n", nics[k].end.path, state_of(&nics[k].end), nics[k].end.backend_domain, mac[0],
            mac[1], mac[2], mac[3], mac[4], mac[5], nics[k].sent, nics[k].received);
    }
    if (!disk_count && !nic_count) print("none\n");
}

static void show_domains(void) {
    static struct domain all[64];
    int count = list_domains(all, COUNT(all));
    for (int k = 0; k < count; k++)
        print("%3u  %-16s  %u vCPUs  %lu MiB  %lu ms%s\n", all[k].id, all[k].name, all[k].vcpus, all[k].pages >> 6, all[k].cpu_time / 1000000,
            all[k].is_dying ? "  down" : all[k].is_running ? "" : "  paused");
}

static u32 to_address(const char *text) {
    if (!find_text(text, ".")) return address_of_domain((int)to_number(text));
    u32 address = 0;
    for (const char *at = text; *at; at++)
        if (at == text || at[-1] == '.') address = address << 8 | (u32)to_number(at);
    return address;
}

static void tell(s64 result) {
    if (result == 0) print("done\n");
    else print("error %ld\n", -result);
}

static void create(const char *name, const char *words) {
    int id = create_domain(name, 24, 1, *words ? words : "idle", 1);
    if (id > 0) print("%s is domain %d\n", name, id);
    tell(id < 0 ? id : unpause_domain((u16)id));
}

static void help(void) {
    print("help, selftest, time, cpus, memory, devices, balloon MIB, ping DOMAIN|ADDRESS, halt, reboot, crash");
    if (xs_is_there()) print(", domains, ls [PATH], read PATH, write PATH VALUE, rm PATH");
    if (is_dom0()) print(", tour, serve DOMAIN, serve-network DOMAIN, shutdown DOMAIN, create NAME [WORDS], pause DOMAIN, unpause DOMAIN, resume DOMAIN, destroy DOMAIN, type DOMAIN TEXT");
    print("\n");
}

static void obey(char *line) {
    char *what = rest_of(line), *more = rest_of(what), value[512];
#define IS(name) (strcmp(line, name) == 0)
    if (!*line) return;
    if (IS("help")) help();
    else if (IS("selftest")) selftest();
    else if (IS("time")) print("%lu ms since the start, %lu interrupts of the timer\n", now() / MILLISECOND, this_cpu->ticks);
    else if (IS("cpus")) print("%d of %d are up\n", cpus_up(), cpu_count);
    else if (IS("memory")) show_memory();
    else if (IS("devices")) show_devices();
    else if (IS("balloon") && start_info) print(balloon_to(to_number(what) << 6) ? "done\n" : "not all\n");
    else if (IS("ping")) {
        s64 time = ping(to_address(what), 56, SECOND);
        if (time < 0) print("no answer\n");
        else print("%ld us\n", time / 1000);
    } else if (IS("halt")) end_machine(POWER_OFF);
    else if (IS("reboot")) end_machine(REBOOT);
    else if (IS("crash")) panic("as you like it");
    else if (IS("domains") || IS("list")) show_domains();
    else if (IS("ls")) list_store(*what ? what : "/local/domain", 0);
    else if (IS("read")) print("%s\n", xs_read(0, what, value, sizeof(value)) >= 0 ? value : xs_error);
    else if (IS("write")) print("%s\n", xs_write(0, what, more) >= 0 ? "done" : xs_error);
    else if (IS("rm")) print("%s\n", xs_remove(0, what) >= 0 ? "done" : xs_error);
    else if (IS("tour") && is_dom0()) tour();
    else if (IS("serve") && is_dom0()) print(serve_disk((u16)to_number(what), 51712 + 16 * 25, 2048) ? "done\n" : "not possible\n");
    else if (IS("serve-network") && is_dom0()) print(serve_nic((u16)to_number(what), 7) ? "done\n" : "not possible\n");
    else if (IS("shutdown") && is_dom0()) print(shut_down_domain((u16)to_number(what), "poweroff") ? "told\n" : "not possible\n");
    else if (IS("create") && is_dom0() && *what) create(what, more);
    else if (IS("pause") && is_dom0()) tell(pause_domain((u16)to_number(what)));
    else if (IS("unpause") && is_dom0()) tell(unpause_domain((u16)to_number(what)));
    else if (IS("resume") && is_dom0()) tell(resume_domain((u16)to_number(what)));
    else if (IS("destroy") && is_dom0()) tell(destroy_domain((u16)to_number(what)));
    else if (IS("type") && is_dom0()) type_to_domain((u16)to_number(what), more), type_to_domain((u16)to_number(what), "\r");
    else print("%s? There is help\n", line);
#undef IS
}

void prompt(void) {
    char line[256];
    for (;;) {
        print("%s> ", is_dom0() ? "dom0" : on_xen ? "domU" : "platform");
        while (read_line(line, sizeof(line), NEVER) < 0) {}
        obey(line);
    }
}
