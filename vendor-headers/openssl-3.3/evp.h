/* <openssl/evp.h>: keys, digests, ciphers and MACs; what OpenSSL 3.3 added. */

/* Digests */
int EVP_DigestSqueeze(EVP_MD_CTX *, unsigned char *, size_t);
