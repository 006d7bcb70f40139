/* The server's side of the benchmarks: OpenSSL's generic CMP server with callbacks in C, one fixed certificate. */
#include "bench.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_file(const char *dir, const char *name)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return fopen(path, "r");
}

X509 *bench_cert(const char *dir, const char *name)
{
    FILE *file = open_file(dir, name);
    X509 *cert = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;

    if (file != NULL)
        fclose(file);
    return cert;
}

EVP_PKEY *bench_key(const char *dir, const char *name)
{
    FILE *file = open_file(dir, name);
    EVP_PKEY *key = file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;

    if (file != NULL)
        fclose(file);
    return key;
}

static int quiet(const char *func, const char *file, int line, OSSL_CMP_severity level, const char *msg)
{
    (void)func, (void)file, (void)line, (void)level, (void)msg;
    return 1;
}

static OSSL_CMP_PKISI *on_cert_request(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *request, int id,
                                       const OSSL_CRMF_MSG *crm, const X509_REQ *csr, X509 **cert,
                                       STACK_OF(X509) **chain, STACK_OF(X509) **ca_pubs)
{
    X509 *fixed = OSSL_CMP_SRV_CTX_get0_custom_ctx(server);

    (void)request, (void)id, (void)crm, (void)csr;
    *chain = NULL;
    *ca_pubs = NULL;
    X509_up_ref(fixed); /* the caller frees it */
    *cert = fixed;
    return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_accepted, 0, NULL);
}

static int on_cert_conf(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *request, int id,
                        const ASN1_OCTET_STRING *hash, const OSSL_CMP_PKISI *status)
{
    X509 *fixed = OSSL_CMP_SRV_CTX_get0_custom_ctx(server);
    ASN1_OCTET_STRING *expected = X509_digest_sig(fixed, NULL, NULL);
    int same = expected != NULL && ASN1_OCTET_STRING_cmp(expected, hash) == 0;

    (void)request, (void)id, (void)status;
    ASN1_OCTET_STRING_free(expected);
    return same;
}

static int set_up(OSSL_CMP_SRV_CTX *server, const char *dir)
{
    OSSL_CMP_CTX *ctx = OSSL_CMP_SRV_CTX_get0_cmp_ctx(server);
    X509 *cert = bench_cert(dir, "server.cert.pem");
    X509 *issuer = bench_cert(dir, "issuing.cert.pem");
    X509 *root = bench_cert(dir, "root.cert.pem");
    X509 *fixed = bench_cert(dir, "enrolled.cert.pem");
    EVP_PKEY *key = bench_key(dir, "server.key.pem");
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    int ok = cert != NULL && issuer != NULL && root != NULL && fixed != NULL && key != NULL
        && untrusted != NULL && store != NULL
        && sk_X509_push(untrusted, issuer) > 0
        && X509_STORE_add_cert(store, root)
        && OSSL_CMP_CTX_set_log_cb(ctx, quiet)
        && OSSL_CMP_CTX_set_log_verbosity(ctx, OSSL_CMP_LOG_WARNING)
        && OSSL_CMP_CTX_set1_cert(ctx, cert)
        && OSSL_CMP_CTX_set1_pkey(ctx, key)
        && OSSL_CMP_CTX_set1_untrusted(ctx, untrusted)
        && OSSL_CMP_CTX_set1_referenceValue(ctx, (const unsigned char *)"ref", 3)
        && OSSL_CMP_CTX_set1_secretValue(ctx, (const unsigned char *)"secret", 6)
        && OSSL_CMP_SRV_CTX_init(server, fixed, on_cert_request, NULL, NULL, NULL, on_cert_conf, NULL);

    if (ok && (ok = OSSL_CMP_CTX_set0_trustedStore(ctx, store)))
        store = NULL;
    X509_STORE_free(store);
    sk_X509_free(untrusted);
    X509_free(cert);
    X509_free(issuer);
    X509_free(root);
    if (!ok)
        X509_free(fixed);
    EVP_PKEY_free(key);
    return ok;
}

OSSL_CMP_SRV_CTX *bench_server_new(const char *dir)
{
    OSSL_CMP_SRV_CTX *server = OSSL_CMP_SRV_CTX_new(NULL, NULL);

    if (server == NULL || !set_up(server, dir)) {
        ERR_print_errors_fp(stderr);
        OSSL_CMP_SRV_CTX_free(server);
        return NULL;
    }
    return server;
}

void bench_server_free(OSSL_CMP_SRV_CTX *server)
{
    if (server != NULL)
        X509_free(OSSL_CMP_SRV_CTX_get0_custom_ctx(server));
    OSSL_CMP_SRV_CTX_free(server);
}

OSSL_CMP_MSG *bench_transfer(OSSL_CMP_CTX *client, const OSSL_CMP_MSG *request)
{
    OSSL_CMP_SRV_CTX *server = OSSL_CMP_CTX_get_transfer_cb_arg(client);

    if (OSSL_CMP_MSG_get_bodytype(request) == 0 /* ir */
        && !OSSL_CMP_CTX_reinit(OSSL_CMP_SRV_CTX_get0_cmp_ctx(server)))
        return NULL;
    return OSSL_CMP_CTX_server_perform(client, request);
}
