/* <openssl/x509err.h>: reason codes of X509; what OpenSSL 3.4 added. */

/* Reason codes */
#define X509_R_UNSUPPORTED_VERSION ...
