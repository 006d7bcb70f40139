/*
 * The C program of the benchmarks.
 *
 *     ir DIR mac|signature [PORT]
 *
 * For each number that it reads from stdin it does that many transactions and prints how many nanoseconds they took. With
 * PORT it talks HTTP to 127.0.0.1:PORT through OSSL_CMP_MSG_http_perform(), and the time is that of the clock on the wall;
 * without PORT it talks to a server in this process, and the time is the processor's.
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

int main(int argc, char **argv)
{
    OSSL_CMP_SRV_CTX *server = NULL;
    OSSL_CMP_CTX *client;
    clockid_t clock = argc > 3 ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID;
    int count, ok;

    if (argc < 3) {
        fprintf(stderr, "usage: %s DIR mac|signature [PORT]\n", argv[0]);
        return 2;
    }
    client = bench_client_new(argv[1], strcmp(argv[2], "mac") == 0 ? BENCH_MAC : BENCH_SIGNATURE);
    if (argc > 3) {
        ok = client != NULL && bench_client_use_http(client, atoi(argv[3]));
    } else {
        server = bench_server_new(argv[1]);
        ok = client != NULL && server != NULL && bench_client_use_server(client, server);
    }
    while (ok && scanf("%d", &count) == 1) {
        long long start = now(clock);
        int i;

        for (i = 0; ok && i < count; i++)
            ok = bench_enrol(client);
        printf("%lld\n", now(clock) - start);
        fflush(stdout);
    }
    if (!ok)
        ERR_print_errors_fp(stderr);
    OSSL_CMP_CTX_free(client);
    bench_server_free(server);
    return ok ? 0 : 1;
}
