/* <openssl/pkcs12err.h>: reason codes of PKCS12; what OpenSSL 4.0 added. */

/* Reason codes */
#define PKCS12_R_INVALID_SALT_LENGTH ...
