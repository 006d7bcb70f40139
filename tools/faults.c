/*
 * Makes one allocation of libcrypto fail: of the thread that armed it, the n-th from then on. Loaded by faults.py into
 * a child process before anything uses OpenSSL; no part of osslcmp.
 */
#include <stddef.h>
#include <stdlib.h>
#include <openssl/crypto.h>

static __thread long faults_left = -1; /* allocations until the one that fails; below 0: none does */
static __thread long faults_seen;

static int faults_due(void)
{
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

/* 0: too late, OpenSSL has memory already. */
int faults_install(void)
{
    return CRYPTO_set_mem_functions(faults_malloc, faults_realloc, faults_free);
}

void faults_arm(long number)
{
    faults_seen = 0;
    faults_left = number;
}

/* How many allocations there were since, and whether the one that was to fail did. */
long faults_disarm(void)
{
    faults_left = -1;
    return faults_seen;
}
