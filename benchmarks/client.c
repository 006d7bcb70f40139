/* The client's side of the benchmarks, in C. */
#include "bench.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <stdio.h>
#include <sys/socket.h>

static int quiet(const char *func, const char *file, int line, OSSL_CMP_severity level, const char *msg)
{
    (void)func, (void)file, (void)line, (void)level, (void)msg;
    return 1;
}

static int use_mac(OSSL_CMP_CTX *ctx)
{
    return OSSL_CMP_CTX_set1_referenceValue(ctx, (const unsigned char *)"ref", 3)
        && OSSL_CMP_CTX_set1_secretValue(ctx, (const unsigned char *)"secret", 6);
}

static int use_signature(OSSL_CMP_CTX *ctx, const char *dir)
{
    X509 *cert = bench_cert(dir, "client.cert.pem");
    X509 *issuer = bench_cert(dir, "issuing.cert.pem");
    X509 *root = bench_cert(dir, "root.cert.pem");
    EVP_PKEY *key = bench_key(dir, "client.key.pem");
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    int ok = cert != NULL && issuer != NULL && root != NULL && key != NULL && untrusted != NULL && store != NULL
        && sk_X509_push(untrusted, issuer) > 0
        && X509_STORE_add_cert(store, root)
        && OSSL_CMP_CTX_set1_cert(ctx, cert)
        && OSSL_CMP_CTX_set1_pkey(ctx, key)
        && OSSL_CMP_CTX_set1_untrusted(ctx, untrusted);

    if (ok && (ok = OSSL_CMP_CTX_set0_trustedStore(ctx, store)))
        store = NULL;
    X509_STORE_free(store);
    sk_X509_free(untrusted);
    X509_free(cert);
    X509_free(issuer);
    X509_free(root);
    EVP_PKEY_free(key);
    return ok;
}

static int set_up(OSSL_CMP_CTX *ctx, const char *dir, int protection)
{
    X509 *wanted = bench_cert(dir, "enrolled.cert.pem"); /* for its subject */
    X509 *server = bench_cert(dir, "server.cert.pem");
    EVP_PKEY *key = bench_key(dir, "enrolled.key.pem");
    int ok = wanted != NULL && server != NULL && key != NULL
        && OSSL_CMP_CTX_set_log_cb(ctx, quiet)
        && OSSL_CMP_CTX_set_log_verbosity(ctx, OSSL_CMP_LOG_WARNING)
        && OSSL_CMP_CTX_set1_subjectName(ctx, X509_get_subject_name(wanted))
        && OSSL_CMP_CTX_set1_recipient(ctx, X509_get_subject_name(server))
        && (protection == BENCH_MAC ? use_mac(ctx) : use_signature(ctx, dir));

    if (ok && (ok = OSSL_CMP_CTX_set0_newPkey(ctx, 1, key)))
        key = NULL;
    EVP_PKEY_free(key);
    X509_free(wanted);
    X509_free(server);
    return ok;
}

OSSL_CMP_CTX *bench_client_new(const char *dir, int protection)
{
    OSSL_CMP_CTX *ctx = OSSL_CMP_CTX_new(NULL, NULL);

    if (ctx == NULL || !set_up(ctx, dir, protection)) {
        ERR_print_errors_fp(stderr);
        OSSL_CMP_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

int bench_client_use_server(OSSL_CMP_CTX *client, OSSL_CMP_SRV_CTX *server)
{
    return OSSL_CMP_CTX_set_transfer_cb(client, bench_transfer)
        && OSSL_CMP_CTX_set_transfer_cb_arg(client, server);
}

/* OpenSSL's HTTP client writes header and body separately, and then waits for a delayed acknowledgement. */
static BIO *no_delay(BIO *bio, void *arg, int connect, int detail)
{
    int fd, on = 1;

    (void)arg, (void)detail;
    if (connect && BIO_get_fd(bio, &fd) >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return bio;
}

int bench_client_use_http(OSSL_CMP_CTX *client, int port, int nodelay)
{
    return (!nodelay || OSSL_CMP_CTX_set_http_cb(client, no_delay))
        && OSSL_CMP_CTX_set1_server(client, "127.0.0.1")
        && OSSL_CMP_CTX_set_serverPort(client, port)
        && OSSL_CMP_CTX_set1_serverPath(client, "pkix/");
}

int bench_enrol(OSSL_CMP_CTX *client)
{
    return OSSL_CMP_CTX_reinit(client) && OSSL_CMP_exec_certreq(client, OSSL_CMP_IR, NULL) != NULL;
}

int bench_enrol_times(OSSL_CMP_CTX *client, int count)
{
    while (count-- > 0)
        if (!bench_enrol(client))
            return 0;
    return 1;
}
