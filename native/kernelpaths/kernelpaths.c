// What a Linux kernel's most used paths cost, measured from user space: the same program for the guest's Linux and for the
// host's. For each path it prints its name and the least time of an operation in picoseconds, of several batches.
// Everything runs on one processor, as the guest does.

#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 12

static void check(long result, const char *what) {
    if (result >= 0) return;
    perror(what);
    exit(1);
}

static unsigned long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (unsigned long)time.tv_sec * 1000000000 + (unsigned long)time.tv_nsec;
}

// A batch does `operations` of them.
static void measure(const char *name, void (*batch)(int operations), int operations) {
    unsigned long least = ~0ul;
    for (int i = 0; i < BATCHES; i++) {
        unsigned long begin = now();
        batch(operations);
        unsigned long time = now() - begin;
        if (time < least) least = time;
    }
    printf("path %s %lu\n", name, least * 1000 / (unsigned long)operations);
    fflush(stdout);
}

// One that IA-64's Linux does not answer without entering the kernel proper, as it does getpid.
static void system_call(int operations) {
    for (int i = 0; i < operations; i++) syscall(SYS_getuid);
}

// The first touch of each page, without mapping and unmapping the memory. A page has 16 KiB in the guest, 4 KiB on the host.
static char *memory;
static long page_size;
static void page_fault(int operations) {
    for (int i = 0; i < operations; i++) memory[i * page_size] = 1;
}

static void measure_page_fault(int operations) {
    unsigned long least = ~0ul, size = (unsigned long)operations * (unsigned long)page_size;
    for (int i = 0; i < BATCHES; i++) {
        memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        check(memory == MAP_FAILED ? -1 : 0, "mmap");
        madvise(memory, size, MADV_NOHUGEPAGE);     // not every kernel has those
        unsigned long begin = now();
        page_fault(operations);
        unsigned long time = now() - begin;
        if (time < least) least = time;
        munmap(memory, size);
    }
    printf("path page_fault %lu\n", least * 1000 / (unsigned long)operations);
    fflush(stdout);
}

static void wait_for(pid_t child) {
    int status;
    check(waitpid(child, &status, 0), "waitpid");
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1, "child");
}

// A byte there and back between two processes.
static int there[2], back[2];
static void pipe_round_trip(int operations) {
    char byte = 0;
    for (int i = 0; i < operations; i++) {
        check(write(there[1], &byte, 1), "write");
        check(read(back[0], &byte, 1), "read");
    }
}

static void measure_pipe_round_trip(int operations) {
    check(pipe(there), "pipe");
    check(pipe(back), "pipe");
    pid_t child = fork();
    check(child, "fork");
    if (child == 0) {
        char byte;
        close(there[1]);
        while (read(there[0], &byte, 1) == 1) check(write(back[1], &byte, 1), "write");
        _exit(0);
    }
    measure("pipe_round_trip", pipe_round_trip, operations);
    close(there[1]);
    wait_for(child);
    close(there[0]), close(back[0]), close(back[1]);
}

static void fork_exec_wait(int operations) {
    for (int i = 0; i < operations; i++) {
        pid_t child = fork();
        check(child, "fork");
        if (child == 0) {
            execl("/proc/self/exe", "kernelpaths", "exit", (char *)0);
            _exit(1);
        }
        wait_for(child);
    }
}

static volatile sig_atomic_t signals;
static void handle(int number) {
    (void)number;
    signals++;
}

static void signal_delivery(int operations) {
    pid_t self = getpid();
    for (int i = 0; i < operations; i++) kill(self, SIGUSR1);
}

// Two processes that wake each other in turns through a futex: two switches each time.
static volatile int *turn;
static void hand_over(int to) {
    *turn = to;
    syscall(SYS_futex, turn, FUTEX_WAKE, 1, 0, 0, 0);
}

static void await(int whose) {
    for (int now_is; (now_is = *turn) != whose && now_is >= 0;) syscall(SYS_futex, turn, FUTEX_WAIT, now_is, 0, 0, 0);
}

static void context_switch(int operations) {
    for (int i = 0; i < operations; i += 2) {
        hand_over(1);
        await(0);
    }
}

static void measure_context_switch(int operations) {
    turn = mmap(0, (size_t)page_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(turn == MAP_FAILED ? -1 : 0, "mmap");
    pid_t child = fork();
    check(child, "fork");
    if (child == 0) {
        for (;;) {
            await(1);
            if (*turn < 0) _exit(0);
            hand_over(0);
        }
    }
    measure("context_switch", context_switch, operations);
    hand_over(-1);
    wait_for(child);
}

int main(int count, char **words) {
    if (count > 1 && !strcmp(words[1], "exit")) return 0;
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    check(sched_setaffinity(0, sizeof first, &first), "sched_setaffinity");
    page_size = sysconf(_SC_PAGESIZE);
    signal(SIGUSR1, handle);

    measure("system_call", system_call, 10000);
    measure_page_fault(1000);
    measure_pipe_round_trip(1000);
    measure("fork_exec_wait", fork_exec_wait, 20);
    measure("signal_delivery", signal_delivery, 2000);
    check(signals == 2000 * BATCHES ? 0 : -1, "signals");
    measure_context_switch(2000);
    return 0;
}
