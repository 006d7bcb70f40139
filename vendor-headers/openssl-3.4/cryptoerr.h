/* <openssl/cryptoerr.h>: reason codes of CRYPTO; what OpenSSL 3.4 added. */

/* Reason codes */
#define CRYPTO_R_TOO_MANY_NAMES ...
