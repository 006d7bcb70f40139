/* <openssl/x509v3err.h>: reason codes of X509V3; what OpenSSL 3.5 added. */

/* Reason codes */
#define X509V3_R_PURPOSE_NOT_UNIQUE ...
