/* <openssl/provider.h>: providers; what OpenSSL 3.5 added. */

/* Providers */
int OSSL_PROVIDER_add_conf_parameter(OSSL_PROVIDER *, const char *, const char *);
int OSSL_PROVIDER_get_conf_parameters(const OSSL_PROVIDER *, OSSL_PARAM[]);
int OSSL_PROVIDER_conf_get_bool(const OSSL_PROVIDER *, const char *, int);
