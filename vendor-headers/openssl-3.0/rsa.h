/* <openssl/rsa.h>: RSA keys. */

/* RSA keys */
MACRO EVP_PKEY *EVP_RSA_gen(unsigned int);
