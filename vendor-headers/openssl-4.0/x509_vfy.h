/* <openssl/x509_vfy.h>: trust stores and verification; what OpenSSL 4.0 added. */

/* Verification results */
#define X509_V_ERR_EMPTY_AUTHORITY_KEY_IDENTIFIER ...
#define X509_V_ERR_AKID_ISSUER_SERIAL_NOT_PAIRED ...

/* Verification parameters */
void X509_VERIFY_PARAM_set1_host_input_validation(X509_VERIFY_PARAM *, int (*)(const char *, size_t));
int X509_VERIFY_PARAM_set1_rfc822(X509_VERIFY_PARAM *, const char *, size_t);
int X509_VERIFY_PARAM_add1_rfc822(X509_VERIFY_PARAM *, const char *, size_t);
void X509_VERIFY_PARAM_set1_rfc822_input_validation(X509_VERIFY_PARAM *, int (*)(const char *, size_t));
int X509_VERIFY_PARAM_set1_smtputf8(X509_VERIFY_PARAM *, const char *, size_t);
int X509_VERIFY_PARAM_add1_smtputf8(X509_VERIFY_PARAM *, const char *, size_t);
void X509_VERIFY_PARAM_set1_smtputf8_input_validation(X509_VERIFY_PARAM *, int (*)(const char *, size_t));
void X509_VERIFY_PARAM_set1_ip_input_validation(X509_VERIFY_PARAM *, int (*)(const unsigned char *, size_t));
int X509_VERIFY_PARAM_add1_ip(X509_VERIFY_PARAM *, const unsigned char *, size_t);
int X509_VERIFY_PARAM_add1_ip_asc(X509_VERIFY_PARAM *, const char *);
