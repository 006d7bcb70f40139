/* <openssl/rsa.h>: RSA keys. */

/* RSA keys */
MACRO EVP_PKEY *EVP_RSA_gen(unsigned int);
int EVP_PKEY_CTX_set_rsa_padding(EVP_PKEY_CTX *, int);
int EVP_PKEY_CTX_set_rsa_pss_saltlen(EVP_PKEY_CTX *, int);
#define RSA_PKCS1_PSS_PADDING ...
#define RSA_PSS_SALTLEN_DIGEST ...
