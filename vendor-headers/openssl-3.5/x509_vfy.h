/* <openssl/x509_vfy.h>: trust stores and verification; what OpenSSL 3.5 added. */

/* Verification parameters */
int X509_VERIFY_PARAM_get_purpose(const X509_VERIFY_PARAM *);
