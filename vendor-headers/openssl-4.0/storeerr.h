/* <openssl/storeerr.h>: reason codes of STORE; what OpenSSL 4.0 added. */

/* Reason codes */
#define OSSL_STORE_R_NOT_A_SYMMETRIC_KEY ...
