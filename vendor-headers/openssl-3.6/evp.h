/* <openssl/evp.h>: keys, digests, ciphers and MACs; what OpenSSL 3.6 added. */

/* Keys */
int EVP_PKEY_get_security_category(const EVP_PKEY *);
int i2d_PKCS8PrivateKey(const EVP_PKEY *, unsigned char **);
