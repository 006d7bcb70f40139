/*
 * Makes one allocation of libcrypto fail: of the thread that armed it, the n-th from then on. Loaded by faults.py into
 * a child process before anything uses OpenSSL; no part of osslcmp.
 */
#include <execinfo.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <openssl/crypto.h>

#define FAULTS_FRAMES 24 /* of a call stack: enough to get out of libcrypto */

static __thread long faults_left = -1; /* allocations until the one that fails; below 0: none does */
static __thread long faults_seen;
static __thread uint64_t *faults_stacks; /* one for each allocation, if wanted */
static __thread long faults_most;

/* The same number for the same calls that lead to an allocation. */
static uint64_t faults_stack(void)
{
    void *frames[FAULTS_FRAMES];
    int i, count = backtrace(frames, FAULTS_FRAMES);
    uint64_t hash = 0xcbf29ce484222325;

    for (i = 0; i < count; i++)
        hash = (hash ^ (uintptr_t)frames[i]) * 0x100000001b3;
    return hash;
}

static int faults_due(void)
{
    if (faults_seen < faults_most)
        faults_stacks[faults_seen] = faults_stack();
    faults_seen++;
    return faults_left >= 0 && faults_left-- == 0;
}

static void *faults_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return faults_due() ? NULL : malloc(size);
}

static void *faults_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return faults_due() ? NULL : realloc(old, size);
}

static void faults_free(void *old, const char *file, int line)
{
    (void)file, (void)line;
    free(old);
}

/* Tells where in C a crash is, before it takes its course. */
static void faults_crashed(int number)
{
    void *frames[64];

    backtrace_symbols_fd(frames, backtrace(frames, 64), STDERR_FILENO);
    signal(number, SIG_DFL);
    raise(number);
}

/* 0: too late, OpenSSL has memory already. */
int faults_install(void)
{
    void *frame;

    backtrace(&frame, 1); /* the first one allocates, and the next may come in a signal handler */
    signal(SIGSEGV, faults_crashed);
    signal(SIGABRT, faults_crashed);
    signal(SIGBUS, faults_crashed);
    return CRYPTO_set_mem_functions(faults_malloc, faults_realloc, faults_free);
}

void faults_arm(long number)
{
    faults_seen = 0;
    faults_left = number;
}

/* From the next faults_arm() on, write down the stacks of so many allocations. */
void faults_record(uint64_t *stacks, long most)
{
    faults_stacks = stacks;
    faults_most = most;
}

/* How many allocations there were since. */
long faults_disarm(void)
{
    faults_left = -1;
    faults_most = 0;
    return faults_seen;
}
