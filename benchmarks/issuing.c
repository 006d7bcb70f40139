/*
 * What a CMP client and a CMP server that issues do in C for an application that has many of them: certificates and keys
 * are decoded once, contexts are made for each transaction, and messages travel between them as DER.
 */
#include "bench.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

struct bench_issuing {
    int protection;
    X509 *ca, *root, *server, *client, *wanted;
    EVP_PKEY *ca_key, *server_key, *client_key, *wanted_key;
    STACK_OF(X509) *chain;
    X509_STORE *store;
    /* of the transaction under way */
    OSSL_CMP_SRV_CTX *answering;
    X509 *issued;
};

static int quiet(const char *func, const char *file, int line, OSSL_CMP_severity level, const char *msg)
{
    (void)func, (void)file, (void)line, (void)level, (void)msg;
    return 1;
}

/* -- the authority ----------------------------------------------------------------------------------------- */

/* The key of a template: there is no accessor before OpenSSL 3.2. */
static EVP_PKEY *key_of(const OSSL_CRMF_CERTTEMPLATE *template)
{
    unsigned char *der = NULL, *info;
    const unsigned char *at;
    int length = ASN1_item_i2d((const ASN1_VALUE *)template, &der, ASN1_ITEM_rptr(OSSL_CRMF_CERTTEMPLATE)), tag, class;
    EVP_PKEY *key = NULL;
    long content;

    if (length <= 0)
        return NULL;
    at = der;
    ASN1_get_object(&at, &content, &tag, &class, length);
    while (at < der + length) {
        const unsigned char *start = at;

        ASN1_get_object(&at, &content, &tag, &class, der + length - at);
        if (class == V_ASN1_CONTEXT_SPECIFIC && tag == 6) {
            info = der + (start - der);
            *info = V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED;
            key = d2i_PUBKEY(NULL, &start, content + (at - start));
            break;
        }
        at += content;
    }
    OPENSSL_free(der);
    return key;
}

static int add(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    int ok = extension != NULL && X509_add_ext(cert, extension, -1);

    X509_EXTENSION_free(extension);
    return ok;
}

/* A certificate with the extensions that EmbeddedCA gives, too. */
static X509 *issue(const bench_issuing *b, const OSSL_CRMF_MSG *request)
{
    const OSSL_CRMF_CERTTEMPLATE *template = OSSL_CRMF_MSG_get0_tmpl(request);
    EVP_PKEY *key = key_of(template);
    X509 *cert = X509_new();
    unsigned char serial[20];
    BIGNUM *number = NULL;
    X509V3_CTX ctx;
    int ok = key != NULL && cert != NULL && RAND_bytes(serial, sizeof(serial)) > 0;

    serial[0] &= 0x7f;
    X509V3_set_ctx(&ctx, b->ca, cert, NULL, NULL, 0);
    ok = ok && (number = BN_bin2bn(serial, sizeof(serial), NULL)) != NULL
        && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL
        && X509_set_version(cert, 2)
        && X509_set_issuer_name(cert, X509_get_subject_name(b->ca))
        && X509_set_subject_name(cert, OSSL_CRMF_CERTTEMPLATE_get0_subject(template))
        && X509_gmtime_adj(X509_getm_notBefore(cert), -300) != NULL
        && X509_gmtime_adj(X509_getm_notAfter(cert), 365L * 24 * 3600) != NULL
        && X509_set_pubkey(cert, key)
        && add(cert, &ctx, NID_subject_key_identifier, "hash")
        && add(cert, &ctx, NID_authority_key_identifier, "keyid")
        && add(cert, &ctx, NID_basic_constraints, "critical,CA:FALSE")
        && add(cert, &ctx, NID_key_usage, "critical,digitalSignature")
        && X509_sign(cert, b->ca_key, EVP_sha256()) > 0;
    BN_free(number);
    EVP_PKEY_free(key);
    if (!ok) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

static OSSL_CMP_PKISI *on_cert_request(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *request, int id,
                                       const OSSL_CRMF_MSG *crm, const X509_REQ *csr, X509 **cert,
                                       STACK_OF(X509) **chain, STACK_OF(X509) **ca_pubs)
{
    bench_issuing *b = OSSL_CMP_SRV_CTX_get0_custom_ctx(server);

    (void)request, (void)id, (void)csr;
    *ca_pubs = NULL;
    *chain = X509_chain_up_ref(b->chain);
    if ((*cert = b->issued = issue(b, crm)) == NULL || !X509_up_ref(*cert))
        return NULL;
    if (b->protection == BENCH_MAC) {
        *ca_pubs = sk_X509_new_null();
        X509_up_ref(b->root);
        sk_X509_push(*ca_pubs, b->root);
    }
    return OSSL_CMP_STATUSINFO_new(OSSL_CMP_PKISTATUS_accepted, 0, NULL);
}

static int on_cert_conf(OSSL_CMP_SRV_CTX *server, const OSSL_CMP_MSG *request, int id,
                        const ASN1_OCTET_STRING *hash, const OSSL_CMP_PKISI *status)
{
    bench_issuing *b = OSSL_CMP_SRV_CTX_get0_custom_ctx(server);
    ASN1_OCTET_STRING *expected = X509_digest_sig(b->issued, NULL, NULL);
    int same = expected != NULL && ASN1_OCTET_STRING_cmp(expected, hash) == 0;

    (void)request, (void)id, (void)status;
    ASN1_OCTET_STRING_free(expected);
    return same;
}

/* -- contexts ---------------------------------------------------------------------------------------------- */

static int use_store(OSSL_CMP_CTX *ctx, const bench_issuing *b)
{
    if (!X509_STORE_up_ref(b->store))
        return 0;
    if (OSSL_CMP_CTX_set0_trustedStore(ctx, b->store))
        return 1;
    X509_STORE_free(b->store);
    return 0;
}

static int use_mac(OSSL_CMP_CTX *ctx)
{
    return OSSL_CMP_CTX_set1_referenceValue(ctx, (const unsigned char *)BENCH_REFERENCE, sizeof(BENCH_REFERENCE) - 1)
        && OSSL_CMP_CTX_set1_secretValue(ctx, (const unsigned char *)BENCH_SECRET, sizeof(BENCH_SECRET) - 1);
}

static OSSL_CMP_SRV_CTX *new_server(bench_issuing *b)
{
    OSSL_CMP_SRV_CTX *server = OSSL_CMP_SRV_CTX_new(NULL, NULL);
    OSSL_CMP_CTX *ctx = server == NULL ? NULL : OSSL_CMP_SRV_CTX_get0_cmp_ctx(server);
    int ok = ctx != NULL
        && OSSL_CMP_CTX_set_log_cb(ctx, quiet)
        && OSSL_CMP_CTX_set_log_verbosity(ctx, OSSL_CMP_LOG_WARNING)
        && OSSL_CMP_CTX_set1_cert(ctx, b->server)
        && OSSL_CMP_CTX_set1_pkey(ctx, b->server_key)
        && OSSL_CMP_CTX_set1_untrusted(ctx, b->chain)
        && use_store(ctx, b)
        && (b->protection == BENCH_SIGNATURE || use_mac(ctx))
        && OSSL_CMP_SRV_CTX_init(server, b, on_cert_request, NULL, NULL, NULL, on_cert_conf, NULL);

    if (!ok) {
        OSSL_CMP_SRV_CTX_free(server);
        return NULL;
    }
    return server;
}

/* As a network would have it: both messages as DER. */
static OSSL_CMP_MSG *by_der(OSSL_CMP_CTX *client, const OSSL_CMP_MSG *request)
{
    bench_issuing *b = OSSL_CMP_CTX_get_transfer_cb_arg(client);
    OSSL_CMP_MSG *there = NULL, *answer = NULL, *here = NULL;
    unsigned char *der = NULL;
    const unsigned char *at;
    int length = i2d_OSSL_CMP_MSG(request, &der);

    at = der;
    if (length > 0)
        there = d2i_OSSL_CMP_MSG(NULL, &at, length);
    OPENSSL_free(der);
    der = NULL;
    if (b->answering == NULL)
        b->answering = new_server(b);
    if (there != NULL && b->answering != NULL
        && (answer = OSSL_CMP_SRV_process_request(b->answering, there)) != NULL
        && (length = i2d_OSSL_CMP_MSG(answer, &der)) > 0) {
        at = der;
        here = d2i_OSSL_CMP_MSG(NULL, &at, length);
        OPENSSL_free(der);
    }
    OSSL_CMP_MSG_free(answer);
    OSSL_CMP_MSG_free(there);
    return here;
}

static OSSL_CMP_CTX *new_client(bench_issuing *b)
{
    OSSL_CMP_CTX *ctx = OSSL_CMP_CTX_new(NULL, NULL);
    int ok = ctx != NULL
        && OSSL_CMP_CTX_set_log_cb(ctx, quiet)
        && OSSL_CMP_CTX_set_log_verbosity(ctx, OSSL_CMP_LOG_WARNING)
        && OSSL_CMP_CTX_set1_subjectName(ctx, X509_get_subject_name(b->wanted))
        && OSSL_CMP_CTX_set_transfer_cb(ctx, by_der)
        && OSSL_CMP_CTX_set_transfer_cb_arg(ctx, b);

    if (ok && b->protection == BENCH_MAC)
        ok = use_mac(ctx);
    else if (ok)
        ok = OSSL_CMP_CTX_set1_cert(ctx, b->client)
            && OSSL_CMP_CTX_set1_pkey(ctx, b->client_key)
            && OSSL_CMP_CTX_set1_untrusted(ctx, b->chain)
            && use_store(ctx, b);
    if (ok && (ok = EVP_PKEY_up_ref(b->wanted_key)) && !(ok = OSSL_CMP_CTX_set0_newPkey(ctx, 1, b->wanted_key)))
        EVP_PKEY_free(b->wanted_key);
    if (!ok) {
        OSSL_CMP_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

/* -- for the programs -------------------------------------------------------------------------------------- */

bench_issuing *bench_issuing_new(const char *dir, int protection)
{
    bench_issuing *b = OPENSSL_zalloc(sizeof(*b));

    if (b == NULL)
        return NULL;
    b->protection = protection;
    b->ca = bench_cert(dir, "issuing.cert.pem");
    b->root = bench_cert(dir, "root.cert.pem");
    b->server = bench_cert(dir, "server.cert.pem");
    b->client = bench_cert(dir, "client.cert.pem");
    b->wanted = bench_cert(dir, "enrolled.cert.pem"); /* for its subject */
    b->ca_key = bench_key(dir, "issuing.key.pem");
    b->server_key = bench_key(dir, "server.key.pem");
    b->client_key = bench_key(dir, "client.key.pem");
    b->wanted_key = bench_key(dir, "enrolled.key.pem");
    b->chain = sk_X509_new_null();
    b->store = X509_STORE_new();
    if (b->ca != NULL && b->root != NULL && b->server != NULL && b->client != NULL && b->wanted != NULL
        && b->ca_key != NULL && b->server_key != NULL && b->client_key != NULL && b->wanted_key != NULL
        && b->chain != NULL && b->store != NULL && sk_X509_push(b->chain, b->ca) > 0 && X509_up_ref(b->ca)
        && X509_STORE_add_cert(b->store, b->root))
        return b;
    ERR_print_errors_fp(stderr);
    bench_issuing_free(b);
    return NULL;
}

void bench_issuing_free(bench_issuing *b)
{
    if (b == NULL)
        return;
    X509_free(b->ca);
    X509_free(b->root);
    X509_free(b->server);
    X509_free(b->client);
    X509_free(b->wanted);
    EVP_PKEY_free(b->ca_key);
    EVP_PKEY_free(b->server_key);
    EVP_PKEY_free(b->client_key);
    EVP_PKEY_free(b->wanted_key);
    sk_X509_pop_free(b->chain, X509_free);
    X509_STORE_free(b->store);
    OPENSSL_free(b);
}

int bench_issuing_enrol(bench_issuing *b)
{
    OSSL_CMP_CTX *client = new_client(b);
    int ok = client != NULL && OSSL_CMP_exec_certreq(client, OSSL_CMP_IR, NULL) != NULL;

    OSSL_CMP_CTX_free(client);
    OSSL_CMP_SRV_CTX_free(b->answering);
    X509_free(b->issued);
    b->answering = NULL;
    b->issued = NULL;
    return ok;
}
