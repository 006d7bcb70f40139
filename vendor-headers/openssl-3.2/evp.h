/* <openssl/evp.h>: keys, digests, ciphers and MACs; what OpenSSL 3.2 added. */

/* Sizes */
#define EVP_MAX_AEAD_TAG_LENGTH ...
