/* <openssl/x509v3.h>: extensions; what OpenSSL 3.5 added. */

/* Purposes */
#define X509_PURPOSE_DEFAULT_ANY ...

/* Purposes */
int X509_PURPOSE_get_unused_id(OSSL_LIB_CTX *);
