/* <openssl/evp.h>: keys, digests, ciphers and MACs. */

/* Types */
typedef int EVP_PKEY_gen_cb(EVP_PKEY_CTX *);

/* Sizes */
#define EVP_MAX_MD_SIZE ...
#define EVP_MAX_KEY_LENGTH ...
#define EVP_MAX_IV_LENGTH ...
#define EVP_MAX_BLOCK_LENGTH ...

/* Key types */
#define EVP_PKEY_NONE ...
#define EVP_PKEY_RSA ...
#define EVP_PKEY_RSA2 ...
#define EVP_PKEY_RSA_PSS ...
#define EVP_PKEY_DSA ...
#define EVP_PKEY_DH ...
#define EVP_PKEY_DHX ...
#define EVP_PKEY_EC ...
#define EVP_PKEY_SM2 ...
#define EVP_PKEY_HMAC ...
#define EVP_PKEY_CMAC ...
#define EVP_PKEY_X25519 ...
#define EVP_PKEY_ED25519 ...
#define EVP_PKEY_X448 ...
#define EVP_PKEY_ED448 ...

/* Parts of a key */
#define EVP_PKEY_KEY_PARAMETERS ...
#define EVP_PKEY_PUBLIC_KEY ...
#define EVP_PKEY_KEYPAIR ...

/* Operations */
#define EVP_PKEY_OP_UNDEFINED ...
#define EVP_PKEY_OP_PARAMGEN ...
#define EVP_PKEY_OP_KEYGEN ...
#define EVP_PKEY_OP_FROMDATA ...
#define EVP_PKEY_OP_SIGN ...
#define EVP_PKEY_OP_VERIFY ...
#define EVP_PKEY_OP_VERIFYRECOVER ...
#define EVP_PKEY_OP_SIGNCTX ...
#define EVP_PKEY_OP_VERIFYCTX ...
#define EVP_PKEY_OP_ENCRYPT ...
#define EVP_PKEY_OP_DECRYPT ...
#define EVP_PKEY_OP_DERIVE ...
#define EVP_PKEY_OP_ENCAPSULATE ...
#define EVP_PKEY_OP_DECAPSULATE ...
#define EVP_PKEY_OP_TYPE_SIG ...
#define EVP_PKEY_OP_TYPE_CRYPT ...
#define EVP_PKEY_OP_TYPE_GEN ...
#define EVP_PKEY_OP_TYPE_NOGEN ...

/* Keys */
int EVP_PKEY_is_a(const EVP_PKEY *, const char *);
int EVP_PKEY_type(int);
int EVP_PKEY_get_id(const EVP_PKEY *);
int EVP_PKEY_get_base_id(const EVP_PKEY *);
int EVP_PKEY_get_bits(const EVP_PKEY *);
int EVP_PKEY_get_security_bits(const EVP_PKEY *);
int EVP_PKEY_get_size(const EVP_PKEY *);
int EVP_PKEY_can_sign(const EVP_PKEY *);
int EVP_PKEY_set_type(EVP_PKEY *, int);
int EVP_PKEY_set_type_str(EVP_PKEY *, const char *, int);
EVP_PKEY *EVP_PKEY_new(void);
int EVP_PKEY_up_ref(EVP_PKEY *);
EVP_PKEY *EVP_PKEY_dup(EVP_PKEY *);
void EVP_PKEY_free(EVP_PKEY *);
const char *EVP_PKEY_get0_description(const EVP_PKEY *);
const OSSL_PROVIDER *EVP_PKEY_get0_provider(const EVP_PKEY *);
EVP_PKEY *d2i_PublicKey(int, EVP_PKEY **, const unsigned char **, long);
int i2d_PublicKey(const EVP_PKEY *, unsigned char **);
EVP_PKEY *d2i_PrivateKey_ex(int, EVP_PKEY **, const unsigned char **, long, OSSL_LIB_CTX *, const char *);
EVP_PKEY *d2i_PrivateKey(int, EVP_PKEY **, const unsigned char **, long);
EVP_PKEY *d2i_AutoPrivateKey_ex(EVP_PKEY **, const unsigned char **, long, OSSL_LIB_CTX *, const char *);
EVP_PKEY *d2i_AutoPrivateKey(EVP_PKEY **, const unsigned char **, long);
int i2d_PrivateKey(const EVP_PKEY *, unsigned char **);
int i2d_KeyParams(const EVP_PKEY *, unsigned char **);
EVP_PKEY *d2i_KeyParams(int, EVP_PKEY **, const unsigned char **, long);
int EVP_PKEY_copy_parameters(EVP_PKEY *, const EVP_PKEY *);
int EVP_PKEY_missing_parameters(const EVP_PKEY *);
int EVP_PKEY_parameters_eq(const EVP_PKEY *, const EVP_PKEY *);
int EVP_PKEY_eq(const EVP_PKEY *, const EVP_PKEY *);
int EVP_PKEY_print_public(BIO *, const EVP_PKEY *, int, ASN1_PCTX *);
int EVP_PKEY_print_private(BIO *, const EVP_PKEY *, int, ASN1_PCTX *);
int EVP_PKEY_print_params(BIO *, const EVP_PKEY *, int, ASN1_PCTX *);
int EVP_PKEY_get_default_digest_nid(EVP_PKEY *, int *);
int EVP_PKEY_get_default_digest_name(EVP_PKEY *, char *, size_t);
int EVP_PKEY_digestsign_supports_digest(EVP_PKEY *, OSSL_LIB_CTX *, const char *, const char *);
int EVP_PKEY_set1_encoded_public_key(EVP_PKEY *, const unsigned char *, size_t);
size_t EVP_PKEY_get1_encoded_public_key(EVP_PKEY *, unsigned char **);
const char *EVP_PKEY_get0_type_name(const EVP_PKEY *);
EVP_PKEY *EVP_PKEY_new_mac_key(int, ENGINE *, const unsigned char *, int);
EVP_PKEY *EVP_PKEY_new_raw_private_key_ex(OSSL_LIB_CTX *, const char *, const char *, const unsigned char *, size_t);
EVP_PKEY *EVP_PKEY_new_raw_private_key(int, ENGINE *, const unsigned char *, size_t);
EVP_PKEY *EVP_PKEY_new_raw_public_key_ex(OSSL_LIB_CTX *, const char *, const char *, const unsigned char *, size_t);
EVP_PKEY *EVP_PKEY_new_raw_public_key(int, ENGINE *, const unsigned char *, size_t);
int EVP_PKEY_get_raw_private_key(const EVP_PKEY *, unsigned char *, size_t *);
int EVP_PKEY_get_raw_public_key(const EVP_PKEY *, unsigned char *, size_t *);
int EVP_PKEY_export(const EVP_PKEY *, int, OSSL_CALLBACK *, void *);
int EVP_PKEY_get_params(const EVP_PKEY *, OSSL_PARAM[]);
int EVP_PKEY_get_int_param(const EVP_PKEY *, const char *, int *);
int EVP_PKEY_get_size_t_param(const EVP_PKEY *, const char *, size_t *);
int EVP_PKEY_get_bn_param(const EVP_PKEY *, const char *, BIGNUM **);
int EVP_PKEY_get_utf8_string_param(const EVP_PKEY *, const char *, char *, size_t, size_t *);
int EVP_PKEY_get_octet_string_param(const EVP_PKEY *, const char *, unsigned char *, size_t, size_t *);
int EVP_PKEY_set_int_param(EVP_PKEY *, const char *, int);
int EVP_PKEY_set_utf8_string_param(EVP_PKEY *, const char *, const char *);
int EVP_PKEY_set_octet_string_param(EVP_PKEY *, const char *, const unsigned char *, size_t);
int EVP_PKEY_get_ec_point_conv_form(const EVP_PKEY *);
int EVP_PKEY_get_field_type(const EVP_PKEY *);
int EVP_PKEY_set_ex_data(EVP_PKEY *, int, void *);
void *EVP_PKEY_get_ex_data(const EVP_PKEY *, int);
int EVP_PKEY_get_group_name(const EVP_PKEY *, char *, size_t, size_t *);

/* Making keys */
int EVP_PKEY_CTX_get_signature_md(EVP_PKEY_CTX *, const EVP_MD **);
int EVP_PKEY_CTX_set_signature_md(EVP_PKEY_CTX *, const EVP_MD *);
EVP_PKEY_CTX *EVP_PKEY_CTX_new(EVP_PKEY *, ENGINE *);
EVP_PKEY_CTX *EVP_PKEY_CTX_new_id(int, ENGINE *);
EVP_PKEY_CTX *EVP_PKEY_CTX_new_from_name(OSSL_LIB_CTX *, const char *, const char *);
EVP_PKEY_CTX *EVP_PKEY_CTX_new_from_pkey(OSSL_LIB_CTX *, EVP_PKEY *, const char *);
EVP_PKEY_CTX *EVP_PKEY_CTX_dup(const EVP_PKEY_CTX *);
void EVP_PKEY_CTX_free(EVP_PKEY_CTX *);
int EVP_PKEY_CTX_is_a(EVP_PKEY_CTX *, const char *);
int EVP_PKEY_CTX_get_params(EVP_PKEY_CTX *, OSSL_PARAM *);
const OSSL_PARAM *EVP_PKEY_CTX_gettable_params(const EVP_PKEY_CTX *);
int EVP_PKEY_CTX_set_params(EVP_PKEY_CTX *, const OSSL_PARAM *);
const OSSL_PARAM *EVP_PKEY_CTX_settable_params(const EVP_PKEY_CTX *);
int EVP_PKEY_CTX_ctrl(EVP_PKEY_CTX *, int, int, int, int, void *);
int EVP_PKEY_CTX_ctrl_str(EVP_PKEY_CTX *, const char *, const char *);
EVP_PKEY *EVP_PKEY_CTX_get0_pkey(EVP_PKEY_CTX *);
void EVP_PKEY_CTX_set_app_data(EVP_PKEY_CTX *, void *);
void *EVP_PKEY_CTX_get_app_data(EVP_PKEY_CTX *);
int EVP_PKEY_fromdata_init(EVP_PKEY_CTX *);
int EVP_PKEY_fromdata(EVP_PKEY_CTX *, EVP_PKEY **, int, OSSL_PARAM[]);
int EVP_PKEY_paramgen_init(EVP_PKEY_CTX *);
int EVP_PKEY_paramgen(EVP_PKEY_CTX *, EVP_PKEY **);
int EVP_PKEY_keygen_init(EVP_PKEY_CTX *);
int EVP_PKEY_keygen(EVP_PKEY_CTX *, EVP_PKEY **);
int EVP_PKEY_generate(EVP_PKEY_CTX *, EVP_PKEY **);
int EVP_PKEY_check(EVP_PKEY_CTX *);
int EVP_PKEY_public_check(EVP_PKEY_CTX *);
int EVP_PKEY_public_check_quick(EVP_PKEY_CTX *);
int EVP_PKEY_param_check(EVP_PKEY_CTX *);
int EVP_PKEY_param_check_quick(EVP_PKEY_CTX *);
int EVP_PKEY_private_check(EVP_PKEY_CTX *);
int EVP_PKEY_pairwise_check(EVP_PKEY_CTX *);
void EVP_PKEY_CTX_set_cb(EVP_PKEY_CTX *, EVP_PKEY_gen_cb *);
EVP_PKEY_gen_cb *EVP_PKEY_CTX_get_cb(EVP_PKEY_CTX *);
int EVP_PKEY_CTX_get_keygen_info(EVP_PKEY_CTX *, int);
int EVP_PKEY_CTX_set_group_name(EVP_PKEY_CTX *, const char *);
int EVP_PKEY_CTX_get_group_name(EVP_PKEY_CTX *, char *, size_t);
OSSL_LIB_CTX *EVP_PKEY_CTX_get0_libctx(EVP_PKEY_CTX *);
const char *EVP_PKEY_CTX_get0_propq(const EVP_PKEY_CTX *);
const OSSL_PROVIDER *EVP_PKEY_CTX_get0_provider(const EVP_PKEY_CTX *);
MACRO EVP_PKEY *EVP_EC_gen(const char *);

/* Signing, encrypting, deriving */
int EVP_DigestSign(EVP_MD_CTX *, unsigned char *, size_t *, const unsigned char *, size_t);
int EVP_DigestVerify(EVP_MD_CTX *, const unsigned char *, size_t, const unsigned char *, size_t);
int EVP_DigestSignInit_ex(EVP_MD_CTX *, EVP_PKEY_CTX **, const char *, OSSL_LIB_CTX *, const char *, EVP_PKEY *, const OSSL_PARAM[]);
int EVP_DigestSignInit(EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, ENGINE *, EVP_PKEY *);
int EVP_DigestSignUpdate(EVP_MD_CTX *, const void *, size_t);
int EVP_DigestSignFinal(EVP_MD_CTX *, unsigned char *, size_t *);
int EVP_DigestVerifyInit_ex(EVP_MD_CTX *, EVP_PKEY_CTX **, const char *, OSSL_LIB_CTX *, const char *, EVP_PKEY *, const OSSL_PARAM[]);
int EVP_DigestVerifyInit(EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, ENGINE *, EVP_PKEY *);
int EVP_DigestVerifyUpdate(EVP_MD_CTX *, const void *, size_t);
int EVP_DigestVerifyFinal(EVP_MD_CTX *, const unsigned char *, size_t);
int EVP_PKEY_sign_init(EVP_PKEY_CTX *);
int EVP_PKEY_sign_init_ex(EVP_PKEY_CTX *, const OSSL_PARAM[]);
int EVP_PKEY_sign(EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t);
int EVP_PKEY_verify_init(EVP_PKEY_CTX *);
int EVP_PKEY_verify_init_ex(EVP_PKEY_CTX *, const OSSL_PARAM[]);
int EVP_PKEY_verify(EVP_PKEY_CTX *, const unsigned char *, size_t, const unsigned char *, size_t);
int EVP_PKEY_encrypt_init(EVP_PKEY_CTX *);
int EVP_PKEY_encrypt_init_ex(EVP_PKEY_CTX *, const OSSL_PARAM[]);
int EVP_PKEY_encrypt(EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t);
int EVP_PKEY_decrypt_init(EVP_PKEY_CTX *);
int EVP_PKEY_decrypt_init_ex(EVP_PKEY_CTX *, const OSSL_PARAM[]);
int EVP_PKEY_decrypt(EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t);
int EVP_PKEY_derive_init(EVP_PKEY_CTX *);
int EVP_PKEY_derive_init_ex(EVP_PKEY_CTX *, const OSSL_PARAM[]);
int EVP_PKEY_derive_set_peer(EVP_PKEY_CTX *, EVP_PKEY *);
int EVP_PKEY_derive(EVP_PKEY_CTX *, unsigned char *, size_t *);

/* Digests */
int EVP_set_default_properties(OSSL_LIB_CTX *, const char *);
int EVP_default_properties_is_fips_enabled(OSSL_LIB_CTX *);
int EVP_default_properties_enable_fips(OSSL_LIB_CTX *, int);
int EVP_MD_get_type(const EVP_MD *);
const char *EVP_MD_get0_name(const EVP_MD *);
const char *EVP_MD_get0_description(const EVP_MD *);
int EVP_MD_is_a(const EVP_MD *, const char *);
int EVP_MD_names_do_all(const EVP_MD *, void (*)(const char *, void *), void *);
const OSSL_PROVIDER *EVP_MD_get0_provider(const EVP_MD *);
int EVP_MD_get_size(const EVP_MD *);
int EVP_MD_get_block_size(const EVP_MD *);
unsigned long EVP_MD_get_flags(const EVP_MD *);
const EVP_MD *EVP_MD_CTX_get0_md(const EVP_MD_CTX *);
EVP_MD *EVP_MD_CTX_get1_md(EVP_MD_CTX *);
EVP_PKEY_CTX *EVP_MD_CTX_get_pkey_ctx(const EVP_MD_CTX *);
void EVP_MD_CTX_set_pkey_ctx(EVP_MD_CTX *, EVP_PKEY_CTX *);
EVP_MD_CTX *EVP_MD_CTX_new(void);
int EVP_MD_CTX_reset(EVP_MD_CTX *);
void EVP_MD_CTX_free(EVP_MD_CTX *);
int EVP_MD_CTX_copy_ex(EVP_MD_CTX *, const EVP_MD_CTX *);
int EVP_DigestInit_ex2(EVP_MD_CTX *, const EVP_MD *, const OSSL_PARAM[]);
int EVP_DigestInit_ex(EVP_MD_CTX *, const EVP_MD *, ENGINE *);
int EVP_DigestUpdate(EVP_MD_CTX *, const void *, size_t);
int EVP_DigestFinal_ex(EVP_MD_CTX *, unsigned char *, unsigned int *);
int EVP_Digest(const void *, size_t, unsigned char *, unsigned int *, const EVP_MD *, ENGINE *);
int EVP_Q_digest(OSSL_LIB_CTX *, const char *, const char *, const void *, size_t, unsigned char *, size_t *);
int EVP_MD_CTX_copy(EVP_MD_CTX *, const EVP_MD_CTX *);
int EVP_DigestInit(EVP_MD_CTX *, const EVP_MD *);
int EVP_DigestFinal(EVP_MD_CTX *, unsigned char *, unsigned int *);
int EVP_DigestFinalXOF(EVP_MD_CTX *, unsigned char *, size_t);
EVP_MD *EVP_MD_fetch(OSSL_LIB_CTX *, const char *, const char *);
int EVP_MD_up_ref(EVP_MD *);
void EVP_MD_free(EVP_MD *);
const EVP_MD *EVP_md_null(void);
const EVP_MD *EVP_md5(void);
const EVP_MD *EVP_sha1(void);
const EVP_MD *EVP_sha224(void);
const EVP_MD *EVP_sha256(void);
const EVP_MD *EVP_sha384(void);
const EVP_MD *EVP_sha512(void);
const EVP_MD *EVP_sha512_224(void);
const EVP_MD *EVP_sha512_256(void);
const EVP_MD *EVP_sha3_224(void);
const EVP_MD *EVP_sha3_256(void);
const EVP_MD *EVP_sha3_384(void);
const EVP_MD *EVP_sha3_512(void);
const EVP_MD *EVP_shake128(void);
const EVP_MD *EVP_shake256(void);
const EVP_MD *EVP_sm3(void);
const EVP_MD *EVP_get_digestbyname(const char *);
void EVP_MD_do_all_provided(OSSL_LIB_CTX *, void (*)(EVP_MD *, void *), void *);
MACRO const EVP_MD *EVP_get_digestbynid(int);
MACRO const EVP_MD *EVP_get_digestbyobj(const ASN1_OBJECT *);

/* Ciphers and MACs */
int EVP_CIPHER_get_nid(const EVP_CIPHER *);
const char *EVP_CIPHER_get0_name(const EVP_CIPHER *);
int EVP_CIPHER_is_a(const EVP_CIPHER *, const char *);
int EVP_CIPHER_names_do_all(const EVP_CIPHER *, void (*)(const char *, void *), void *);
int EVP_CIPHER_get_block_size(const EVP_CIPHER *);
int EVP_CIPHER_get_key_length(const EVP_CIPHER *);
int EVP_CIPHER_get_iv_length(const EVP_CIPHER *);
EVP_CIPHER *EVP_CIPHER_fetch(OSSL_LIB_CTX *, const char *, const char *);
int EVP_CIPHER_up_ref(EVP_CIPHER *);
void EVP_CIPHER_free(EVP_CIPHER *);
const EVP_CIPHER *EVP_des_ede3_cbc(void);
const EVP_CIPHER *EVP_aes_128_cbc(void);
const EVP_CIPHER *EVP_aes_128_gcm(void);
const EVP_CIPHER *EVP_aes_128_wrap(void);
const EVP_CIPHER *EVP_aes_256_cbc(void);
const EVP_CIPHER *EVP_aes_256_gcm(void);
const EVP_CIPHER *EVP_aes_256_wrap(void);
const EVP_CIPHER *EVP_get_cipherbyname(const char *);
EVP_MAC *EVP_MAC_fetch(OSSL_LIB_CTX *, const char *, const char *);
int EVP_MAC_up_ref(EVP_MAC *);
void EVP_MAC_free(EVP_MAC *);
const char *EVP_MAC_get0_name(const EVP_MAC *);
int EVP_MAC_is_a(const EVP_MAC *, const char *);
EVP_MAC_CTX *EVP_MAC_CTX_new(EVP_MAC *);
void EVP_MAC_CTX_free(EVP_MAC_CTX *);
EVP_MAC_CTX *EVP_MAC_CTX_dup(const EVP_MAC_CTX *);
unsigned char *EVP_Q_mac(OSSL_LIB_CTX *, const char *, const char *, const char *, const OSSL_PARAM *, const void *, size_t, const unsigned char *, size_t, unsigned char *, size_t, size_t *);
int EVP_MAC_init(EVP_MAC_CTX *, const unsigned char *, size_t, const OSSL_PARAM[]);
int EVP_MAC_update(EVP_MAC_CTX *, const unsigned char *, size_t);
int EVP_MAC_final(EVP_MAC_CTX *, unsigned char *, size_t *, size_t);

/* Passwords */
int EVP_read_pw_string(char *, int, const char *, int);
int EVP_read_pw_string_min(char *, int, int, const char *, int);
void EVP_set_pw_prompt(const char *);
char *EVP_get_pw_prompt(void);
int PKCS5_PBKDF2_HMAC(const char *, int, const unsigned char *, int, int, const EVP_MD *, int, unsigned char *);
