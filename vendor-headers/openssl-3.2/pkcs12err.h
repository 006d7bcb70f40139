/* <openssl/pkcs12err.h>: reason codes of PKCS12; what OpenSSL 3.2 added. */

/* Reason codes */
#define PKCS12_R_CALLBACK_FAILED ...
