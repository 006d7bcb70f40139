/* <openssl/provider.h>: providers. */

/* Providers */
int OSSL_PROVIDER_set_default_search_path(OSSL_LIB_CTX *, const char *);
OSSL_PROVIDER *OSSL_PROVIDER_load(OSSL_LIB_CTX *, const char *);
OSSL_PROVIDER *OSSL_PROVIDER_try_load(OSSL_LIB_CTX *, const char *, int);
int OSSL_PROVIDER_unload(OSSL_PROVIDER *);
int OSSL_PROVIDER_available(OSSL_LIB_CTX *, const char *);
int OSSL_PROVIDER_do_all(OSSL_LIB_CTX *, int (*)(OSSL_PROVIDER *, void *), void *);
const OSSL_PARAM *OSSL_PROVIDER_gettable_params(const OSSL_PROVIDER *);
int OSSL_PROVIDER_get_params(const OSSL_PROVIDER *, OSSL_PARAM[]);
int OSSL_PROVIDER_self_test(const OSSL_PROVIDER *);
const char *OSSL_PROVIDER_get0_name(const OSSL_PROVIDER *);
