/*
 * The C program of the benchmarks.
 *
 *     ir DIR mac|signature [PORT|nodelay:PORT|fresh [N]]
 *
 * For each number that it reads from stdin it does that many transactions and prints how many nanoseconds they took. With
 * PORT it talks HTTP to 127.0.0.1:PORT through OSSL_CMP_MSG_http_perform(), if asked with TCP_NODELAY, and the time is that
 * of the clock on the wall;
 * without PORT it talks to a server in this process, and the time is the processor's. With `fresh` that is a server that
 * issues certificates, contexts are made for each transaction, and messages travel as DER: see issuing.c. With N it does so
 * many and ends, for callgrind.
 */
#include "bench.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (long long)t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Either a client with one context, or `issuing`. */
static int enrol(OSSL_CMP_CTX *client, bench_issuing *issuing)
{
    return issuing != NULL ? bench_issuing_enrol(issuing) : bench_enrol(client);
}

static int run(OSSL_CMP_CTX *client, bench_issuing *issuing, int count)
{
    int ok = 1;

    while (ok && count-- > 0)
        ok = enrol(client, issuing);
    return ok;
}

int main(int argc, char **argv)
{
    OSSL_CMP_SRV_CTX *server = NULL;
    OSSL_CMP_CTX *client = NULL;
    bench_issuing *issuing = NULL;
    int fresh = argc > 3 && strcmp(argv[3], "fresh") == 0, nodelay, protection, count, ok;
    clockid_t clock = argc > 3 && !fresh ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID;

    if (argc < 3) {
        fprintf(stderr, "usage: %s DIR mac|signature [PORT|nodelay:PORT|fresh [N]]\n", argv[0]);
        return 2;
    }
    protection = strcmp(argv[2], "mac") == 0 ? BENCH_MAC : BENCH_SIGNATURE;
    if (fresh) {
        ok = (issuing = bench_issuing_new(argv[1], protection)) != NULL;
    } else if ((client = bench_client_new(argv[1], protection)) == NULL) {
        ok = 0;
    } else if (argc > 3) {
        nodelay = strncmp(argv[3], "nodelay:", 8) == 0;
        ok = bench_client_use_http(client, atoi(argv[3] + (nodelay ? 8 : 0)), nodelay);
    } else {
        server = bench_server_new(argv[1]);
        ok = server != NULL && bench_client_use_server(client, server);
    }
    if (argc > 4)
        ok = ok && run(client, issuing, atoi(argv[4]));
    while (argc <= 4 && ok && scanf("%d", &count) == 1) {
        long long start = now(clock);

        ok = run(client, issuing, count);
        printf("%lld\n", now(clock) - start);
        fflush(stdout);
    }
    if (!ok)
        ERR_print_errors_fp(stderr);
    OSSL_CMP_CTX_free(client);
    bench_server_free(server);
    bench_issuing_free(issuing);
    return ok ? 0 : 1;
}
