// The benchmark: the same work for the guest (on the platform personality, MMU on) and for the host, so that the two can be
// compared. For each workload it prints the group, the name, the checksum, and the time it took in units of 2.5 ns: the
// guest's AR.ITC counts 400 million a second (or, with a deterministic clock, instruction slots). Words of the command line
// (the kernel's, in the guest) name the workloads to run; without any, all run. "short" runs a sixteenth of each.

#include "bench.h"

#define COMMAND_LINE 256
static char command_line[COMMAND_LINE];

#ifdef __ia64__
extern const u64 boot_parameters;   // native/startup/start.s: the physical address of the boot parameters
void print(const char *text);       // native/startup/console.s
void print_hex(u64 number);
static void say(const char *text) { print(text); }
static void say_hex(u64 number) { print_hex(number); }
static u64 now(void) {
    u64 itc;
    __asm__ volatile("mov %0 = ar.itc" : "=r"(itc) : : "memory");
    return itc;
}
// Nothing maps firmware's memory, so it is read with translation of data off.
static u64 physical_word(u64 address) {
    u64 word;
    __asm__ volatile("rsm psr.dt\n;;\nsrlz.d\n;;\nld8 %0 = [%1]\n;;\nssm psr.dt\n;;\nsrlz.d\n;;" : "=r"(word) : "r"(address) : "memory");
    return word;
}
static void read_command_line(int count, char **words) {
    (void)count, (void)words;
    u64 text = physical_word(boot_parameters);
    for (u64 i = 0; text != 0 && i < COMMAND_LINE - 1; i++) {
        u64 address = text + i;
        command_line[i] = (char)(physical_word(address & ~7ul) >> (address & 7) * 8);
        if (!command_line[i]) break;
    }
}
#define LINE_END "\r\n"
#else
#include <stdio.h>
#include <string.h>
#include <time.h>
static void say(const char *text) { fputs(text, stdout); }
static void say_hex(u64 number) { printf("0x%016lx", number); }
static u64 now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (u64)time.tv_sec * 400000000 + (u64)time.tv_nsec * 2 / 5;
}
static void read_command_line(int count, char **words) {
    for (int i = 1; i < count && strlen(command_line) + strlen(words[i]) + 2 < COMMAND_LINE; i++) {
        strcat(command_line, words[i]);
        strcat(command_line, " ");
    }
}
#define LINE_END "\n"
#endif

// Whether the command line has the word; how many words it has is returned in `count`.
static int has_word(const char *word, int *count) {
    int found = 0;
    *count = 0;
    for (const char *at = command_line; *at;) {
        while (*at == ' ') at++;
        if (!*at) break;
        ++*count;
        const char *letter = word;
        while (*letter && *letter == *at) letter++, at++;
        if (!*letter && (*at == ' ' || !*at)) found = 1;
        while (*at && *at != ' ') at++;
    }
    return found;
}

int halvings;

static void measure(const char *group, const char *name, u64 (*work)(void)) {
    int words;
    if (!has_word(name, &words) && words > (halvings > 0)) return;
    u64 begin = now();
    u64 checksum = work();
    u64 end = now();
    say(group);
    say(" ");
    say(name);
    say(" ");
    say_hex(checksum);
    say(" ");
    say_hex(end - begin);
    say(LINE_END);
}

int main(int count, char **words) {
    read_command_line(count, words);
    if (has_word("short", &count)) halvings = 4;
#define MEASURE(group, name) measure(#group, #name, name);
    WORKLOADS(MEASURE)
    return 0;
}
