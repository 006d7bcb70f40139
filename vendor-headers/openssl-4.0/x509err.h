/* <openssl/x509err.h>: reason codes of X509; what OpenSSL 4.0 added. */

/* Reason codes */
#define X509_R_INVALID_EXTENSION ...
