/* <openssl/evp.h>: keys, digests, ciphers and MACs; what OpenSSL 3.4 added. */

/* Operations */
#define EVP_PKEY_OP_SIGNMSG ...
#define EVP_PKEY_OP_VERIFYMSG ...
#define EVP_PKEY_OP_ALL ...
#define EVP_PKEY_OP_TYPE_DERIVE ...
#define EVP_PKEY_OP_TYPE_DATA ...
#define EVP_PKEY_OP_TYPE_KEM ...

/* Signing, encrypting, deriving */
int EVP_PKEY_sign_init_ex2(EVP_PKEY_CTX *, EVP_SIGNATURE *, const OSSL_PARAM[]);
int EVP_PKEY_sign_message_init(EVP_PKEY_CTX *, EVP_SIGNATURE *, const OSSL_PARAM[]);
int EVP_PKEY_sign_message_update(EVP_PKEY_CTX *, const unsigned char *, size_t);
int EVP_PKEY_sign_message_final(EVP_PKEY_CTX *, unsigned char *, size_t *);
int EVP_PKEY_verify_init_ex2(EVP_PKEY_CTX *, EVP_SIGNATURE *, const OSSL_PARAM[]);
int EVP_PKEY_verify_message_init(EVP_PKEY_CTX *, EVP_SIGNATURE *, const OSSL_PARAM[]);
int EVP_PKEY_verify_message_update(EVP_PKEY_CTX *, const unsigned char *, size_t);
int EVP_PKEY_verify_message_final(EVP_PKEY_CTX *);

/* Digests */
int EVP_MD_xof(const EVP_MD *);
int EVP_MD_CTX_get_size_ex(const EVP_MD_CTX *);
