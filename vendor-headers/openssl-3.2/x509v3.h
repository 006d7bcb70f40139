/* <openssl/x509v3.h>: extensions; what OpenSSL 3.2 added. */

/* Purposes */
#define X509_PURPOSE_CODE_SIGN ...
