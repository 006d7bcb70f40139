/* <openssl/x509.h>: certificates, requests, CRLs and names; what OpenSSL 4.0 added. */

/* Extensions */
X509_EXTENSION *X509v3_delete_extension(struct stack_st_X509_EXTENSION **, int);
