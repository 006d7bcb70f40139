/* <openssl/crypto.h>: versions, memory and library contexts; what OpenSSL 3.4 added. */

/* What to ask the version of */
#define OPENSSL_WINCTX ...

/* What to ask about the build */
#define OPENSSL_INFO_WINDOWS_CONTEXT ...

/* Memory */
void *CRYPTO_aligned_alloc(size_t, size_t, void **, const char *, int);

/* Library contexts */
int OSSL_LIB_CTX_get_conf_diagnostics(OSSL_LIB_CTX *);
void OSSL_LIB_CTX_set_conf_diagnostics(OSSL_LIB_CTX *, int);
void *OSSL_LIB_CTX_get_data(OSSL_LIB_CTX *, int);
