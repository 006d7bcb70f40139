/* <openssl/pkcs12.h>: PKCS #12 and PKCS #8. */

/* Types */
typedef struct PKCS12_st PKCS12;
typedef struct PKCS12_SAFEBAG_st PKCS12_SAFEBAG;
typedef void (*sk_PKCS12_SAFEBAG_freefunc)(PKCS12_SAFEBAG *);
typedef PKCS12_SAFEBAG *(*sk_PKCS12_SAFEBAG_copyfunc)(const PKCS12_SAFEBAG *);

/* Constants */
#define PKCS12_KEY_ID ...
#define PKCS12_IV_ID ...
#define PKCS12_MAC_ID ...
#define PKCS12_DEFAULT_ITER ...
#define PKCS12_MAC_KEY_LENGTH ...
#define PKCS12_SALT_LEN ...
#define KEY_EX ...
#define KEY_SIG ...

/* PKCS #12 files */
int PKCS12_mac_present(const PKCS12 *);
const ASN1_TYPE *PKCS12_SAFEBAG_get0_attr(const PKCS12_SAFEBAG *, int);
const ASN1_OBJECT *PKCS12_SAFEBAG_get0_type(const PKCS12_SAFEBAG *);
int PKCS12_SAFEBAG_get_nid(const PKCS12_SAFEBAG *);
int PKCS12_SAFEBAG_get_bag_nid(const PKCS12_SAFEBAG *);
const ASN1_TYPE *PKCS12_SAFEBAG_get0_bag_obj(const PKCS12_SAFEBAG *);
const ASN1_OBJECT *PKCS12_SAFEBAG_get0_bag_type(const PKCS12_SAFEBAG *);
X509 *PKCS12_SAFEBAG_get1_cert(const PKCS12_SAFEBAG *);
X509_CRL *PKCS12_SAFEBAG_get1_crl(const PKCS12_SAFEBAG *);
const struct stack_st_PKCS12_SAFEBAG *PKCS12_SAFEBAG_get0_safes(const PKCS12_SAFEBAG *);
const PKCS8_PRIV_KEY_INFO *PKCS12_SAFEBAG_get0_p8inf(const PKCS12_SAFEBAG *);
const X509_SIG *PKCS12_SAFEBAG_get0_pkcs8(const PKCS12_SAFEBAG *);
struct stack_st_PKCS12_SAFEBAG *PKCS12_unpack_p7data(PKCS7 *);
struct stack_st_PKCS12_SAFEBAG *PKCS12_unpack_p7encdata(PKCS7 *, const char *, int);
struct stack_st_PKCS7 *PKCS12_unpack_authsafes(const PKCS12 *);
char *PKCS12_get_friendlyname(PKCS12_SAFEBAG *);
const struct stack_st_X509_ATTRIBUTE *PKCS12_SAFEBAG_get0_attrs(const PKCS12_SAFEBAG *);
int PKCS12_verify_mac(PKCS12 *, const char *, int);
int PKCS12_set_mac(PKCS12 *, const char *, int, unsigned char *, int, int, const EVP_MD *);
PKCS12 *PKCS12_new(void);
void PKCS12_free(PKCS12 *);
PKCS12 *d2i_PKCS12(PKCS12 **, const unsigned char **, long);
int i2d_PKCS12(const PKCS12 *, unsigned char **);
const ASN1_ITEM *PKCS12_it(void);
void PKCS12_SAFEBAG_free(PKCS12_SAFEBAG *);
int PKCS12_parse(PKCS12 *, const char *, EVP_PKEY **, X509 **, struct stack_st_X509 **);
PKCS12 *PKCS12_create(const char *, const char *, EVP_PKEY *, X509 *, struct stack_st_X509 *, int, int, int, int, int);
PKCS12 *PKCS12_create_ex(const char *, const char *, EVP_PKEY *, X509 *, struct stack_st_X509 *, int, int, int, int, int, OSSL_LIB_CTX *, const char *);
PKCS12_SAFEBAG *PKCS12_add_cert(struct stack_st_PKCS12_SAFEBAG **, X509 *);
PKCS12_SAFEBAG *PKCS12_add_key(struct stack_st_PKCS12_SAFEBAG **, EVP_PKEY *, int, int, int, const char *);
int PKCS12_add_safe(struct stack_st_PKCS7 **, struct stack_st_PKCS12_SAFEBAG *, int, int, const char *);
PKCS12 *PKCS12_add_safes(struct stack_st_PKCS7 *, int);
int i2d_PKCS12_bio(BIO *, const PKCS12 *);
PKCS12 *d2i_PKCS12_bio(BIO *, PKCS12 **);
int PKCS12_newpass(PKCS12 *, const char *, const char *);

/* PKCS #8 */
PKCS8_PRIV_KEY_INFO *PKCS8_decrypt(const X509_SIG *, const char *, int);
PKCS8_PRIV_KEY_INFO *PKCS8_decrypt_ex(const X509_SIG *, const char *, int, OSSL_LIB_CTX *, const char *);
X509_SIG *PKCS8_encrypt(int, const EVP_CIPHER *, const char *, int, unsigned char *, int, int, PKCS8_PRIV_KEY_INFO *);
X509_SIG *PKCS8_encrypt_ex(int, const EVP_CIPHER *, const char *, int, unsigned char *, int, int, PKCS8_PRIV_KEY_INFO *, OSSL_LIB_CTX *, const char *);

/* Stacks of PKCS12_SAFEBAG */
MACRO int sk_PKCS12_SAFEBAG_num(const struct stack_st_PKCS12_SAFEBAG *);
MACRO PKCS12_SAFEBAG *sk_PKCS12_SAFEBAG_value(const struct stack_st_PKCS12_SAFEBAG *, int);
MACRO struct stack_st_PKCS12_SAFEBAG *sk_PKCS12_SAFEBAG_new_null(void);
MACRO int sk_PKCS12_SAFEBAG_push(struct stack_st_PKCS12_SAFEBAG *, PKCS12_SAFEBAG *);
MACRO int sk_PKCS12_SAFEBAG_insert(struct stack_st_PKCS12_SAFEBAG *, PKCS12_SAFEBAG *, int);
MACRO PKCS12_SAFEBAG *sk_PKCS12_SAFEBAG_set(struct stack_st_PKCS12_SAFEBAG *, int, PKCS12_SAFEBAG *);
MACRO PKCS12_SAFEBAG *sk_PKCS12_SAFEBAG_pop(struct stack_st_PKCS12_SAFEBAG *);
MACRO PKCS12_SAFEBAG *sk_PKCS12_SAFEBAG_shift(struct stack_st_PKCS12_SAFEBAG *);
MACRO PKCS12_SAFEBAG *sk_PKCS12_SAFEBAG_delete(struct stack_st_PKCS12_SAFEBAG *, int);
MACRO void sk_PKCS12_SAFEBAG_free(struct stack_st_PKCS12_SAFEBAG *);
MACRO void sk_PKCS12_SAFEBAG_pop_free(struct stack_st_PKCS12_SAFEBAG *, sk_PKCS12_SAFEBAG_freefunc);
MACRO struct stack_st_PKCS12_SAFEBAG *sk_PKCS12_SAFEBAG_dup(const struct stack_st_PKCS12_SAFEBAG *);
MACRO struct stack_st_PKCS12_SAFEBAG *sk_PKCS12_SAFEBAG_deep_copy(const struct stack_st_PKCS12_SAFEBAG *, sk_PKCS12_SAFEBAG_copyfunc, sk_PKCS12_SAFEBAG_freefunc);
