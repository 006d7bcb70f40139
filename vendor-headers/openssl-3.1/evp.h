/* <openssl/evp.h>: keys, digests, ciphers and MACs; what OpenSSL 3.1 added. */

/* Digests */
EVP_MD_CTX *EVP_MD_CTX_dup(const EVP_MD_CTX *);
