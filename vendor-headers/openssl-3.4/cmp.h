/* <openssl/cmp.h>: the client and the server of CMP; what OpenSSL 3.4 added. */

/* Types */
typedef struct ossl_cmp_crlstatus_st OSSL_CMP_CRLSTATUS;
typedef void (*sk_OSSL_CMP_CRLSTATUS_freefunc)(OSSL_CMP_CRLSTATUS *);
typedef OSSL_CMP_CRLSTATUS *(*sk_OSSL_CMP_CRLSTATUS_copyfunc)(const OSSL_CMP_CRLSTATUS *);
typedef OSSL_CRMF_ATTRIBUTETYPEANDVALUE OSSL_CMP_ATAV;
typedef struct stack_st_OSSL_CRMF_ATTRIBUTETYPEANDVALUE OSSL_CMP_ATAVS;

/* Requests */
int OSSL_CMP_get1_crlUpdate(OSSL_CMP_CTX *, const X509 *, const X509_CRL *, X509_CRL **);
int OSSL_CMP_get1_certReqTemplate(OSSL_CMP_CTX *, OSSL_CRMF_CERTTEMPLATE **, OSSL_CMP_ATAVS **);

/* General information: InfoTypeAndValue */
OSSL_CMP_ITAV *OSSL_CMP_ITAV_new0_crlStatusList(struct stack_st_OSSL_CMP_CRLSTATUS *);
int OSSL_CMP_ITAV_get0_crlStatusList(const OSSL_CMP_ITAV *, struct stack_st_OSSL_CMP_CRLSTATUS **);
OSSL_CMP_ITAV *OSSL_CMP_ITAV_new_crls(const X509_CRL *);
int OSSL_CMP_ITAV_get0_crls(const OSSL_CMP_ITAV *, struct stack_st_X509_CRL **);
OSSL_CMP_ITAV *OSSL_CMP_ITAV_new0_certReqTemplate(OSSL_CRMF_CERTTEMPLATE *, OSSL_CMP_ATAVS *);
int OSSL_CMP_ITAV_get1_certReqTemplate(const OSSL_CMP_ITAV *, OSSL_CRMF_CERTTEMPLATE **, OSSL_CMP_ATAVS **);

/* Attributes and CRL status */
OSSL_CMP_ATAVS *OSSL_CMP_ATAVS_new(void);
void OSSL_CMP_ATAVS_free(OSSL_CMP_ATAVS *);
OSSL_CMP_ATAVS *d2i_OSSL_CMP_ATAVS(OSSL_CMP_ATAVS **, const unsigned char **, long);
int i2d_OSSL_CMP_ATAVS(const OSSL_CMP_ATAVS *, unsigned char **);
const ASN1_ITEM *OSSL_CMP_ATAVS_it(void);
OSSL_CMP_CRLSTATUS *OSSL_CMP_CRLSTATUS_create(const X509_CRL *, const X509 *, int);
OSSL_CMP_CRLSTATUS *OSSL_CMP_CRLSTATUS_new1(const DIST_POINT_NAME *, const GENERAL_NAMES *, const ASN1_TIME *);
int OSSL_CMP_CRLSTATUS_get0(const OSSL_CMP_CRLSTATUS *, DIST_POINT_NAME **, GENERAL_NAMES **, ASN1_TIME **);
void OSSL_CMP_CRLSTATUS_free(OSSL_CMP_CRLSTATUS *);
OSSL_CMP_ATAV *OSSL_CMP_ATAV_create(ASN1_OBJECT *, ASN1_TYPE *);
void OSSL_CMP_ATAV_set0(OSSL_CMP_ATAV *, ASN1_OBJECT *, ASN1_TYPE *);
ASN1_OBJECT *OSSL_CMP_ATAV_get0_type(const OSSL_CMP_ATAV *);
ASN1_TYPE *OSSL_CMP_ATAV_get0_value(const OSSL_CMP_ATAV *);
OSSL_CMP_ATAV *OSSL_CMP_ATAV_new_algId(const X509_ALGOR *);
X509_ALGOR *OSSL_CMP_ATAV_get0_algId(const OSSL_CMP_ATAV *);
OSSL_CMP_ATAV *OSSL_CMP_ATAV_new_rsaKeyLen(int);
int OSSL_CMP_ATAV_get_rsaKeyLen(const OSSL_CMP_ATAV *);
int OSSL_CMP_ATAV_push1(OSSL_CMP_ATAVS **, const OSSL_CMP_ATAV *);
MACRO void OSSL_CMP_ATAV_free(OSSL_CMP_ATAV *);
MACRO int sk_OSSL_CMP_ATAV_num(const OSSL_CMP_ATAVS *);
MACRO OSSL_CMP_ATAV *sk_OSSL_CMP_ATAV_value(const OSSL_CMP_ATAVS *, int);
MACRO int sk_OSSL_CMP_ATAV_push(OSSL_CMP_ATAVS *, OSSL_CMP_ATAV *);
MACRO void sk_OSSL_CMP_ATAV_pop_free(OSSL_CMP_ATAVS *, sk_OSSL_CRMF_ATTRIBUTETYPEANDVALUE_freefunc);

/* Stacks of OSSL_CMP_CRLSTATUS */
MACRO int sk_OSSL_CMP_CRLSTATUS_num(const struct stack_st_OSSL_CMP_CRLSTATUS *);
MACRO OSSL_CMP_CRLSTATUS *sk_OSSL_CMP_CRLSTATUS_value(const struct stack_st_OSSL_CMP_CRLSTATUS *, int);
MACRO struct stack_st_OSSL_CMP_CRLSTATUS *sk_OSSL_CMP_CRLSTATUS_new_null(void);
MACRO int sk_OSSL_CMP_CRLSTATUS_push(struct stack_st_OSSL_CMP_CRLSTATUS *, OSSL_CMP_CRLSTATUS *);
MACRO int sk_OSSL_CMP_CRLSTATUS_insert(struct stack_st_OSSL_CMP_CRLSTATUS *, OSSL_CMP_CRLSTATUS *, int);
MACRO OSSL_CMP_CRLSTATUS *sk_OSSL_CMP_CRLSTATUS_set(struct stack_st_OSSL_CMP_CRLSTATUS *, int, OSSL_CMP_CRLSTATUS *);
MACRO OSSL_CMP_CRLSTATUS *sk_OSSL_CMP_CRLSTATUS_pop(struct stack_st_OSSL_CMP_CRLSTATUS *);
MACRO OSSL_CMP_CRLSTATUS *sk_OSSL_CMP_CRLSTATUS_shift(struct stack_st_OSSL_CMP_CRLSTATUS *);
MACRO OSSL_CMP_CRLSTATUS *sk_OSSL_CMP_CRLSTATUS_delete(struct stack_st_OSSL_CMP_CRLSTATUS *, int);
MACRO void sk_OSSL_CMP_CRLSTATUS_free(struct stack_st_OSSL_CMP_CRLSTATUS *);
MACRO void sk_OSSL_CMP_CRLSTATUS_pop_free(struct stack_st_OSSL_CMP_CRLSTATUS *, sk_OSSL_CMP_CRLSTATUS_freefunc);
MACRO struct stack_st_OSSL_CMP_CRLSTATUS *sk_OSSL_CMP_CRLSTATUS_dup(const struct stack_st_OSSL_CMP_CRLSTATUS *);
MACRO struct stack_st_OSSL_CMP_CRLSTATUS *sk_OSSL_CMP_CRLSTATUS_deep_copy(const struct stack_st_OSSL_CMP_CRLSTATUS *, sk_OSSL_CMP_CRLSTATUS_copyfunc, sk_OSSL_CMP_CRLSTATUS_freefunc);
