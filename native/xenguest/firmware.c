// What the firmware gave us: boot parameters, EFI, SAL, PAL, ACPI's list of processors. The same on Xen and on a machine.
#include "kernel.h"

struct boot_parameters {
    u64 command_line, efi_system_table, efi_memory_map, efi_memory_map_size, efi_descriptor_size;
};

static const struct boot_parameters *boot;
static char words[1024];
static u64 pal_address, madt, wakeup;
static u64 sal_descriptor[2];           // a function descriptor
static const u64 *runtime_services;
u64 pal_call(u64 entry, u64 index, u64 a0, u64 a1, u64 a2, struct pal_result *result);

// Structures here may lie at any address.
static u64 word_at(const u8 *at, int bytes) {
    u64 word = 0;
    for (int k = bytes - 1; k >= 0; k--) word = word << 8 | at[k];
    return word;
}

static void read_sal(const u8 *table) {
    int entries = (int)word_at(table + 10, 2);
    static const u8 sizes[] = { 48, 32, 16, 32, 16, 16 };
    const u8 *at = table + 96;
    for (int k = 0; k < entries && at[0] < sizeof(sizes); at += sizes[at[0]], k++)
        if (at[0] == 0) {
            pal_address = word_at(at + 8, 8);
            sal_descriptor[0] = (u64)at_physical(word_at(at + 16, 8));
            sal_descriptor[1] = word_at(at + 24, 8);
        } else if (at[0] == 5)
            wakeup = word_at(at + 8, 8);
}

static void read_acpi(const u8 *rsdp) {
    const u8 *xsdt = at_physical(word_at(rsdp + 24, 8));
    u64 length = word_at(xsdt + 4, 4);
    for (u64 at = 36; at + 8 <= length; at += 8) {
        u64 table = word_at(xsdt + at, 8);
        if (memcmp(at_physical(table), "APIC", 4) == 0) madt = table;
    }
}

void firmware_start(void) {
    boot = at_physical(boot_parameters);
    if (boot->command_line) {
        const char *from = at_physical(boot->command_line);
        for (int k = 0; k < COUNT(words) - 1 && from[k]; k++) words[k] = from[k];
    }
    static const u8 sal_guid[16] = { 0x32, 0x2d, 0x9d, 0xeb, 0x88, 0x2d, 0xd3, 0x11, 0x9a, 0x16, 0, 0x90, 0x27, 0x3f, 0xc1, 0x4d };
    static const u8 acpi_guid[16] = { 0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11, 0xbc, 0x22, 0, 0x80, 0xc7, 0x3c, 0x88, 0x81 };
    const u64 *efi = at_physical(boot->efi_system_table);
    runtime_services = at_physical(efi[11]);
    const u8 *tables = at_physical(efi[14]);
    for (u64 k = 0; k < efi[13]; k++, tables += 24) {
        const u8 *table = at_physical(word_at(tables + 16, 8));
        if (memcmp(tables, sal_guid, 16) == 0) read_sal(table);
        if (memcmp(tables, acpi_guid, 16) == 0) read_acpi(table);
    }
}

const char *command_line(void) { return words; }

const char *word_value(const char *name, char *to, int room) {
    u64 length = strlen(name);
    for (const char *at = words; *at;) {
        while (*at == ' ') at++;
        const char *end = at;
        while (*end && *end != ' ') end++;
        if (starts_with(at, name) && (at + length == end || at[length] == '=')) {
            at += length + (at + length != end);
            int k = 0;
            for (; at < end && k < room - 1; k++) to[k] = *at++;
            to[k] = 0;
            return to;
        }
        at = end;
    }
    return 0;
}

int has_word(const char *word) {
    char value[8];
    return word_value(word, value, sizeof(value)) != 0;
}

u64 wakeup_vector(void) { return wakeup; }

u64 pal_entry(void) { return pal_address; }

struct pal_result pal(u64 index, u64 a0, u64 a1, u64 a2) {
    struct pal_result result;
    u64 enabled = machine->disable_interrupts();
    pal_call((u64)at_physical(pal_address), index, a0, a1, a2, &result);
    if (enabled) machine->enable_interrupts();
    return result;
}

struct pal_result sal(u64 index, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4) {
    // A function's results of up to 32 bytes come in r8 to r11, as SAL's.
    struct pal_result (*call)(u64, u64, u64, u64, u64, u64, u64, u64);
    __asm__("" : "=r"(call) : "0"(sal_descriptor) : "memory");
    return call(index, a0, a1, a2, a3, a4, 0, 0);
}

u64 efi_call(int service, u64 a0, u64 a1, u64 a2, u64 a3) {
    const u64 *descriptor = at_physical(runtime_services[3 + service]);
    u64 enabled = machine->disable_interrupts();
    u64 status = physical_call(descriptor[0], descriptor[1], a0, a1, a2, a3);
    if (enabled) machine->enable_interrupts();
    return status;
}

int memory_map(struct memory_range *to, int room) {
    int count = 0;
    for (u64 at = 0; at < boot->efi_memory_map_size && count < room; at += boot->efi_descriptor_size)
        memcpy(&to[count++], at_physical(boot->efi_memory_map + at), sizeof(*to));
    return count;
}

int cpu_lids(u8 *to, int room) {
    if (!madt) return 0;
    const u8 *table = at_physical(madt), *end = table + word_at(table + 4, 4);
    int count = 0;
    for (const u8 *at = table + 44; at + 2 <= end && at[1]; at += at[1])
        if (at[0] == 7 && (at[8] & 1) && count < room) to[count++] = at[3];
    return count;
}
