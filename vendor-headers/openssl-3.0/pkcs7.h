/* <openssl/pkcs7.h>: PKCS #7. */

/* Types */
typedef struct pkcs7_st PKCS7;
typedef void (*sk_PKCS7_freefunc)(PKCS7 *);
typedef PKCS7 *(*sk_PKCS7_copyfunc)(const PKCS7 *);

/* PKCS #7: bags of certificates */
PKCS7 *PKCS7_dup(const PKCS7 *);
PKCS7 *d2i_PKCS7_bio(BIO *, PKCS7 **);
int i2d_PKCS7_bio(BIO *, const PKCS7 *);
PKCS7 *PKCS7_new(void);
void PKCS7_free(PKCS7 *);
PKCS7 *d2i_PKCS7(PKCS7 **, const unsigned char **, long);
int i2d_PKCS7(const PKCS7 *, unsigned char **);
const ASN1_ITEM *PKCS7_it(void);
PKCS7 *PKCS7_new_ex(OSSL_LIB_CTX *, const char *);
int PKCS7_type_is_other(PKCS7 *);
int PKCS7_set_type(PKCS7 *, int);
int PKCS7_add_certificate(PKCS7 *, X509 *);
int PKCS7_add_crl(PKCS7 *, X509_CRL *);
int PKCS7_content_new(PKCS7 *, int);
struct stack_st_X509 *PKCS7_get0_signers(PKCS7 *, CONST_SINCE_4_0 struct stack_st_X509 *, int);

/* Stacks of PKCS7 */
MACRO int sk_PKCS7_num(const struct stack_st_PKCS7 *);
MACRO PKCS7 *sk_PKCS7_value(const struct stack_st_PKCS7 *, int);
MACRO struct stack_st_PKCS7 *sk_PKCS7_new_null(void);
MACRO int sk_PKCS7_push(struct stack_st_PKCS7 *, PKCS7 *);
MACRO int sk_PKCS7_insert(struct stack_st_PKCS7 *, PKCS7 *, int);
MACRO PKCS7 *sk_PKCS7_set(struct stack_st_PKCS7 *, int, PKCS7 *);
MACRO PKCS7 *sk_PKCS7_pop(struct stack_st_PKCS7 *);
MACRO PKCS7 *sk_PKCS7_shift(struct stack_st_PKCS7 *);
MACRO PKCS7 *sk_PKCS7_delete(struct stack_st_PKCS7 *, int);
MACRO void sk_PKCS7_free(struct stack_st_PKCS7 *);
MACRO void sk_PKCS7_pop_free(struct stack_st_PKCS7 *, sk_PKCS7_freefunc);
MACRO struct stack_st_PKCS7 *sk_PKCS7_dup(const struct stack_st_PKCS7 *);
MACRO struct stack_st_PKCS7 *sk_PKCS7_deep_copy(const struct stack_st_PKCS7 *, sk_PKCS7_copyfunc, sk_PKCS7_freefunc);
