/* <openssl/pkcs12.h>: PKCS #12 and PKCS #8; what OpenSSL 3.2 added. */

/* Types */
typedef int PKCS12_create_cb(PKCS12_SAFEBAG *, void *);

/* PKCS #12 files */
X509 *PKCS12_SAFEBAG_get1_cert_ex(const PKCS12_SAFEBAG *, OSSL_LIB_CTX *, const char *);
X509_CRL *PKCS12_SAFEBAG_get1_crl_ex(const PKCS12_SAFEBAG *, OSSL_LIB_CTX *, const char *);
PKCS12 *PKCS12_create_ex2(const char *, const char *, EVP_PKEY *, X509 *, struct stack_st_X509 *, int, int, int, int, int, OSSL_LIB_CTX *, const char *, PKCS12_create_cb *, void *);
