/* <openssl/x509_vfy.h>: trust stores and verification; what OpenSSL 3.2 added. */

/* Verification results */
#define X509_V_ERR_RPK_UNTRUSTED ...

/* Verifying a chain */
int X509_STORE_CTX_init_rpk(X509_STORE_CTX *, X509_STORE *, EVP_PKEY *);
EVP_PKEY *X509_STORE_CTX_get0_rpk(const X509_STORE_CTX *);
void X509_STORE_CTX_set_get_crl(X509_STORE_CTX *, X509_STORE_CTX_get_crl_fn);
void X509_STORE_CTX_set0_rpk(X509_STORE_CTX *, EVP_PKEY *);
