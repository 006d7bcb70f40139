/* <openssl/types.h>: types that several headers share; what OpenSSL 3.5 added. */

/* Types */
typedef struct evp_skey_st EVP_SKEY;
