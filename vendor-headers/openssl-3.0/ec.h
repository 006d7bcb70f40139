/* <openssl/ec.h>: EC keys. */

/* EC keys */
int EVP_PKEY_CTX_set_ec_paramgen_curve_nid(EVP_PKEY_CTX *, int);
int EVP_PKEY_CTX_set_ec_param_enc(EVP_PKEY_CTX *, int);
