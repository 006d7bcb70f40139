/* <openssl/store.h>: keys and certificates by URI; what OpenSSL 4.0 added. */

/* What was found */
#define OSSL_STORE_INFO_SKEY ...

/* What was found */
EVP_SKEY *OSSL_STORE_INFO_get0_SKEY(const OSSL_STORE_INFO *);
EVP_SKEY *OSSL_STORE_INFO_get1_SKEY(const OSSL_STORE_INFO *);
