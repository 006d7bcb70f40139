/* What the C program and the shared object of the benchmarks have in common. */
#ifndef OSSLCMP_BENCH_H
#define OSSLCMP_BENCH_H

#include <openssl/cmp.h>

/* How requests and responses are protected. */
enum { BENCH_MAC = 0, BENCH_SIGNATURE = 1 };

/* Reference and secret of MAC protection. */
#define BENCH_REFERENCE "ref"
#define BENCH_SECRET "secret"

/*
 * A server context that takes both protections and answers every ir with DIR/enrolled.cert.pem. It reads the PEM files
 * that benchmarks/files.py names. NULL on failure, with the errors printed.
 */
OSSL_CMP_SRV_CTX *bench_server_new(const char *dir);
void bench_server_free(OSSL_CMP_SRV_CTX *server);

/*
 * Transfer callback whose argument is such a server: the server's context is renewed at the start of each transaction, then
 * OSSL_CMP_CTX_server_perform() does the rest.
 */
OSSL_CMP_MSG *bench_transfer(OSSL_CMP_CTX *client, const OSSL_CMP_MSG *request);

/* A client context ready for an ir for DIR/enrolled.key.pem; NULL on failure. */
OSSL_CMP_CTX *bench_client_new(const char *dir, int protection);

/* Let it talk to that server in this process, or to 127.0.0.1:port by OpenSSL's own HTTP client, with TCP_NODELAY or not. */
int bench_client_use_server(OSSL_CMP_CTX *client, OSSL_CMP_SRV_CTX *server);
int bench_client_use_http(OSSL_CMP_CTX *client, int port, int nodelay);

/* One transaction: renew the context, ir, ip, certConf, pkiConf. 1 if a certificate came. */
int bench_enrol(OSSL_CMP_CTX *client);

/* So many of them, one after the other. */
int bench_enrol_times(OSSL_CMP_CTX *client, int count);

/*
 * A CA with its CMP server, and a client, of the files in DIR: certificates and keys are decoded once, contexts are made for
 * each enrolment, in which the CA issues a certificate, and messages travel as DER. NULL on failure, with the errors printed.
 */
typedef struct bench_issuing bench_issuing;
bench_issuing *bench_issuing_new(const char *dir, int protection);
void bench_issuing_free(bench_issuing *issuing);
int bench_issuing_enrol(bench_issuing *issuing);

/* Reading PEM; the result is the caller's. */
X509 *bench_cert(const char *dir, const char *name);
EVP_PKEY *bench_key(const char *dir, const char *name);

#endif
