/* <openssl/x509.h>: certificates, requests, CRLs and names; what OpenSSL 3.4 added. */

/* Extensions */
struct stack_st_X509_EXTENSION *X509v3_add_extensions(struct stack_st_X509_EXTENSION **, const struct stack_st_X509_EXTENSION *);
