/* <openssl/provider.h>: providers; what OpenSSL 3.2 added. */

/* Providers */
const char *OSSL_PROVIDER_get0_default_search_path(OSSL_LIB_CTX *);
OSSL_PROVIDER *OSSL_PROVIDER_load_ex(OSSL_LIB_CTX *, const char *, OSSL_PARAM *);
OSSL_PROVIDER *OSSL_PROVIDER_try_load_ex(OSSL_LIB_CTX *, const char *, OSSL_PARAM *, int);
