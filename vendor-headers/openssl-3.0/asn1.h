/* <openssl/asn1.h>: ASN.1 values. */

/* Types */
typedef void (*sk_X509_ALGOR_freefunc)(X509_ALGOR *);
typedef X509_ALGOR *(*sk_X509_ALGOR_copyfunc)(const X509_ALGOR *);
typedef struct ASN1_VALUE_st ASN1_VALUE;
typedef void *d2i_of_void(void **, const unsigned char **, long);
typedef int i2d_of_void(const void *, unsigned char **);
typedef void (*sk_ASN1_TYPE_freefunc)(ASN1_TYPE *);
typedef ASN1_TYPE *(*sk_ASN1_TYPE_copyfunc)(const ASN1_TYPE *);
typedef struct stack_st_ASN1_TYPE ASN1_SEQUENCE_ANY;
typedef void (*sk_ASN1_OBJECT_freefunc)(ASN1_OBJECT *);
typedef ASN1_OBJECT *(*sk_ASN1_OBJECT_copyfunc)(const ASN1_OBJECT *);
typedef void (*sk_ASN1_INTEGER_freefunc)(ASN1_INTEGER *);
typedef ASN1_INTEGER *(*sk_ASN1_INTEGER_copyfunc)(const ASN1_INTEGER *);
typedef void (*sk_ASN1_UTF8STRING_freefunc)(ASN1_UTF8STRING *);
typedef ASN1_UTF8STRING *(*sk_ASN1_UTF8STRING_copyfunc)(const ASN1_UTF8STRING *);

/* Tags */
#define V_ASN1_UNIVERSAL ...
#define V_ASN1_APPLICATION ...
#define V_ASN1_CONTEXT_SPECIFIC ...
#define V_ASN1_PRIVATE ...
#define V_ASN1_CONSTRUCTED ...
#define V_ASN1_PRIMITIVE_TAG ...
#define V_ASN1_PRIMATIVE_TAG ...
#define V_ASN1_APP_CHOOSE ...
#define V_ASN1_OTHER ...
#define V_ASN1_ANY ...
#define V_ASN1_UNDEF ...
#define V_ASN1_EOC ...
#define V_ASN1_BOOLEAN ...
#define V_ASN1_INTEGER ...
#define V_ASN1_BIT_STRING ...
#define V_ASN1_OCTET_STRING ...
#define V_ASN1_NULL ...
#define V_ASN1_OBJECT ...
#define V_ASN1_OBJECT_DESCRIPTOR ...
#define V_ASN1_EXTERNAL ...
#define V_ASN1_REAL ...
#define V_ASN1_ENUMERATED ...
#define V_ASN1_UTF8STRING ...
#define V_ASN1_SEQUENCE ...
#define V_ASN1_SET ...
#define V_ASN1_NUMERICSTRING ...
#define V_ASN1_PRINTABLESTRING ...
#define V_ASN1_T61STRING ...
#define V_ASN1_TELETEXSTRING ...
#define V_ASN1_VIDEOTEXSTRING ...
#define V_ASN1_IA5STRING ...
#define V_ASN1_UTCTIME ...
#define V_ASN1_GENERALIZEDTIME ...
#define V_ASN1_GRAPHICSTRING ...
#define V_ASN1_ISO64STRING ...
#define V_ASN1_VISIBLESTRING ...
#define V_ASN1_GENERALSTRING ...
#define V_ASN1_UNIVERSALSTRING ...
#define V_ASN1_BMPSTRING ...
#define V_ASN1_NEG ...
#define V_ASN1_NEG_INTEGER ...
#define V_ASN1_NEG_ENUMERATED ...

/* Kinds of string */
#define MBSTRING_FLAG ...
#define MBSTRING_UTF8 ...
#define MBSTRING_ASC ...
#define MBSTRING_BMP ...
#define MBSTRING_UNIV ...
#define B_ASN1_TIME ...
#define B_ASN1_PRINTABLE ...
#define B_ASN1_DIRECTORYSTRING ...
#define B_ASN1_DISPLAYTEXT ...

/* How strings are printed */
#define ASN1_STRFLGS_ESC_2253 ...
#define ASN1_STRFLGS_ESC_CTRL ...
#define ASN1_STRFLGS_ESC_MSB ...
#define ASN1_STRFLGS_ESC_QUOTE ...
#define ASN1_STRFLGS_UTF8_CONVERT ...
#define ASN1_STRFLGS_IGNORE_TYPE ...
#define ASN1_STRFLGS_SHOW_TYPE ...
#define ASN1_STRFLGS_DUMP_ALL ...
#define ASN1_STRFLGS_DUMP_UNKNOWN ...
#define ASN1_STRFLGS_DUMP_DER ...
#define ASN1_STRFLGS_ESC_2254 ...
#define ASN1_STRFLGS_RFC2253 ...

/* How times are printed */
#define ASN1_DTFLGS_TYPE_MASK ...
#define ASN1_DTFLGS_RFC822 ...
#define ASN1_DTFLGS_ISO8601 ...

/* Streams */
#define SMIME_OLDMIME ...
#define SMIME_CRLFEOL ...
#define SMIME_STREAM ...

/* Strings */
ASN1_STRING *ASN1_STRING_new(void);
void ASN1_STRING_free(ASN1_STRING *);
void ASN1_STRING_clear_free(ASN1_STRING *);
int ASN1_STRING_copy(ASN1_STRING *, const ASN1_STRING *);
ASN1_STRING *ASN1_STRING_dup(const ASN1_STRING *);
ASN1_STRING *ASN1_STRING_type_new(int);
int ASN1_STRING_cmp(const ASN1_STRING *, const ASN1_STRING *);
int ASN1_STRING_set(ASN1_STRING *, const void *, int);
void ASN1_STRING_set0(ASN1_STRING *, void *, int);
int ASN1_STRING_length(const ASN1_STRING *);
int ASN1_STRING_type(const ASN1_STRING *);
const unsigned char *ASN1_STRING_get0_data(const ASN1_STRING *);
unsigned long ASN1_tag2bit(int);
int ASN1_STRING_to_UTF8(unsigned char **, const ASN1_STRING *);
int ASN1_STRING_print(BIO *, const ASN1_STRING *);
int ASN1_STRING_print_ex(BIO *, const ASN1_STRING *, unsigned long);
const char *ASN1_tag2str(int);
int ASN1_mbstring_copy(ASN1_STRING **, const unsigned char *, int, int, unsigned long);
int ASN1_mbstring_ncopy(ASN1_STRING **, const unsigned char *, int, int, unsigned long, long, long);

/* Octet and bit strings, UTF-8 and other text */
ASN1_BIT_STRING *ASN1_BIT_STRING_new(void);
void ASN1_BIT_STRING_free(ASN1_BIT_STRING *);
ASN1_BIT_STRING *d2i_ASN1_BIT_STRING(ASN1_BIT_STRING **, const unsigned char **, long);
int i2d_ASN1_BIT_STRING(const ASN1_BIT_STRING *, unsigned char **);
const ASN1_ITEM *ASN1_BIT_STRING_it(void);
int ASN1_BIT_STRING_set(ASN1_BIT_STRING *, unsigned char *, int);
int ASN1_BIT_STRING_set_bit(ASN1_BIT_STRING *, int, int);
int ASN1_BIT_STRING_get_bit(const ASN1_BIT_STRING *, int);
int ASN1_BIT_STRING_check(const ASN1_BIT_STRING *, const unsigned char *, int);
ASN1_OCTET_STRING *ASN1_OCTET_STRING_new(void);
void ASN1_OCTET_STRING_free(ASN1_OCTET_STRING *);
ASN1_OCTET_STRING *d2i_ASN1_OCTET_STRING(ASN1_OCTET_STRING **, const unsigned char **, long);
int i2d_ASN1_OCTET_STRING(const ASN1_OCTET_STRING *, unsigned char **);
const ASN1_ITEM *ASN1_OCTET_STRING_it(void);
ASN1_OCTET_STRING *ASN1_OCTET_STRING_dup(const ASN1_OCTET_STRING *);
int ASN1_OCTET_STRING_cmp(const ASN1_OCTET_STRING *, const ASN1_OCTET_STRING *);
int ASN1_OCTET_STRING_set(ASN1_OCTET_STRING *, const unsigned char *, int);
ASN1_VISIBLESTRING *ASN1_VISIBLESTRING_new(void);
void ASN1_VISIBLESTRING_free(ASN1_VISIBLESTRING *);
ASN1_VISIBLESTRING *d2i_ASN1_VISIBLESTRING(ASN1_VISIBLESTRING **, const unsigned char **, long);
int i2d_ASN1_VISIBLESTRING(const ASN1_VISIBLESTRING *, unsigned char **);
const ASN1_ITEM *ASN1_VISIBLESTRING_it(void);
ASN1_UTF8STRING *ASN1_UTF8STRING_new(void);
void ASN1_UTF8STRING_free(ASN1_UTF8STRING *);
ASN1_UTF8STRING *d2i_ASN1_UTF8STRING(ASN1_UTF8STRING **, const unsigned char **, long);
int i2d_ASN1_UTF8STRING(const ASN1_UTF8STRING *, unsigned char **);
const ASN1_ITEM *ASN1_UTF8STRING_it(void);
ASN1_BMPSTRING *ASN1_BMPSTRING_new(void);
void ASN1_BMPSTRING_free(ASN1_BMPSTRING *);
ASN1_BMPSTRING *d2i_ASN1_BMPSTRING(ASN1_BMPSTRING **, const unsigned char **, long);
int i2d_ASN1_BMPSTRING(const ASN1_BMPSTRING *, unsigned char **);
const ASN1_ITEM *ASN1_BMPSTRING_it(void);
ASN1_STRING *DIRECTORYSTRING_new(void);
void DIRECTORYSTRING_free(ASN1_STRING *);
ASN1_STRING *d2i_DIRECTORYSTRING(ASN1_STRING **, const unsigned char **, long);
int i2d_DIRECTORYSTRING(const ASN1_STRING *, unsigned char **);
const ASN1_ITEM *DIRECTORYSTRING_it(void);
ASN1_STRING *DISPLAYTEXT_new(void);
void DISPLAYTEXT_free(ASN1_STRING *);
ASN1_STRING *d2i_DISPLAYTEXT(ASN1_STRING **, const unsigned char **, long);
int i2d_DISPLAYTEXT(const ASN1_STRING *, unsigned char **);
const ASN1_ITEM *DISPLAYTEXT_it(void);
ASN1_PRINTABLESTRING *ASN1_PRINTABLESTRING_new(void);
void ASN1_PRINTABLESTRING_free(ASN1_PRINTABLESTRING *);
ASN1_PRINTABLESTRING *d2i_ASN1_PRINTABLESTRING(ASN1_PRINTABLESTRING **, const unsigned char **, long);
int i2d_ASN1_PRINTABLESTRING(const ASN1_PRINTABLESTRING *, unsigned char **);
const ASN1_ITEM *ASN1_PRINTABLESTRING_it(void);
ASN1_IA5STRING *ASN1_IA5STRING_new(void);
void ASN1_IA5STRING_free(ASN1_IA5STRING *);
ASN1_IA5STRING *d2i_ASN1_IA5STRING(ASN1_IA5STRING **, const unsigned char **, long);
int i2d_ASN1_IA5STRING(const ASN1_IA5STRING *, unsigned char **);
const ASN1_ITEM *ASN1_IA5STRING_it(void);

/* Integers */
ASN1_INTEGER *ASN1_INTEGER_new(void);
void ASN1_INTEGER_free(ASN1_INTEGER *);
ASN1_INTEGER *d2i_ASN1_INTEGER(ASN1_INTEGER **, const unsigned char **, long);
int i2d_ASN1_INTEGER(const ASN1_INTEGER *, unsigned char **);
const ASN1_ITEM *ASN1_INTEGER_it(void);
ASN1_INTEGER *ASN1_INTEGER_dup(const ASN1_INTEGER *);
int ASN1_INTEGER_cmp(const ASN1_INTEGER *, const ASN1_INTEGER *);
ASN1_ENUMERATED *ASN1_ENUMERATED_new(void);
void ASN1_ENUMERATED_free(ASN1_ENUMERATED *);
ASN1_ENUMERATED *d2i_ASN1_ENUMERATED(ASN1_ENUMERATED **, const unsigned char **, long);
int i2d_ASN1_ENUMERATED(const ASN1_ENUMERATED *, unsigned char **);
const ASN1_ITEM *ASN1_ENUMERATED_it(void);
int i2a_ASN1_INTEGER(BIO *, const ASN1_INTEGER *);
int ASN1_INTEGER_get_int64(int64_t *, const ASN1_INTEGER *);
int ASN1_INTEGER_set_int64(ASN1_INTEGER *, int64_t);
int ASN1_INTEGER_get_uint64(uint64_t *, const ASN1_INTEGER *);
int ASN1_INTEGER_set_uint64(ASN1_INTEGER *, uint64_t);
int ASN1_INTEGER_set(ASN1_INTEGER *, long);
long ASN1_INTEGER_get(const ASN1_INTEGER *);
ASN1_INTEGER *BN_to_ASN1_INTEGER(const BIGNUM *, ASN1_INTEGER *);
BIGNUM *ASN1_INTEGER_to_BN(const ASN1_INTEGER *, BIGNUM *);
int ASN1_ENUMERATED_get_int64(int64_t *, const ASN1_ENUMERATED *);
int ASN1_ENUMERATED_set_int64(ASN1_ENUMERATED *, int64_t);
int ASN1_ENUMERATED_set(ASN1_ENUMERATED *, long);
long ASN1_ENUMERATED_get(const ASN1_ENUMERATED *);
BIGNUM *ASN1_ENUMERATED_to_BN(const ASN1_ENUMERATED *, BIGNUM *);

/* Object identifiers */
ASN1_OBJECT *ASN1_OBJECT_new(void);
void ASN1_OBJECT_free(ASN1_OBJECT *);
ASN1_OBJECT *d2i_ASN1_OBJECT(ASN1_OBJECT **, const unsigned char **, long);
int i2d_ASN1_OBJECT(const ASN1_OBJECT *, unsigned char **);
const ASN1_ITEM *ASN1_OBJECT_it(void);
int i2a_ASN1_OBJECT(BIO *, const ASN1_OBJECT *);
int i2t_ASN1_OBJECT(char *, int, const ASN1_OBJECT *);
int a2d_ASN1_OBJECT(unsigned char *, int, const char *, int);
ASN1_OBJECT *ASN1_OBJECT_create(int, unsigned char *, int, const char *, const char *);

/* Values of any type */
ASN1_SEQUENCE_ANY *d2i_ASN1_SEQUENCE_ANY(ASN1_SEQUENCE_ANY **, const unsigned char **, long);
int i2d_ASN1_SEQUENCE_ANY(const ASN1_SEQUENCE_ANY *, unsigned char **);
const ASN1_ITEM *ASN1_SEQUENCE_ANY_it(void);
ASN1_TYPE *ASN1_TYPE_new(void);
void ASN1_TYPE_free(ASN1_TYPE *);
ASN1_TYPE *d2i_ASN1_TYPE(ASN1_TYPE **, const unsigned char **, long);
int i2d_ASN1_TYPE(const ASN1_TYPE *, unsigned char **);
int ASN1_TYPE_get(const ASN1_TYPE *);
void ASN1_TYPE_set(ASN1_TYPE *, int, void *);
int ASN1_TYPE_set1(ASN1_TYPE *, int, const void *);
int ASN1_TYPE_cmp(const ASN1_TYPE *, const ASN1_TYPE *);
ASN1_TYPE *ASN1_TYPE_pack_sequence(const ASN1_ITEM *, void *, ASN1_TYPE **);
void *ASN1_TYPE_unpack_sequence(const ASN1_ITEM *, const ASN1_TYPE *);
ASN1_NULL *ASN1_NULL_new(void);
void ASN1_NULL_free(ASN1_NULL *);
ASN1_NULL *d2i_ASN1_NULL(ASN1_NULL **, const unsigned char **, long);
int i2d_ASN1_NULL(const ASN1_NULL *, unsigned char **);
const ASN1_ITEM *ASN1_NULL_it(void);
int ASN1_get_object(const unsigned char **, long *, int *, int *, long);
void ASN1_put_object(unsigned char **, int, int, int, int);
int ASN1_put_eoc(unsigned char **);
int ASN1_object_size(int, int, int);
int ASN1_parse(BIO *, const unsigned char *, long, int);
int ASN1_parse_dump(BIO *, const unsigned char *, long, int, int);
int ASN1_TYPE_set_octetstring(ASN1_TYPE *, unsigned char *, int);
int ASN1_TYPE_get_octetstring(const ASN1_TYPE *, unsigned char *, int);
int ASN1_TYPE_set_int_octetstring(ASN1_TYPE *, long, unsigned char *, int);
int ASN1_TYPE_get_int_octetstring(const ASN1_TYPE *, long *, unsigned char *, int);
ASN1_TYPE *ASN1_generate_nconf(const char *, CONF *);
ASN1_TYPE *ASN1_generate_v3(const char *, X509V3_CTX *);

/* Time */
int ASN1_UTCTIME_check(const ASN1_UTCTIME *);
ASN1_UTCTIME *ASN1_UTCTIME_set(ASN1_UTCTIME *, time_t);
ASN1_UTCTIME *ASN1_UTCTIME_adj(ASN1_UTCTIME *, time_t, int, long);
int ASN1_UTCTIME_set_string(ASN1_UTCTIME *, const char *);
int ASN1_GENERALIZEDTIME_check(const ASN1_GENERALIZEDTIME *);
ASN1_GENERALIZEDTIME *ASN1_GENERALIZEDTIME_set(ASN1_GENERALIZEDTIME *, time_t);
ASN1_GENERALIZEDTIME *ASN1_GENERALIZEDTIME_adj(ASN1_GENERALIZEDTIME *, time_t, int, long);
int ASN1_GENERALIZEDTIME_set_string(ASN1_GENERALIZEDTIME *, const char *);
int ASN1_TIME_diff(int *, int *, const ASN1_TIME *, const ASN1_TIME *);
ASN1_UTCTIME *ASN1_UTCTIME_new(void);
void ASN1_UTCTIME_free(ASN1_UTCTIME *);
ASN1_UTCTIME *d2i_ASN1_UTCTIME(ASN1_UTCTIME **, const unsigned char **, long);
int i2d_ASN1_UTCTIME(const ASN1_UTCTIME *, unsigned char **);
const ASN1_ITEM *ASN1_UTCTIME_it(void);
ASN1_GENERALIZEDTIME *ASN1_GENERALIZEDTIME_new(void);
void ASN1_GENERALIZEDTIME_free(ASN1_GENERALIZEDTIME *);
ASN1_GENERALIZEDTIME *d2i_ASN1_GENERALIZEDTIME(ASN1_GENERALIZEDTIME **, const unsigned char **, long);
int i2d_ASN1_GENERALIZEDTIME(const ASN1_GENERALIZEDTIME *, unsigned char **);
const ASN1_ITEM *ASN1_GENERALIZEDTIME_it(void);
ASN1_TIME *ASN1_TIME_new(void);
void ASN1_TIME_free(ASN1_TIME *);
ASN1_TIME *d2i_ASN1_TIME(ASN1_TIME **, const unsigned char **, long);
int i2d_ASN1_TIME(const ASN1_TIME *, unsigned char **);
const ASN1_ITEM *ASN1_TIME_it(void);
ASN1_TIME *ASN1_TIME_dup(const ASN1_TIME *);
ASN1_UTCTIME *ASN1_UTCTIME_dup(const ASN1_UTCTIME *);
ASN1_GENERALIZEDTIME *ASN1_GENERALIZEDTIME_dup(const ASN1_GENERALIZEDTIME *);
ASN1_TIME *ASN1_TIME_set(ASN1_TIME *, time_t);
ASN1_TIME *ASN1_TIME_adj(ASN1_TIME *, time_t, int, long);
int ASN1_TIME_check(const ASN1_TIME *);
ASN1_GENERALIZEDTIME *ASN1_TIME_to_generalizedtime(const ASN1_TIME *, ASN1_GENERALIZEDTIME **);
int ASN1_TIME_set_string(ASN1_TIME *, const char *);
int ASN1_TIME_set_string_X509(ASN1_TIME *, const char *);
int ASN1_TIME_to_tm(const ASN1_TIME *, struct tm *);
int ASN1_TIME_normalize(ASN1_TIME *);
int ASN1_TIME_cmp_time_t(const ASN1_TIME *, time_t);
int ASN1_TIME_compare(const ASN1_TIME *, const ASN1_TIME *);
int ASN1_UTCTIME_print(BIO *, const ASN1_UTCTIME *);
int ASN1_GENERALIZEDTIME_print(BIO *, const ASN1_GENERALIZEDTIME *);
int ASN1_TIME_print(BIO *, const ASN1_TIME *);
int ASN1_TIME_print_ex(BIO *, const ASN1_TIME *, unsigned long);

/* Any ASN.1 item */
void *ASN1_item_dup(const ASN1_ITEM *, const void *);
int ASN1_item_sign_ex(const ASN1_ITEM *, X509_ALGOR *, X509_ALGOR *, ASN1_BIT_STRING *, const void *, const ASN1_OCTET_STRING *, EVP_PKEY *, const EVP_MD *, OSSL_LIB_CTX *, const char *);
int ASN1_item_verify_ex(const ASN1_ITEM *, const X509_ALGOR *, const ASN1_BIT_STRING *, const void *, const ASN1_OCTET_STRING *, EVP_PKEY *, OSSL_LIB_CTX *, const char *);
void *ASN1_item_d2i_bio_ex(const ASN1_ITEM *, BIO *, void *, OSSL_LIB_CTX *, const char *);
void *ASN1_item_d2i_bio(const ASN1_ITEM *, BIO *, void *);
int ASN1_item_i2d_bio(const ASN1_ITEM *, BIO *, const void *);
BIO *ASN1_item_i2d_mem_bio(const ASN1_ITEM *, const ASN1_VALUE *);
void *ASN1_item_unpack(const ASN1_STRING *, const ASN1_ITEM *);
ASN1_STRING *ASN1_item_pack(void *, const ASN1_ITEM *, ASN1_OCTET_STRING **);
ASN1_VALUE *ASN1_item_new(const ASN1_ITEM *);
ASN1_VALUE *ASN1_item_new_ex(const ASN1_ITEM *, OSSL_LIB_CTX *, const char *);
void ASN1_item_free(ASN1_VALUE *, const ASN1_ITEM *);
ASN1_VALUE *ASN1_item_d2i_ex(ASN1_VALUE **, const unsigned char **, long, const ASN1_ITEM *, OSSL_LIB_CTX *, const char *);
ASN1_VALUE *ASN1_item_d2i(ASN1_VALUE **, const unsigned char **, long, const ASN1_ITEM *);
int ASN1_item_i2d(const ASN1_VALUE *, unsigned char **, const ASN1_ITEM *);
int ASN1_item_ndef_i2d(const ASN1_VALUE *, unsigned char **, const ASN1_ITEM *);
int ASN1_item_print(BIO *, const ASN1_VALUE *, int, const ASN1_ITEM *, const ASN1_PCTX *);

/* Stacks of X509_ALGOR */
MACRO int sk_X509_ALGOR_num(const struct stack_st_X509_ALGOR *);
MACRO X509_ALGOR *sk_X509_ALGOR_value(const struct stack_st_X509_ALGOR *, int);
MACRO struct stack_st_X509_ALGOR *sk_X509_ALGOR_new_null(void);
MACRO int sk_X509_ALGOR_push(struct stack_st_X509_ALGOR *, X509_ALGOR *);
MACRO int sk_X509_ALGOR_insert(struct stack_st_X509_ALGOR *, X509_ALGOR *, int);
MACRO X509_ALGOR *sk_X509_ALGOR_set(struct stack_st_X509_ALGOR *, int, X509_ALGOR *);
MACRO X509_ALGOR *sk_X509_ALGOR_pop(struct stack_st_X509_ALGOR *);
MACRO X509_ALGOR *sk_X509_ALGOR_shift(struct stack_st_X509_ALGOR *);
MACRO X509_ALGOR *sk_X509_ALGOR_delete(struct stack_st_X509_ALGOR *, int);
MACRO void sk_X509_ALGOR_free(struct stack_st_X509_ALGOR *);
MACRO void sk_X509_ALGOR_pop_free(struct stack_st_X509_ALGOR *, sk_X509_ALGOR_freefunc);
MACRO struct stack_st_X509_ALGOR *sk_X509_ALGOR_dup(const struct stack_st_X509_ALGOR *);
MACRO struct stack_st_X509_ALGOR *sk_X509_ALGOR_deep_copy(const struct stack_st_X509_ALGOR *, sk_X509_ALGOR_copyfunc, sk_X509_ALGOR_freefunc);

/* Stacks of ASN1_TYPE */
MACRO int sk_ASN1_TYPE_num(const struct stack_st_ASN1_TYPE *);
MACRO ASN1_TYPE *sk_ASN1_TYPE_value(const struct stack_st_ASN1_TYPE *, int);
MACRO struct stack_st_ASN1_TYPE *sk_ASN1_TYPE_new_null(void);
MACRO int sk_ASN1_TYPE_push(struct stack_st_ASN1_TYPE *, ASN1_TYPE *);
MACRO int sk_ASN1_TYPE_insert(struct stack_st_ASN1_TYPE *, ASN1_TYPE *, int);
MACRO ASN1_TYPE *sk_ASN1_TYPE_set(struct stack_st_ASN1_TYPE *, int, ASN1_TYPE *);
MACRO ASN1_TYPE *sk_ASN1_TYPE_pop(struct stack_st_ASN1_TYPE *);
MACRO ASN1_TYPE *sk_ASN1_TYPE_shift(struct stack_st_ASN1_TYPE *);
MACRO ASN1_TYPE *sk_ASN1_TYPE_delete(struct stack_st_ASN1_TYPE *, int);
MACRO void sk_ASN1_TYPE_free(struct stack_st_ASN1_TYPE *);
MACRO void sk_ASN1_TYPE_pop_free(struct stack_st_ASN1_TYPE *, sk_ASN1_TYPE_freefunc);
MACRO struct stack_st_ASN1_TYPE *sk_ASN1_TYPE_dup(const struct stack_st_ASN1_TYPE *);
MACRO struct stack_st_ASN1_TYPE *sk_ASN1_TYPE_deep_copy(const struct stack_st_ASN1_TYPE *, sk_ASN1_TYPE_copyfunc, sk_ASN1_TYPE_freefunc);

/* Stacks of ASN1_OBJECT */
MACRO int sk_ASN1_OBJECT_num(const struct stack_st_ASN1_OBJECT *);
MACRO ASN1_OBJECT *sk_ASN1_OBJECT_value(const struct stack_st_ASN1_OBJECT *, int);
MACRO struct stack_st_ASN1_OBJECT *sk_ASN1_OBJECT_new_null(void);
MACRO int sk_ASN1_OBJECT_push(struct stack_st_ASN1_OBJECT *, ASN1_OBJECT *);
MACRO int sk_ASN1_OBJECT_insert(struct stack_st_ASN1_OBJECT *, ASN1_OBJECT *, int);
MACRO ASN1_OBJECT *sk_ASN1_OBJECT_set(struct stack_st_ASN1_OBJECT *, int, ASN1_OBJECT *);
MACRO ASN1_OBJECT *sk_ASN1_OBJECT_pop(struct stack_st_ASN1_OBJECT *);
MACRO ASN1_OBJECT *sk_ASN1_OBJECT_shift(struct stack_st_ASN1_OBJECT *);
MACRO ASN1_OBJECT *sk_ASN1_OBJECT_delete(struct stack_st_ASN1_OBJECT *, int);
MACRO void sk_ASN1_OBJECT_free(struct stack_st_ASN1_OBJECT *);
MACRO void sk_ASN1_OBJECT_pop_free(struct stack_st_ASN1_OBJECT *, sk_ASN1_OBJECT_freefunc);
MACRO struct stack_st_ASN1_OBJECT *sk_ASN1_OBJECT_dup(const struct stack_st_ASN1_OBJECT *);
MACRO struct stack_st_ASN1_OBJECT *sk_ASN1_OBJECT_deep_copy(const struct stack_st_ASN1_OBJECT *, sk_ASN1_OBJECT_copyfunc, sk_ASN1_OBJECT_freefunc);

/* Stacks of ASN1_INTEGER */
MACRO int sk_ASN1_INTEGER_num(const struct stack_st_ASN1_INTEGER *);
MACRO ASN1_INTEGER *sk_ASN1_INTEGER_value(const struct stack_st_ASN1_INTEGER *, int);
MACRO struct stack_st_ASN1_INTEGER *sk_ASN1_INTEGER_new_null(void);
MACRO int sk_ASN1_INTEGER_push(struct stack_st_ASN1_INTEGER *, ASN1_INTEGER *);
MACRO int sk_ASN1_INTEGER_insert(struct stack_st_ASN1_INTEGER *, ASN1_INTEGER *, int);
MACRO ASN1_INTEGER *sk_ASN1_INTEGER_set(struct stack_st_ASN1_INTEGER *, int, ASN1_INTEGER *);
MACRO ASN1_INTEGER *sk_ASN1_INTEGER_pop(struct stack_st_ASN1_INTEGER *);
MACRO ASN1_INTEGER *sk_ASN1_INTEGER_shift(struct stack_st_ASN1_INTEGER *);
MACRO ASN1_INTEGER *sk_ASN1_INTEGER_delete(struct stack_st_ASN1_INTEGER *, int);
MACRO void sk_ASN1_INTEGER_free(struct stack_st_ASN1_INTEGER *);
MACRO void sk_ASN1_INTEGER_pop_free(struct stack_st_ASN1_INTEGER *, sk_ASN1_INTEGER_freefunc);
MACRO struct stack_st_ASN1_INTEGER *sk_ASN1_INTEGER_dup(const struct stack_st_ASN1_INTEGER *);
MACRO struct stack_st_ASN1_INTEGER *sk_ASN1_INTEGER_deep_copy(const struct stack_st_ASN1_INTEGER *, sk_ASN1_INTEGER_copyfunc, sk_ASN1_INTEGER_freefunc);

/* Stacks of ASN1_UTF8STRING */
MACRO int sk_ASN1_UTF8STRING_num(const struct stack_st_ASN1_UTF8STRING *);
MACRO ASN1_UTF8STRING *sk_ASN1_UTF8STRING_value(const struct stack_st_ASN1_UTF8STRING *, int);
MACRO struct stack_st_ASN1_UTF8STRING *sk_ASN1_UTF8STRING_new_null(void);
MACRO int sk_ASN1_UTF8STRING_push(struct stack_st_ASN1_UTF8STRING *, ASN1_UTF8STRING *);
MACRO int sk_ASN1_UTF8STRING_insert(struct stack_st_ASN1_UTF8STRING *, ASN1_UTF8STRING *, int);
MACRO ASN1_UTF8STRING *sk_ASN1_UTF8STRING_set(struct stack_st_ASN1_UTF8STRING *, int, ASN1_UTF8STRING *);
MACRO ASN1_UTF8STRING *sk_ASN1_UTF8STRING_pop(struct stack_st_ASN1_UTF8STRING *);
MACRO ASN1_UTF8STRING *sk_ASN1_UTF8STRING_shift(struct stack_st_ASN1_UTF8STRING *);
MACRO ASN1_UTF8STRING *sk_ASN1_UTF8STRING_delete(struct stack_st_ASN1_UTF8STRING *, int);
MACRO void sk_ASN1_UTF8STRING_free(struct stack_st_ASN1_UTF8STRING *);
MACRO void sk_ASN1_UTF8STRING_pop_free(struct stack_st_ASN1_UTF8STRING *, sk_ASN1_UTF8STRING_freefunc);
MACRO struct stack_st_ASN1_UTF8STRING *sk_ASN1_UTF8STRING_dup(const struct stack_st_ASN1_UTF8STRING *);
MACRO struct stack_st_ASN1_UTF8STRING *sk_ASN1_UTF8STRING_deep_copy(const struct stack_st_ASN1_UTF8STRING *, sk_ASN1_UTF8STRING_copyfunc, sk_ASN1_UTF8STRING_freefunc);
