/* <openssl/store.h>: keys and certificates by URI; what OpenSSL 3.2 added. */

/* Opening and reading */
int OSSL_STORE_delete(const char *, OSSL_LIB_CTX *, const char *, const UI_METHOD *, void *, const OSSL_PARAM[]);
