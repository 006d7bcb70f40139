/* <openssl/pemerr.h>: reason codes of PEM; what OpenSSL 3.5 added. */

/* Reason codes */
#define PEM_R_UNSUPPORTED_PVK_KEY_TYPE ...
