/* <openssl/x509v3.h>: extensions. */

/* Types */
typedef struct v3_ext_method X509V3_EXT_METHOD;
typedef struct BASIC_CONSTRAINTS_st BASIC_CONSTRAINTS;
typedef struct otherName_st OTHERNAME;
typedef struct GENERAL_NAME_st GENERAL_NAME;
typedef struct ACCESS_DESCRIPTION_st ACCESS_DESCRIPTION;
typedef void (*sk_ACCESS_DESCRIPTION_freefunc)(ACCESS_DESCRIPTION *);
typedef ACCESS_DESCRIPTION *(*sk_ACCESS_DESCRIPTION_copyfunc)(const ACCESS_DESCRIPTION *);
typedef void (*sk_GENERAL_NAME_freefunc)(GENERAL_NAME *);
typedef GENERAL_NAME *(*sk_GENERAL_NAME_copyfunc)(const GENERAL_NAME *);
typedef struct stack_st_ACCESS_DESCRIPTION AUTHORITY_INFO_ACCESS;
typedef struct stack_st_ASN1_OBJECT EXTENDED_KEY_USAGE;
typedef struct stack_st_GENERAL_NAME GENERAL_NAMES;
typedef void (*sk_GENERAL_NAMES_freefunc)(GENERAL_NAMES *);
typedef GENERAL_NAMES *(*sk_GENERAL_NAMES_copyfunc)(const GENERAL_NAMES *);
typedef struct DIST_POINT_NAME_st DIST_POINT_NAME;
typedef void (*sk_DIST_POINT_freefunc)(DIST_POINT *);
typedef DIST_POINT *(*sk_DIST_POINT_copyfunc)(const DIST_POINT *);
typedef struct stack_st_DIST_POINT CRL_DIST_POINTS;
typedef struct POLICYQUALINFO_st POLICYQUALINFO;
typedef void (*sk_POLICYQUALINFO_freefunc)(POLICYQUALINFO *);
typedef POLICYQUALINFO *(*sk_POLICYQUALINFO_copyfunc)(const POLICYQUALINFO *);
typedef struct POLICYINFO_st POLICYINFO;
typedef void (*sk_POLICYINFO_freefunc)(POLICYINFO *);
typedef POLICYINFO *(*sk_POLICYINFO_copyfunc)(const POLICYINFO *);
typedef struct stack_st_POLICYINFO CERTIFICATEPOLICIES;
typedef struct x509_purpose_st X509_PURPOSE;

/* Kinds of general name */
#define GEN_OTHERNAME ...
#define GEN_EMAIL ...
#define GEN_DNS ...
#define GEN_X400 ...
#define GEN_DIRNAME ...
#define GEN_EDIPARTY ...
#define GEN_URI ...
#define GEN_IPADD ...
#define GEN_RID ...

/* Key usage */
#define KU_DIGITAL_SIGNATURE ...
#define KU_NON_REPUDIATION ...
#define KU_KEY_ENCIPHERMENT ...
#define KU_DATA_ENCIPHERMENT ...
#define KU_KEY_AGREEMENT ...
#define KU_KEY_CERT_SIGN ...
#define KU_CRL_SIGN ...
#define KU_ENCIPHER_ONLY ...
#define KU_DECIPHER_ONLY ...

/* Extended key usage */
#define XKU_SSL_SERVER ...
#define XKU_SSL_CLIENT ...
#define XKU_SMIME ...
#define XKU_CODE_SIGN ...
#define XKU_SGC ...
#define XKU_OCSP_SIGN ...
#define XKU_TIMESTAMP ...
#define XKU_DVCS ...
#define XKU_ANYEKU ...

/* What was found in a certificate */
#define EXFLAG_BCONS ...
#define EXFLAG_KUSAGE ...
#define EXFLAG_XKUSAGE ...
#define EXFLAG_NSCERT ...
#define EXFLAG_CA ...
#define EXFLAG_SI ...
#define EXFLAG_V1 ...
#define EXFLAG_INVALID ...
#define EXFLAG_SET ...
#define EXFLAG_CRITICAL ...
#define EXFLAG_PROXY ...
#define EXFLAG_INVALID_POLICY ...
#define EXFLAG_FRESHEST ...
#define EXFLAG_SS ...
#define EXFLAG_NO_FINGERPRINT ...
#define EXFLAG_BCONS_CRITICAL ...
#define EXFLAG_AKID_CRITICAL ...
#define EXFLAG_SKID_CRITICAL ...
#define EXFLAG_SAN_CRITICAL ...

/* Revocation reasons */
#define CRL_REASON_NONE ...
#define CRL_REASON_UNSPECIFIED ...
#define CRL_REASON_KEY_COMPROMISE ...
#define CRL_REASON_CA_COMPROMISE ...
#define CRL_REASON_AFFILIATION_CHANGED ...
#define CRL_REASON_SUPERSEDED ...
#define CRL_REASON_CESSATION_OF_OPERATION ...
#define CRL_REASON_CERTIFICATE_HOLD ...
#define CRL_REASON_REMOVE_FROM_CRL ...
#define CRL_REASON_PRIVILEGE_WITHDRAWN ...
#define CRL_REASON_AA_COMPROMISE ...

/* Purposes */
#define X509_PURPOSE_DYNAMIC ...
#define X509_PURPOSE_DYNAMIC_NAME ...
#define X509_PURPOSE_SSL_CLIENT ...
#define X509_PURPOSE_SSL_SERVER ...
#define X509_PURPOSE_NS_SSL_SERVER ...
#define X509_PURPOSE_SMIME_SIGN ...
#define X509_PURPOSE_SMIME_ENCRYPT ...
#define X509_PURPOSE_CRL_SIGN ...
#define X509_PURPOSE_ANY ...
#define X509_PURPOSE_OCSP_HELPER ...
#define X509_PURPOSE_TIMESTAMP_SIGN ...
#define X509_PURPOSE_MIN ...
#define X509_PURPOSE_MAX ...

/* Checks of names */
#define X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT ...
#define X509_CHECK_FLAG_NO_WILDCARDS ...
#define X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS ...
#define X509_CHECK_FLAG_MULTI_LABEL_WILDCARDS ...
#define X509_CHECK_FLAG_SINGLE_LABEL_SUBDOMAINS ...
#define X509_CHECK_FLAG_NEVER_CHECK_SUBJECT ...

/* Extensions */
#define X509V3_CTX_TEST ...
#define X509V3_CTX_REPLACE ...
#define X509V3_EXT_DYNAMIC ...
#define X509V3_EXT_CTX_DEP ...
#define X509V3_EXT_MULTILINE ...
#define X509V3_EXT_UNKNOWN_MASK ...
#define X509V3_EXT_DEFAULT ...
#define X509V3_EXT_ERROR_UNKNOWN ...
#define X509V3_EXT_PARSE_UNKNOWN ...
#define X509V3_EXT_DUMP_UNKNOWN ...
#define X509V3_ADD_OP_MASK ...
#define X509V3_ADD_DEFAULT ...
#define X509V3_ADD_APPEND ...
#define X509V3_ADD_REPLACE ...
#define X509V3_ADD_REPLACE_EXISTING ...
#define X509V3_ADD_KEEP_EXISTING ...
#define X509V3_ADD_DELETE ...
#define X509V3_ADD_SILENT ...

/* General names */
GENERAL_NAME *GENERAL_NAME_new(void);
void GENERAL_NAME_free(GENERAL_NAME *);
GENERAL_NAME *d2i_GENERAL_NAME(GENERAL_NAME **, const unsigned char **, long);
int i2d_GENERAL_NAME(const GENERAL_NAME *, unsigned char **);
const ASN1_ITEM *GENERAL_NAME_it(void);
GENERAL_NAME *GENERAL_NAME_dup(const GENERAL_NAME *);
int GENERAL_NAME_cmp(GENERAL_NAME *, GENERAL_NAME *);
struct stack_st_CONF_VALUE *i2v_GENERAL_NAME(X509V3_EXT_METHOD *, GENERAL_NAME *, struct stack_st_CONF_VALUE *);
int GENERAL_NAME_print(BIO *, GENERAL_NAME *);
GENERAL_NAMES *GENERAL_NAMES_new(void);
void GENERAL_NAMES_free(GENERAL_NAMES *);
GENERAL_NAMES *d2i_GENERAL_NAMES(GENERAL_NAMES **, const unsigned char **, long);
int i2d_GENERAL_NAMES(const GENERAL_NAMES *, unsigned char **);
const ASN1_ITEM *GENERAL_NAMES_it(void);
struct stack_st_CONF_VALUE *i2v_GENERAL_NAMES(X509V3_EXT_METHOD *, GENERAL_NAMES *, struct stack_st_CONF_VALUE *);
GENERAL_NAMES *v2i_GENERAL_NAMES(const X509V3_EXT_METHOD *, X509V3_CTX *, struct stack_st_CONF_VALUE *);
OTHERNAME *OTHERNAME_new(void);
void OTHERNAME_free(OTHERNAME *);
OTHERNAME *d2i_OTHERNAME(OTHERNAME **, const unsigned char **, long);
int i2d_OTHERNAME(const OTHERNAME *, unsigned char **);
const ASN1_ITEM *OTHERNAME_it(void);
void GENERAL_NAME_set0_value(GENERAL_NAME *, int, void *);
void *GENERAL_NAME_get0_value(const GENERAL_NAME *, int *);
int GENERAL_NAME_set0_othername(GENERAL_NAME *, ASN1_OBJECT *, ASN1_TYPE *);
int GENERAL_NAME_get0_otherName(const GENERAL_NAME *, ASN1_OBJECT **, ASN1_TYPE **);
GENERAL_NAME *a2i_GENERAL_NAME(GENERAL_NAME *, const X509V3_EXT_METHOD *, X509V3_CTX *, int, const char *, int);
GENERAL_NAME *v2i_GENERAL_NAME(const X509V3_EXT_METHOD *, X509V3_CTX *, CONF_VALUE *);
GENERAL_NAME *v2i_GENERAL_NAME_ex(GENERAL_NAME *, const X509V3_EXT_METHOD *, X509V3_CTX *, CONF_VALUE *, int);
ASN1_OCTET_STRING *a2i_IPADDRESS(const char *);
ASN1_OCTET_STRING *a2i_IPADDRESS_NC(const char *);

/* Values of extensions */
BASIC_CONSTRAINTS *BASIC_CONSTRAINTS_new(void);
void BASIC_CONSTRAINTS_free(BASIC_CONSTRAINTS *);
BASIC_CONSTRAINTS *d2i_BASIC_CONSTRAINTS(BASIC_CONSTRAINTS **, const unsigned char **, long);
int i2d_BASIC_CONSTRAINTS(const BASIC_CONSTRAINTS *, unsigned char **);
const ASN1_ITEM *BASIC_CONSTRAINTS_it(void);
AUTHORITY_KEYID *AUTHORITY_KEYID_new(void);
void AUTHORITY_KEYID_free(AUTHORITY_KEYID *);
AUTHORITY_KEYID *d2i_AUTHORITY_KEYID(AUTHORITY_KEYID **, const unsigned char **, long);
int i2d_AUTHORITY_KEYID(const AUTHORITY_KEYID *, unsigned char **);
const ASN1_ITEM *AUTHORITY_KEYID_it(void);
char *i2s_ASN1_OCTET_STRING(X509V3_EXT_METHOD *, const ASN1_OCTET_STRING *);
ASN1_OCTET_STRING *s2i_ASN1_OCTET_STRING(X509V3_EXT_METHOD *, X509V3_CTX *, const char *);
EXTENDED_KEY_USAGE *EXTENDED_KEY_USAGE_new(void);
void EXTENDED_KEY_USAGE_free(EXTENDED_KEY_USAGE *);
EXTENDED_KEY_USAGE *d2i_EXTENDED_KEY_USAGE(EXTENDED_KEY_USAGE **, const unsigned char **, long);
int i2d_EXTENDED_KEY_USAGE(const EXTENDED_KEY_USAGE *, unsigned char **);
const ASN1_ITEM *EXTENDED_KEY_USAGE_it(void);
CERTIFICATEPOLICIES *CERTIFICATEPOLICIES_new(void);
void CERTIFICATEPOLICIES_free(CERTIFICATEPOLICIES *);
CERTIFICATEPOLICIES *d2i_CERTIFICATEPOLICIES(CERTIFICATEPOLICIES **, const unsigned char **, long);
int i2d_CERTIFICATEPOLICIES(const CERTIFICATEPOLICIES *, unsigned char **);
const ASN1_ITEM *CERTIFICATEPOLICIES_it(void);
POLICYINFO *POLICYINFO_new(void);
void POLICYINFO_free(POLICYINFO *);
POLICYINFO *d2i_POLICYINFO(POLICYINFO **, const unsigned char **, long);
int i2d_POLICYINFO(const POLICYINFO *, unsigned char **);
const ASN1_ITEM *POLICYINFO_it(void);
POLICYQUALINFO *POLICYQUALINFO_new(void);
void POLICYQUALINFO_free(POLICYQUALINFO *);
POLICYQUALINFO *d2i_POLICYQUALINFO(POLICYQUALINFO **, const unsigned char **, long);
int i2d_POLICYQUALINFO(const POLICYQUALINFO *, unsigned char **);
const ASN1_ITEM *POLICYQUALINFO_it(void);
CRL_DIST_POINTS *CRL_DIST_POINTS_new(void);
void CRL_DIST_POINTS_free(CRL_DIST_POINTS *);
CRL_DIST_POINTS *d2i_CRL_DIST_POINTS(CRL_DIST_POINTS **, const unsigned char **, long);
int i2d_CRL_DIST_POINTS(const CRL_DIST_POINTS *, unsigned char **);
const ASN1_ITEM *CRL_DIST_POINTS_it(void);
DIST_POINT *DIST_POINT_new(void);
void DIST_POINT_free(DIST_POINT *);
DIST_POINT *d2i_DIST_POINT(DIST_POINT **, const unsigned char **, long);
int i2d_DIST_POINT(const DIST_POINT *, unsigned char **);
const ASN1_ITEM *DIST_POINT_it(void);
DIST_POINT_NAME *DIST_POINT_NAME_new(void);
void DIST_POINT_NAME_free(DIST_POINT_NAME *);
DIST_POINT_NAME *d2i_DIST_POINT_NAME(DIST_POINT_NAME **, const unsigned char **, long);
int i2d_DIST_POINT_NAME(const DIST_POINT_NAME *, unsigned char **);
const ASN1_ITEM *DIST_POINT_NAME_it(void);
ISSUING_DIST_POINT *ISSUING_DIST_POINT_new(void);
void ISSUING_DIST_POINT_free(ISSUING_DIST_POINT *);
ISSUING_DIST_POINT *d2i_ISSUING_DIST_POINT(ISSUING_DIST_POINT **, const unsigned char **, long);
int i2d_ISSUING_DIST_POINT(const ISSUING_DIST_POINT *, unsigned char **);
const ASN1_ITEM *ISSUING_DIST_POINT_it(void);
int DIST_POINT_set_dpname(DIST_POINT_NAME *, const X509_NAME *);
ACCESS_DESCRIPTION *ACCESS_DESCRIPTION_new(void);
void ACCESS_DESCRIPTION_free(ACCESS_DESCRIPTION *);
ACCESS_DESCRIPTION *d2i_ACCESS_DESCRIPTION(ACCESS_DESCRIPTION **, const unsigned char **, long);
int i2d_ACCESS_DESCRIPTION(const ACCESS_DESCRIPTION *, unsigned char **);
const ASN1_ITEM *ACCESS_DESCRIPTION_it(void);
AUTHORITY_INFO_ACCESS *AUTHORITY_INFO_ACCESS_new(void);
void AUTHORITY_INFO_ACCESS_free(AUTHORITY_INFO_ACCESS *);
AUTHORITY_INFO_ACCESS *d2i_AUTHORITY_INFO_ACCESS(AUTHORITY_INFO_ACCESS **, const unsigned char **, long);
int i2d_AUTHORITY_INFO_ACCESS(const AUTHORITY_INFO_ACCESS *, unsigned char **);
const ASN1_ITEM *AUTHORITY_INFO_ACCESS_it(void);
const ASN1_ITEM *NAME_CONSTRAINTS_it(void);
NAME_CONSTRAINTS *NAME_CONSTRAINTS_new(void);
void NAME_CONSTRAINTS_free(NAME_CONSTRAINTS *);
char *i2s_ASN1_INTEGER(X509V3_EXT_METHOD *, const ASN1_INTEGER *);
ASN1_INTEGER *s2i_ASN1_INTEGER(X509V3_EXT_METHOD *, const char *);
char *i2s_ASN1_ENUMERATED(X509V3_EXT_METHOD *, const ASN1_ENUMERATED *);

/* Extensions from configuration files */
void X509V3_conf_free(CONF_VALUE *);
X509_EXTENSION *X509V3_EXT_nconf_nid(CONF *, X509V3_CTX *, int, const char *);
X509_EXTENSION *X509V3_EXT_nconf(CONF *, X509V3_CTX *, const char *, const char *);
int X509V3_EXT_add_nconf_sk(CONF *, X509V3_CTX *, const char *, struct stack_st_X509_EXTENSION **);
int X509V3_EXT_add_nconf(CONF *, X509V3_CTX *, const char *, X509 *);
int X509V3_EXT_REQ_add_nconf(CONF *, X509V3_CTX *, const char *, X509_REQ *);
int X509V3_EXT_CRL_add_nconf(CONF *, X509V3_CTX *, const char *, X509_CRL *);
X509_EXTENSION *X509V3_EXT_conf_nid(struct lhash_st_CONF_VALUE *, X509V3_CTX *, int, const char *);
X509_EXTENSION *X509V3_EXT_conf(struct lhash_st_CONF_VALUE *, X509V3_CTX *, const char *, const char *);
void X509V3_set_nconf(X509V3_CTX *, CONF *);
char *X509V3_get_string(X509V3_CTX *, const char *, const char *);
struct stack_st_CONF_VALUE *X509V3_get_section(X509V3_CTX *, const char *);
void X509V3_string_free(X509V3_CTX *, char *);
void X509V3_section_free(X509V3_CTX *, struct stack_st_CONF_VALUE *);
void X509V3_set_ctx(X509V3_CTX *, X509 *, X509 *, X509_REQ *, X509_CRL *, int);
int X509V3_set_issuer_pkey(X509V3_CTX *, EVP_PKEY *);
int X509V3_add_value(const char *, const char *, struct stack_st_CONF_VALUE **);
struct stack_st_CONF_VALUE *X509V3_parse_list(const char *);
int X509V3_NAME_from_section(X509_NAME *, struct stack_st_CONF_VALUE *, unsigned long);
MACRO void X509V3_set_ctx_test(X509V3_CTX *);
MACRO void X509V3_set_ctx_nodb(X509V3_CTX *);

/* Extensions to and from values */
const X509V3_EXT_METHOD *X509V3_EXT_get_nid(int);
void *X509V3_EXT_d2i(CONST_SINCE_4_0 X509_EXTENSION *);
void *X509V3_get_d2i(const struct stack_st_X509_EXTENSION *, int, int *, int *);
X509_EXTENSION *X509V3_EXT_i2d(int, int, void *);
int X509V3_add1_i2d(struct stack_st_X509_EXTENSION **, int, void *, int, unsigned long);
void X509V3_EXT_val_prn(BIO *, struct stack_st_CONF_VALUE *, int, int);
int X509V3_EXT_print(BIO *, CONST_SINCE_4_0 X509_EXTENSION *, unsigned long, int);
int X509V3_extensions_print(BIO *, const char *, const struct stack_st_X509_EXTENSION *, unsigned long, int);
int X509_supported_extension(CONST_SINCE_4_0 X509_EXTENSION *);

/* What a certificate says */
int X509_check_ca(CONST_SINCE_4_0 X509 *);
int X509_check_purpose(CONST_SINCE_4_0 X509 *, int, int);
int X509_check_issued(CONST_SINCE_4_0 X509 *, CONST_SINCE_4_0 X509 *);
int X509_check_akid(const X509 *, const AUTHORITY_KEYID *);
long X509_get_proxy_pathlen(CONST_SINCE_4_0 X509 *);
uint32_t X509_get_extension_flags(CONST_SINCE_4_0 X509 *);
uint32_t X509_get_key_usage(CONST_SINCE_4_0 X509 *);
uint32_t X509_get_extended_key_usage(CONST_SINCE_4_0 X509 *);
const ASN1_OCTET_STRING *X509_get0_subject_key_id(CONST_SINCE_4_0 X509 *);
const ASN1_OCTET_STRING *X509_get0_authority_key_id(CONST_SINCE_4_0 X509 *);
const GENERAL_NAMES *X509_get0_authority_issuer(CONST_SINCE_4_0 X509 *);
const ASN1_INTEGER *X509_get0_authority_serial(CONST_SINCE_4_0 X509 *);
struct stack_st_OPENSSL_STRING *X509_get1_email(CONST_SINCE_4_0 X509 *);
struct stack_st_OPENSSL_STRING *X509_REQ_get1_email(CONST_SINCE_4_0 X509_REQ *);
void X509_email_free(struct stack_st_OPENSSL_STRING *);
struct stack_st_OPENSSL_STRING *X509_get1_ocsp(CONST_SINCE_4_0 X509 *);
int X509_check_host(CONST_SINCE_4_0 X509 *, const char *, size_t, unsigned int, char **);
int X509_check_email(CONST_SINCE_4_0 X509 *, const char *, size_t, unsigned int);
int X509_check_ip(CONST_SINCE_4_0 X509 *, const unsigned char *, size_t, unsigned int);
int X509_check_ip_asc(CONST_SINCE_4_0 X509 *, const char *, unsigned int);

/* Purposes */
int X509_PURPOSE_get_count(void);
int X509_PURPOSE_get_by_sname(const char *);
int X509_PURPOSE_get_by_id(int);
X509_PURPOSE *X509_PURPOSE_get0(int);
int X509_PURPOSE_get_id(const X509_PURPOSE *);
char *X509_PURPOSE_get0_name(const X509_PURPOSE *);
char *X509_PURPOSE_get0_sname(const X509_PURPOSE *);
int X509_PURPOSE_get_trust(const X509_PURPOSE *);
int X509_PURPOSE_set(int *, int);

/* Stacks of ACCESS_DESCRIPTION */
MACRO int sk_ACCESS_DESCRIPTION_num(const struct stack_st_ACCESS_DESCRIPTION *);
MACRO ACCESS_DESCRIPTION *sk_ACCESS_DESCRIPTION_value(const struct stack_st_ACCESS_DESCRIPTION *, int);
MACRO struct stack_st_ACCESS_DESCRIPTION *sk_ACCESS_DESCRIPTION_new_null(void);
MACRO int sk_ACCESS_DESCRIPTION_push(struct stack_st_ACCESS_DESCRIPTION *, ACCESS_DESCRIPTION *);
MACRO int sk_ACCESS_DESCRIPTION_insert(struct stack_st_ACCESS_DESCRIPTION *, ACCESS_DESCRIPTION *, int);
MACRO ACCESS_DESCRIPTION *sk_ACCESS_DESCRIPTION_set(struct stack_st_ACCESS_DESCRIPTION *, int, ACCESS_DESCRIPTION *);
MACRO ACCESS_DESCRIPTION *sk_ACCESS_DESCRIPTION_pop(struct stack_st_ACCESS_DESCRIPTION *);
MACRO ACCESS_DESCRIPTION *sk_ACCESS_DESCRIPTION_shift(struct stack_st_ACCESS_DESCRIPTION *);
MACRO ACCESS_DESCRIPTION *sk_ACCESS_DESCRIPTION_delete(struct stack_st_ACCESS_DESCRIPTION *, int);
MACRO void sk_ACCESS_DESCRIPTION_free(struct stack_st_ACCESS_DESCRIPTION *);
MACRO void sk_ACCESS_DESCRIPTION_pop_free(struct stack_st_ACCESS_DESCRIPTION *, sk_ACCESS_DESCRIPTION_freefunc);
MACRO struct stack_st_ACCESS_DESCRIPTION *sk_ACCESS_DESCRIPTION_dup(const struct stack_st_ACCESS_DESCRIPTION *);
MACRO struct stack_st_ACCESS_DESCRIPTION *sk_ACCESS_DESCRIPTION_deep_copy(const struct stack_st_ACCESS_DESCRIPTION *, sk_ACCESS_DESCRIPTION_copyfunc, sk_ACCESS_DESCRIPTION_freefunc);

/* Stacks of GENERAL_NAME */
MACRO int sk_GENERAL_NAME_num(const struct stack_st_GENERAL_NAME *);
MACRO GENERAL_NAME *sk_GENERAL_NAME_value(const struct stack_st_GENERAL_NAME *, int);
MACRO struct stack_st_GENERAL_NAME *sk_GENERAL_NAME_new_null(void);
MACRO int sk_GENERAL_NAME_push(struct stack_st_GENERAL_NAME *, GENERAL_NAME *);
MACRO int sk_GENERAL_NAME_insert(struct stack_st_GENERAL_NAME *, GENERAL_NAME *, int);
MACRO GENERAL_NAME *sk_GENERAL_NAME_set(struct stack_st_GENERAL_NAME *, int, GENERAL_NAME *);
MACRO GENERAL_NAME *sk_GENERAL_NAME_pop(struct stack_st_GENERAL_NAME *);
MACRO GENERAL_NAME *sk_GENERAL_NAME_shift(struct stack_st_GENERAL_NAME *);
MACRO GENERAL_NAME *sk_GENERAL_NAME_delete(struct stack_st_GENERAL_NAME *, int);
MACRO void sk_GENERAL_NAME_free(struct stack_st_GENERAL_NAME *);
MACRO void sk_GENERAL_NAME_pop_free(struct stack_st_GENERAL_NAME *, sk_GENERAL_NAME_freefunc);
MACRO struct stack_st_GENERAL_NAME *sk_GENERAL_NAME_dup(const struct stack_st_GENERAL_NAME *);
MACRO struct stack_st_GENERAL_NAME *sk_GENERAL_NAME_deep_copy(const struct stack_st_GENERAL_NAME *, sk_GENERAL_NAME_copyfunc, sk_GENERAL_NAME_freefunc);

/* Stacks of GENERAL_NAMES */
MACRO int sk_GENERAL_NAMES_num(const struct stack_st_GENERAL_NAMES *);
MACRO GENERAL_NAMES *sk_GENERAL_NAMES_value(const struct stack_st_GENERAL_NAMES *, int);
MACRO struct stack_st_GENERAL_NAMES *sk_GENERAL_NAMES_new_null(void);
MACRO int sk_GENERAL_NAMES_push(struct stack_st_GENERAL_NAMES *, GENERAL_NAMES *);
MACRO int sk_GENERAL_NAMES_insert(struct stack_st_GENERAL_NAMES *, GENERAL_NAMES *, int);
MACRO GENERAL_NAMES *sk_GENERAL_NAMES_set(struct stack_st_GENERAL_NAMES *, int, GENERAL_NAMES *);
MACRO GENERAL_NAMES *sk_GENERAL_NAMES_pop(struct stack_st_GENERAL_NAMES *);
MACRO GENERAL_NAMES *sk_GENERAL_NAMES_shift(struct stack_st_GENERAL_NAMES *);
MACRO GENERAL_NAMES *sk_GENERAL_NAMES_delete(struct stack_st_GENERAL_NAMES *, int);
MACRO void sk_GENERAL_NAMES_free(struct stack_st_GENERAL_NAMES *);
MACRO void sk_GENERAL_NAMES_pop_free(struct stack_st_GENERAL_NAMES *, sk_GENERAL_NAMES_freefunc);
MACRO struct stack_st_GENERAL_NAMES *sk_GENERAL_NAMES_dup(const struct stack_st_GENERAL_NAMES *);
MACRO struct stack_st_GENERAL_NAMES *sk_GENERAL_NAMES_deep_copy(const struct stack_st_GENERAL_NAMES *, sk_GENERAL_NAMES_copyfunc, sk_GENERAL_NAMES_freefunc);

/* Stacks of DIST_POINT */
MACRO int sk_DIST_POINT_num(const struct stack_st_DIST_POINT *);
MACRO DIST_POINT *sk_DIST_POINT_value(const struct stack_st_DIST_POINT *, int);
MACRO struct stack_st_DIST_POINT *sk_DIST_POINT_new_null(void);
MACRO int sk_DIST_POINT_push(struct stack_st_DIST_POINT *, DIST_POINT *);
MACRO int sk_DIST_POINT_insert(struct stack_st_DIST_POINT *, DIST_POINT *, int);
MACRO DIST_POINT *sk_DIST_POINT_set(struct stack_st_DIST_POINT *, int, DIST_POINT *);
MACRO DIST_POINT *sk_DIST_POINT_pop(struct stack_st_DIST_POINT *);
MACRO DIST_POINT *sk_DIST_POINT_shift(struct stack_st_DIST_POINT *);
MACRO DIST_POINT *sk_DIST_POINT_delete(struct stack_st_DIST_POINT *, int);
MACRO void sk_DIST_POINT_free(struct stack_st_DIST_POINT *);
MACRO void sk_DIST_POINT_pop_free(struct stack_st_DIST_POINT *, sk_DIST_POINT_freefunc);
MACRO struct stack_st_DIST_POINT *sk_DIST_POINT_dup(const struct stack_st_DIST_POINT *);
MACRO struct stack_st_DIST_POINT *sk_DIST_POINT_deep_copy(const struct stack_st_DIST_POINT *, sk_DIST_POINT_copyfunc, sk_DIST_POINT_freefunc);

/* Stacks of POLICYQUALINFO */
MACRO int sk_POLICYQUALINFO_num(const struct stack_st_POLICYQUALINFO *);
MACRO POLICYQUALINFO *sk_POLICYQUALINFO_value(const struct stack_st_POLICYQUALINFO *, int);
MACRO struct stack_st_POLICYQUALINFO *sk_POLICYQUALINFO_new_null(void);
MACRO int sk_POLICYQUALINFO_push(struct stack_st_POLICYQUALINFO *, POLICYQUALINFO *);
MACRO int sk_POLICYQUALINFO_insert(struct stack_st_POLICYQUALINFO *, POLICYQUALINFO *, int);
MACRO POLICYQUALINFO *sk_POLICYQUALINFO_set(struct stack_st_POLICYQUALINFO *, int, POLICYQUALINFO *);
MACRO POLICYQUALINFO *sk_POLICYQUALINFO_pop(struct stack_st_POLICYQUALINFO *);
MACRO POLICYQUALINFO *sk_POLICYQUALINFO_shift(struct stack_st_POLICYQUALINFO *);
MACRO POLICYQUALINFO *sk_POLICYQUALINFO_delete(struct stack_st_POLICYQUALINFO *, int);
MACRO void sk_POLICYQUALINFO_free(struct stack_st_POLICYQUALINFO *);
MACRO void sk_POLICYQUALINFO_pop_free(struct stack_st_POLICYQUALINFO *, sk_POLICYQUALINFO_freefunc);
MACRO struct stack_st_POLICYQUALINFO *sk_POLICYQUALINFO_dup(const struct stack_st_POLICYQUALINFO *);
MACRO struct stack_st_POLICYQUALINFO *sk_POLICYQUALINFO_deep_copy(const struct stack_st_POLICYQUALINFO *, sk_POLICYQUALINFO_copyfunc, sk_POLICYQUALINFO_freefunc);

/* Stacks of POLICYINFO */
MACRO int sk_POLICYINFO_num(const struct stack_st_POLICYINFO *);
MACRO POLICYINFO *sk_POLICYINFO_value(const struct stack_st_POLICYINFO *, int);
MACRO struct stack_st_POLICYINFO *sk_POLICYINFO_new_null(void);
MACRO int sk_POLICYINFO_push(struct stack_st_POLICYINFO *, POLICYINFO *);
MACRO int sk_POLICYINFO_insert(struct stack_st_POLICYINFO *, POLICYINFO *, int);
MACRO POLICYINFO *sk_POLICYINFO_set(struct stack_st_POLICYINFO *, int, POLICYINFO *);
MACRO POLICYINFO *sk_POLICYINFO_pop(struct stack_st_POLICYINFO *);
MACRO POLICYINFO *sk_POLICYINFO_shift(struct stack_st_POLICYINFO *);
MACRO POLICYINFO *sk_POLICYINFO_delete(struct stack_st_POLICYINFO *, int);
MACRO void sk_POLICYINFO_free(struct stack_st_POLICYINFO *);
MACRO void sk_POLICYINFO_pop_free(struct stack_st_POLICYINFO *, sk_POLICYINFO_freefunc);
MACRO struct stack_st_POLICYINFO *sk_POLICYINFO_dup(const struct stack_st_POLICYINFO *);
MACRO struct stack_st_POLICYINFO *sk_POLICYINFO_deep_copy(const struct stack_st_POLICYINFO *, sk_POLICYINFO_copyfunc, sk_POLICYINFO_freefunc);
