/* <openssl/x509.h>: certificates, requests, CRLs and names; what OpenSSL 3.2 added. */

/* Public keys */
EVP_PKEY *d2i_PUBKEY_ex_bio(BIO *, EVP_PKEY **, OSSL_LIB_CTX *, const char *);
void X509_PUBKEY_set0_public_key(X509_PUBKEY *, unsigned char *, int);
