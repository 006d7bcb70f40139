/* <openssl/x509.h>: certificates, requests, CRLs and names. */

/* Types */
typedef void (*sk_X509_NAME_freefunc)(X509_NAME *);
typedef X509_NAME *(*sk_X509_NAME_copyfunc)(const X509_NAME *);
typedef void (*sk_X509_freefunc)(X509 *);
typedef X509 *(*sk_X509_copyfunc)(const X509 *);
typedef void (*sk_X509_REVOKED_freefunc)(X509_REVOKED *);
typedef X509_REVOKED *(*sk_X509_REVOKED_copyfunc)(const X509_REVOKED *);
typedef void (*sk_X509_CRL_freefunc)(X509_CRL *);
typedef X509_CRL *(*sk_X509_CRL_copyfunc)(const X509_CRL *);
typedef struct X509_sig_st X509_SIG;
typedef struct X509_name_entry_st X509_NAME_ENTRY;
typedef void (*sk_X509_NAME_ENTRY_freefunc)(X509_NAME_ENTRY *);
typedef X509_NAME_ENTRY *(*sk_X509_NAME_ENTRY_copyfunc)(const X509_NAME_ENTRY *);
typedef struct X509_extension_st X509_EXTENSION;
typedef void (*sk_X509_EXTENSION_freefunc)(X509_EXTENSION *);
typedef X509_EXTENSION *(*sk_X509_EXTENSION_copyfunc)(const X509_EXTENSION *);
typedef struct stack_st_X509_EXTENSION X509_EXTENSIONS;
typedef struct x509_attributes_st X509_ATTRIBUTE;
typedef void (*sk_X509_ATTRIBUTE_freefunc)(X509_ATTRIBUTE *);
typedef X509_ATTRIBUTE *(*sk_X509_ATTRIBUTE_copyfunc)(const X509_ATTRIBUTE *);
typedef struct X509_req_st X509_REQ;
typedef struct X509_info_st { X509 *x509; X509_CRL *crl; ...; } X509_INFO;
typedef void (*sk_X509_INFO_freefunc)(X509_INFO *);
typedef X509_INFO *(*sk_X509_INFO_copyfunc)(const X509_INFO *);

/* How names are printed */
#define XN_FLAG_SEP_MASK ...
#define XN_FLAG_COMPAT ...
#define XN_FLAG_SEP_COMMA_PLUS ...
#define XN_FLAG_SEP_CPLUS_SPC ...
#define XN_FLAG_SEP_SPLUS_SPC ...
#define XN_FLAG_SEP_MULTILINE ...
#define XN_FLAG_DN_REV ...
#define XN_FLAG_FN_MASK ...
#define XN_FLAG_FN_SN ...
#define XN_FLAG_FN_LN ...
#define XN_FLAG_FN_OID ...
#define XN_FLAG_FN_NONE ...
#define XN_FLAG_SPC_EQ ...
#define XN_FLAG_DUMP_UNKNOWN_FIELDS ...
#define XN_FLAG_FN_ALIGN ...
#define XN_FLAG_RFC2253 ...
#define XN_FLAG_ONELINE ...
#define XN_FLAG_MULTILINE ...

/* How certificates are printed */
#define X509_FLAG_COMPAT ...
#define X509_FLAG_NO_HEADER ...
#define X509_FLAG_NO_VERSION ...
#define X509_FLAG_NO_SERIAL ...
#define X509_FLAG_NO_SIGNAME ...
#define X509_FLAG_NO_ISSUER ...
#define X509_FLAG_NO_VALIDITY ...
#define X509_FLAG_NO_SUBJECT ...
#define X509_FLAG_NO_PUBKEY ...
#define X509_FLAG_NO_EXTENSIONS ...
#define X509_FLAG_NO_SIGDUMP ...
#define X509_FLAG_NO_AUX ...
#define X509_FLAG_NO_ATTRIBUTES ...
#define X509_FLAG_NO_IDS ...
#define X509_FLAG_EXTENSIONS_ONLY_KID ...

/* Versions */
#define X509_VERSION_1 ...
#define X509_VERSION_2 ...
#define X509_VERSION_3 ...
#define X509_REQ_VERSION_1 ...
#define X509_CRL_VERSION_1 ...
#define X509_CRL_VERSION_2 ...

/* Adding to a list */
#define X509_ADD_FLAG_DEFAULT ...
#define X509_ADD_FLAG_UP_REF ...
#define X509_ADD_FLAG_PREPEND ...
#define X509_ADD_FLAG_NO_DUP ...
#define X509_ADD_FLAG_NO_SS ...

/* Key usage */
#define X509v3_KU_DIGITAL_SIGNATURE ...
#define X509v3_KU_NON_REPUDIATION ...
#define X509v3_KU_KEY_ENCIPHERMENT ...
#define X509v3_KU_DATA_ENCIPHERMENT ...
#define X509v3_KU_KEY_AGREEMENT ...
#define X509v3_KU_KEY_CERT_SIGN ...
#define X509v3_KU_CRL_SIGN ...
#define X509v3_KU_ENCIPHER_ONLY ...
#define X509v3_KU_DECIPHER_ONLY ...
#define X509v3_KU_UNDEF ...

/* Other constants */
#define X509_SIG_INFO_VALID ...
#define X509_SIG_INFO_TLS ...
#define X509_FILETYPE_PEM ...
#define X509_FILETYPE_ASN1 ...
#define X509_FILETYPE_DEFAULT ...
#define X509_EXT_PACK_UNKNOWN ...
#define X509_EXT_PACK_STRING ...

/* Certificates */
int X509_verify(CONST_SINCE_4_0 X509 *, EVP_PKEY *);
int X509_self_signed(CONST_SINCE_4_0 X509 *, int);
int X509_sign(X509 *, EVP_PKEY *, const EVP_MD *);
int X509_sign_ctx(X509 *, EVP_MD_CTX *);
int X509_pubkey_digest(const X509 *, const EVP_MD *, unsigned char *, unsigned int *);
int X509_digest(const X509 *, const EVP_MD *, unsigned char *, unsigned int *);
ASN1_OCTET_STRING *X509_digest_sig(const X509 *, EVP_MD **, int *);
X509 *X509_load_http(const char *, BIO *, BIO *, int);
X509 *d2i_X509_bio(BIO *, X509 **);
int i2d_X509_bio(BIO *, const X509 *);
X509 *X509_dup(const X509 *);
X509 *X509_new(void);
void X509_free(X509 *);
X509 *d2i_X509(X509 **, const unsigned char **, long);
int i2d_X509(const X509 *, unsigned char **);
const ASN1_ITEM *X509_it(void);
X509 *X509_new_ex(OSSL_LIB_CTX *, const char *);
X509 *d2i_X509_AUX(X509 **, const unsigned char **, long);
int i2d_X509_AUX(const X509 *, unsigned char **);
int X509_up_ref(X509 *);
int X509_check_private_key(const X509 *, const EVP_PKEY *);
struct stack_st_X509 *X509_chain_up_ref(struct stack_st_X509 *);
int X509_issuer_and_serial_cmp(const X509 *, const X509 *);
unsigned long X509_issuer_and_serial_hash(CONST_SINCE_4_0 X509 *);
int X509_issuer_name_cmp(const X509 *, const X509 *);
unsigned long X509_issuer_name_hash(CONST_SINCE_4_0 X509 *);
int X509_subject_name_cmp(const X509 *, const X509 *);
unsigned long X509_subject_name_hash(CONST_SINCE_4_0 X509 *);
int X509_add_cert(struct stack_st_X509 *, CONST_SINCE_4_0 X509 *, int);
int X509_add_certs(struct stack_st_X509 *, CONST_SINCE_4_0 struct stack_st_X509 *, int);
int X509_cmp(const X509 *, const X509 *);
int X509_aux_print(BIO *, CONST_SINCE_4_0 X509 *, int);
int X509_print_ex(BIO *, CONST_SINCE_4_0 X509 *, unsigned long, unsigned long);
int X509_print(BIO *, CONST_SINCE_4_0 X509 *);
X509 *X509_find_by_issuer_and_serial(CONST_SINCE_4_0 struct stack_st_X509 *, const X509_NAME *, const ASN1_INTEGER *);
X509 *X509_find_by_subject(CONST_SINCE_4_0 struct stack_st_X509 *, const X509_NAME *);

/* Fields of a certificate */
long X509_get_pathlen(CONST_SINCE_4_0 X509 *);
int i2d_re_X509_tbs(X509 *, unsigned char **);
int X509_get_signature_info(CONST_SINCE_4_0 X509 *, int *, int *, int *, uint32_t *);
void X509_get0_signature(const ASN1_BIT_STRING **, const X509_ALGOR **, const X509 *);
int X509_get_signature_nid(const X509 *);
void X509_set0_distinguishing_id(X509 *, ASN1_OCTET_STRING *);
CONST_SINCE_4_0 ASN1_OCTET_STRING *X509_get0_distinguishing_id(CONST_SINCE_4_0 X509 *);
int X509_alias_set1(X509 *, const unsigned char *, int);
int X509_keyid_set1(X509 *, const unsigned char *, int);
CONST_SINCE_4_0 unsigned char *X509_alias_get0(CONST_SINCE_4_0 X509 *, int *);
CONST_SINCE_4_0 unsigned char *X509_keyid_get0(CONST_SINCE_4_0 X509 *, int *);
long X509_get_version(const X509 *);
int X509_set_version(X509 *, long);
int X509_set_serialNumber(X509 *, ASN1_INTEGER *);
ASN1_INTEGER *X509_get_serialNumber(X509 *);
const ASN1_INTEGER *X509_get0_serialNumber(const X509 *);
int X509_set_issuer_name(X509 *, const X509_NAME *);
CONST_SINCE_4_0 X509_NAME *X509_get_issuer_name(const X509 *);
int X509_set_subject_name(X509 *, const X509_NAME *);
CONST_SINCE_4_0 X509_NAME *X509_get_subject_name(const X509 *);
const ASN1_TIME *X509_get0_notBefore(const X509 *);
ASN1_TIME *X509_getm_notBefore(CONST_BEFORE_4_0 X509 *);
int X509_set1_notBefore(X509 *, const ASN1_TIME *);
const ASN1_TIME *X509_get0_notAfter(const X509 *);
ASN1_TIME *X509_getm_notAfter(CONST_BEFORE_4_0 X509 *);
int X509_set1_notAfter(X509 *, const ASN1_TIME *);
int X509_get_signature_type(const X509 *);
int X509_set_pubkey(X509 *, EVP_PKEY *);
EVP_PKEY *X509_get_pubkey(CONST_SINCE_4_0 X509 *);
EVP_PKEY *X509_get0_pubkey(const X509 *);
CONST_SINCE_4_0 X509_PUBKEY *X509_get_X509_PUBKEY(const X509 *);
const struct stack_st_X509_EXTENSION *X509_get0_extensions(const X509 *);
void X509_get0_uids(const X509 *, const ASN1_BIT_STRING **, const ASN1_BIT_STRING **);
const X509_ALGOR *X509_get0_tbs_sigalg(const X509 *);
CONST_SINCE_4_0 ASN1_BIT_STRING *X509_get0_pubkey_bitstr(const X509 *);

/* Extensions of a certificate */
int X509_get_ext_count(const X509 *);
int X509_get_ext_by_NID(const X509 *, int, int);
int X509_get_ext_by_OBJ(const X509 *, const ASN1_OBJECT *, int);
int X509_get_ext_by_critical(const X509 *, int, int);
CONST_SINCE_4_0 X509_EXTENSION *X509_get_ext(const X509 *, int);
X509_EXTENSION *X509_delete_ext(X509 *, int);
int X509_add_ext(X509 *, CONST_SINCE_4_0 X509_EXTENSION *, int);
void *X509_get_ext_d2i(const X509 *, int, int *, int *);
int X509_add1_ext_i2d(X509 *, int, void *, int, unsigned long);

/* Time */
int X509_cmp_time(const ASN1_TIME *, CONST_SINCE_4_0 time_t *);
int X509_cmp_current_time(const ASN1_TIME *);
int X509_cmp_timeframe(const X509_VERIFY_PARAM *, const ASN1_TIME *, const ASN1_TIME *);
ASN1_TIME *X509_time_adj(ASN1_TIME *, long, CONST_SINCE_4_0 time_t *);
ASN1_TIME *X509_time_adj_ex(ASN1_TIME *, int, long, CONST_SINCE_4_0 time_t *);
ASN1_TIME *X509_gmtime_adj(ASN1_TIME *, long);

/* Names */
int X509_NAME_digest(const X509_NAME *, const EVP_MD *, unsigned char *, unsigned int *);
X509_NAME *X509_NAME_dup(const X509_NAME *);
X509_NAME_ENTRY *X509_NAME_ENTRY_dup(const X509_NAME_ENTRY *);
X509_NAME_ENTRY *X509_NAME_ENTRY_new(void);
void X509_NAME_ENTRY_free(X509_NAME_ENTRY *);
X509_NAME_ENTRY *d2i_X509_NAME_ENTRY(X509_NAME_ENTRY **, const unsigned char **, long);
int i2d_X509_NAME_ENTRY(const X509_NAME_ENTRY *, unsigned char **);
const ASN1_ITEM *X509_NAME_ENTRY_it(void);
X509_NAME *X509_NAME_new(void);
void X509_NAME_free(X509_NAME *);
X509_NAME *d2i_X509_NAME(X509_NAME **, const unsigned char **, long);
int i2d_X509_NAME(const X509_NAME *, unsigned char **);
const ASN1_ITEM *X509_NAME_it(void);
int X509_NAME_set(X509_NAME **, const X509_NAME *);
char *X509_NAME_oneline(const X509_NAME *, char *, int);
int X509_NAME_cmp(const X509_NAME *, const X509_NAME *);
unsigned long X509_NAME_hash_ex(const X509_NAME *, OSSL_LIB_CTX *, const char *, int *);
int X509_NAME_print(BIO *, const X509_NAME *, int);
int X509_NAME_print_ex(BIO *, const X509_NAME *, int, unsigned long);
int X509_NAME_entry_count(const X509_NAME *);
int X509_NAME_get_text_by_NID(const X509_NAME *, int, char *, int);
int X509_NAME_get_text_by_OBJ(const X509_NAME *, const ASN1_OBJECT *, char *, int);
int X509_NAME_get_index_by_NID(const X509_NAME *, int, int);
int X509_NAME_get_index_by_OBJ(const X509_NAME *, const ASN1_OBJECT *, int);
CONST_SINCE_4_0 X509_NAME_ENTRY *X509_NAME_get_entry(const X509_NAME *, int);
X509_NAME_ENTRY *X509_NAME_delete_entry(X509_NAME *, int);
int X509_NAME_add_entry(X509_NAME *, const X509_NAME_ENTRY *, int, int);
int X509_NAME_add_entry_by_OBJ(X509_NAME *, const ASN1_OBJECT *, int, const unsigned char *, int, int, int);
int X509_NAME_add_entry_by_NID(X509_NAME *, int, int, const unsigned char *, int, int, int);
X509_NAME_ENTRY *X509_NAME_ENTRY_create_by_txt(X509_NAME_ENTRY **, const char *, int, const unsigned char *, int);
X509_NAME_ENTRY *X509_NAME_ENTRY_create_by_NID(X509_NAME_ENTRY **, int, int, const unsigned char *, int);
int X509_NAME_add_entry_by_txt(X509_NAME *, const char *, int, const unsigned char *, int, int, int);
X509_NAME_ENTRY *X509_NAME_ENTRY_create_by_OBJ(X509_NAME_ENTRY **, const ASN1_OBJECT *, int, const unsigned char *, int);
int X509_NAME_ENTRY_set_object(X509_NAME_ENTRY *, const ASN1_OBJECT *);
int X509_NAME_ENTRY_set_data(X509_NAME_ENTRY *, int, const unsigned char *, int);
CONST_SINCE_4_0 ASN1_OBJECT *X509_NAME_ENTRY_get_object(const X509_NAME_ENTRY *);
CONST_SINCE_4_0 ASN1_STRING *X509_NAME_ENTRY_get_data(const X509_NAME_ENTRY *);
int X509_NAME_ENTRY_set(const X509_NAME_ENTRY *);
int X509_NAME_get0_der(const X509_NAME *, const unsigned char **, size_t *);
MACRO unsigned long X509_NAME_hash(X509_NAME *);

/* Certificate requests */
int X509_REQ_verify_ex(X509_REQ *, EVP_PKEY *, OSSL_LIB_CTX *, const char *);
int X509_REQ_verify(X509_REQ *, EVP_PKEY *);
int X509_REQ_sign(X509_REQ *, EVP_PKEY *, const EVP_MD *);
int X509_REQ_sign_ctx(X509_REQ *, EVP_MD_CTX *);
int X509_REQ_digest(const X509_REQ *, const EVP_MD *, unsigned char *, unsigned int *);
X509_REQ *d2i_X509_REQ_bio(BIO *, X509_REQ **);
int i2d_X509_REQ_bio(BIO *, const X509_REQ *);
X509_REQ *X509_REQ_dup(const X509_REQ *);
X509_REQ *X509_to_X509_REQ(CONST_SINCE_4_0 X509 *, EVP_PKEY *, const EVP_MD *);
X509 *X509_REQ_to_X509(CONST_SINCE_4_0 X509_REQ *, int, EVP_PKEY *);
X509_REQ *X509_REQ_new(void);
void X509_REQ_free(X509_REQ *);
X509_REQ *d2i_X509_REQ(X509_REQ **, const unsigned char **, long);
int i2d_X509_REQ(const X509_REQ *, unsigned char **);
const ASN1_ITEM *X509_REQ_it(void);
X509_REQ *X509_REQ_new_ex(OSSL_LIB_CTX *, const char *);
void X509_REQ_set0_distinguishing_id(X509_REQ *, ASN1_OCTET_STRING *);
ASN1_OCTET_STRING *X509_REQ_get0_distinguishing_id(X509_REQ *);
long X509_REQ_get_version(const X509_REQ *);
int X509_REQ_set_version(X509_REQ *, long);
CONST_SINCE_4_0 X509_NAME *X509_REQ_get_subject_name(const X509_REQ *);
int X509_REQ_set_subject_name(X509_REQ *, const X509_NAME *);
void X509_REQ_get0_signature(const X509_REQ *, const ASN1_BIT_STRING **, const X509_ALGOR **);
void X509_REQ_set0_signature(X509_REQ *, ASN1_BIT_STRING *);
int X509_REQ_set1_signature_algo(X509_REQ *, X509_ALGOR *);
int X509_REQ_get_signature_nid(const X509_REQ *);
int i2d_re_X509_REQ_tbs(X509_REQ *, unsigned char **);
int X509_REQ_set_pubkey(X509_REQ *, EVP_PKEY *);
EVP_PKEY *X509_REQ_get_pubkey(X509_REQ *);
EVP_PKEY *X509_REQ_get0_pubkey(CONST_SINCE_3_2 X509_REQ *);
X509_PUBKEY *X509_REQ_get_X509_PUBKEY(CONST_SINCE_4_0 X509_REQ *);
int X509_REQ_extension_nid(int);
int *X509_REQ_get_extension_nids(void);
void X509_REQ_set_extension_nids(int *);
struct stack_st_X509_EXTENSION *X509_REQ_get_extensions(CONST_SINCE_4_0 X509_REQ *);
int X509_REQ_add_extensions_nid(X509_REQ *, const struct stack_st_X509_EXTENSION *, int);
int X509_REQ_add_extensions(X509_REQ *, const struct stack_st_X509_EXTENSION *);
int X509_REQ_get_attr_count(const X509_REQ *);
int X509_REQ_get_attr_by_NID(const X509_REQ *, int, int);
int X509_REQ_get_attr_by_OBJ(const X509_REQ *, const ASN1_OBJECT *, int);
X509_ATTRIBUTE *X509_REQ_get_attr(const X509_REQ *, int);
X509_ATTRIBUTE *X509_REQ_delete_attr(X509_REQ *, int);
int X509_REQ_add1_attr(X509_REQ *, X509_ATTRIBUTE *);
int X509_REQ_add1_attr_by_OBJ(X509_REQ *, const ASN1_OBJECT *, int, const unsigned char *, int);
int X509_REQ_add1_attr_by_NID(X509_REQ *, int, int, const unsigned char *, int);
int X509_REQ_add1_attr_by_txt(X509_REQ *, const char *, int, const unsigned char *, int);
int X509_REQ_check_private_key(CONST_SINCE_3_2 X509_REQ *, EVP_PKEY *);
int X509_REQ_print_ex(BIO *, CONST_SINCE_4_0 X509_REQ *, unsigned long, unsigned long);
int X509_REQ_print(BIO *, CONST_SINCE_4_0 X509_REQ *);

/* Revocation lists */
int X509_CRL_verify(X509_CRL *, EVP_PKEY *);
int X509_CRL_sign(X509_CRL *, EVP_PKEY *, const EVP_MD *);
int X509_CRL_sign_ctx(X509_CRL *, EVP_MD_CTX *);
int X509_CRL_digest(const X509_CRL *, const EVP_MD *, unsigned char *, unsigned int *);
X509_CRL *X509_CRL_load_http(const char *, BIO *, BIO *, int);
X509_CRL *d2i_X509_CRL_bio(BIO *, X509_CRL **);
int i2d_X509_CRL_bio(BIO *, const X509_CRL *);
X509_CRL *X509_CRL_dup(const X509_CRL *);
X509_REVOKED *X509_REVOKED_dup(const X509_REVOKED *);
X509_REVOKED *X509_REVOKED_new(void);
void X509_REVOKED_free(X509_REVOKED *);
X509_REVOKED *d2i_X509_REVOKED(X509_REVOKED **, const unsigned char **, long);
int i2d_X509_REVOKED(const X509_REVOKED *, unsigned char **);
const ASN1_ITEM *X509_REVOKED_it(void);
X509_CRL *X509_CRL_new(void);
void X509_CRL_free(X509_CRL *);
X509_CRL *d2i_X509_CRL(X509_CRL **, const unsigned char **, long);
int i2d_X509_CRL(const X509_CRL *, unsigned char **);
const ASN1_ITEM *X509_CRL_it(void);
X509_CRL *X509_CRL_new_ex(OSSL_LIB_CTX *, const char *);
int X509_CRL_add0_revoked(X509_CRL *, X509_REVOKED *);
int X509_CRL_get0_by_serial(X509_CRL *, X509_REVOKED **, const ASN1_INTEGER *);
int X509_CRL_get0_by_cert(X509_CRL *, X509_REVOKED **, CONST_SINCE_4_0 X509 *);
int X509_CRL_set_version(X509_CRL *, long);
int X509_CRL_set_issuer_name(X509_CRL *, const X509_NAME *);
int X509_CRL_set1_lastUpdate(X509_CRL *, const ASN1_TIME *);
int X509_CRL_set1_nextUpdate(X509_CRL *, const ASN1_TIME *);
int X509_CRL_sort(X509_CRL *);
int X509_CRL_up_ref(X509_CRL *);
long X509_CRL_get_version(const X509_CRL *);
const ASN1_TIME *X509_CRL_get0_lastUpdate(const X509_CRL *);
const ASN1_TIME *X509_CRL_get0_nextUpdate(const X509_CRL *);
CONST_SINCE_4_0 X509_NAME *X509_CRL_get_issuer(const X509_CRL *);
const struct stack_st_X509_EXTENSION *X509_CRL_get0_extensions(const X509_CRL *);
struct stack_st_X509_REVOKED *X509_CRL_get_REVOKED(CONST_SINCE_4_0 X509_CRL *);
void X509_CRL_get0_signature(const X509_CRL *, const ASN1_BIT_STRING **, const X509_ALGOR **);
int X509_CRL_get_signature_nid(const X509_CRL *);
int i2d_re_X509_CRL_tbs(X509_CRL *, unsigned char **);
const ASN1_INTEGER *X509_REVOKED_get0_serialNumber(const X509_REVOKED *);
int X509_REVOKED_set_serialNumber(X509_REVOKED *, ASN1_INTEGER *);
const ASN1_TIME *X509_REVOKED_get0_revocationDate(const X509_REVOKED *);
int X509_REVOKED_set_revocationDate(X509_REVOKED *, ASN1_TIME *);
const struct stack_st_X509_EXTENSION *X509_REVOKED_get0_extensions(const X509_REVOKED *);
X509_CRL *X509_CRL_diff(X509_CRL *, X509_CRL *, EVP_PKEY *, const EVP_MD *, unsigned int);
int X509_CRL_cmp(const X509_CRL *, const X509_CRL *);
int X509_CRL_match(const X509_CRL *, const X509_CRL *);
int X509_CRL_print_ex(BIO *, CONST_SINCE_4_0 X509_CRL *, unsigned long);
int X509_CRL_print(BIO *, CONST_SINCE_4_0 X509_CRL *);
int X509_CRL_get_ext_count(const X509_CRL *);
int X509_CRL_get_ext_by_NID(const X509_CRL *, int, int);
int X509_CRL_get_ext_by_OBJ(const X509_CRL *, const ASN1_OBJECT *, int);
int X509_CRL_get_ext_by_critical(const X509_CRL *, int, int);
CONST_SINCE_4_0 X509_EXTENSION *X509_CRL_get_ext(const X509_CRL *, int);
X509_EXTENSION *X509_CRL_delete_ext(X509_CRL *, int);
int X509_CRL_add_ext(X509_CRL *, CONST_SINCE_4_0 X509_EXTENSION *, int);
void *X509_CRL_get_ext_d2i(const X509_CRL *, int, int *, int *);
int X509_CRL_add1_ext_i2d(X509_CRL *, int, void *, int, unsigned long);
int X509_REVOKED_get_ext_count(const X509_REVOKED *);
int X509_REVOKED_get_ext_by_NID(const X509_REVOKED *, int, int);
int X509_REVOKED_get_ext_by_OBJ(const X509_REVOKED *, const ASN1_OBJECT *, int);
int X509_REVOKED_get_ext_by_critical(const X509_REVOKED *, int, int);
CONST_SINCE_4_0 X509_EXTENSION *X509_REVOKED_get_ext(const X509_REVOKED *, int);
X509_EXTENSION *X509_REVOKED_delete_ext(X509_REVOKED *, int);
int X509_REVOKED_add_ext(X509_REVOKED *, X509_EXTENSION *, int);
void *X509_REVOKED_get_ext_d2i(const X509_REVOKED *, int, int *, int *);
int X509_REVOKED_add1_ext_i2d(X509_REVOKED *, int, void *, int, unsigned long);

/* Extensions */
X509_EXTENSION *X509_EXTENSION_dup(const X509_EXTENSION *);
X509_EXTENSION *X509_EXTENSION_new(void);
void X509_EXTENSION_free(X509_EXTENSION *);
X509_EXTENSION *d2i_X509_EXTENSION(X509_EXTENSION **, const unsigned char **, long);
int i2d_X509_EXTENSION(const X509_EXTENSION *, unsigned char **);
const ASN1_ITEM *X509_EXTENSION_it(void);
X509_EXTENSIONS *d2i_X509_EXTENSIONS(X509_EXTENSIONS **, const unsigned char **, long);
int i2d_X509_EXTENSIONS(const X509_EXTENSIONS *, unsigned char **);
const ASN1_ITEM *X509_EXTENSIONS_it(void);
int X509v3_get_ext_count(const struct stack_st_X509_EXTENSION *);
int X509v3_get_ext_by_NID(const struct stack_st_X509_EXTENSION *, int, int);
int X509v3_get_ext_by_OBJ(const struct stack_st_X509_EXTENSION *, const ASN1_OBJECT *, int);
int X509v3_get_ext_by_critical(const struct stack_st_X509_EXTENSION *, int, int);
CONST_SINCE_4_0 X509_EXTENSION *X509v3_get_ext(const struct stack_st_X509_EXTENSION *, int);
X509_EXTENSION *X509v3_delete_ext(struct stack_st_X509_EXTENSION *, int);
struct stack_st_X509_EXTENSION *X509v3_add_ext(struct stack_st_X509_EXTENSION **, CONST_SINCE_4_0 X509_EXTENSION *, int);
X509_EXTENSION *X509_EXTENSION_create_by_NID(X509_EXTENSION **, int, int, ASN1_OCTET_STRING *);
X509_EXTENSION *X509_EXTENSION_create_by_OBJ(X509_EXTENSION **, const ASN1_OBJECT *, int, ASN1_OCTET_STRING *);
int X509_EXTENSION_set_object(X509_EXTENSION *, const ASN1_OBJECT *);
int X509_EXTENSION_set_critical(X509_EXTENSION *, int);
int X509_EXTENSION_set_data(X509_EXTENSION *, CONST_SINCE_4_0 ASN1_OCTET_STRING *);
CONST_SINCE_4_0 ASN1_OBJECT *X509_EXTENSION_get_object(CONST_SINCE_4_0 X509_EXTENSION *);
CONST_SINCE_4_0 ASN1_OCTET_STRING *X509_EXTENSION_get_data(CONST_SINCE_4_0 X509_EXTENSION *);
int X509_EXTENSION_get_critical(const X509_EXTENSION *);

/* Attributes */
X509_ATTRIBUTE *X509_ATTRIBUTE_dup(const X509_ATTRIBUTE *);
X509_ATTRIBUTE *X509_ATTRIBUTE_new(void);
void X509_ATTRIBUTE_free(X509_ATTRIBUTE *);
X509_ATTRIBUTE *d2i_X509_ATTRIBUTE(X509_ATTRIBUTE **, const unsigned char **, long);
int i2d_X509_ATTRIBUTE(const X509_ATTRIBUTE *, unsigned char **);
const ASN1_ITEM *X509_ATTRIBUTE_it(void);
X509_ATTRIBUTE *X509_ATTRIBUTE_create(int, int, void *);
int X509at_get_attr_count(const struct stack_st_X509_ATTRIBUTE *);
int X509at_get_attr_by_NID(const struct stack_st_X509_ATTRIBUTE *, int, int);
int X509at_get_attr_by_OBJ(const struct stack_st_X509_ATTRIBUTE *, const ASN1_OBJECT *, int);
X509_ATTRIBUTE *X509at_get_attr(const struct stack_st_X509_ATTRIBUTE *, int);
X509_ATTRIBUTE *X509at_delete_attr(struct stack_st_X509_ATTRIBUTE *, int);
struct stack_st_X509_ATTRIBUTE *X509at_add1_attr(struct stack_st_X509_ATTRIBUTE **, X509_ATTRIBUTE *);
struct stack_st_X509_ATTRIBUTE *X509at_add1_attr_by_OBJ(struct stack_st_X509_ATTRIBUTE **, const ASN1_OBJECT *, int, const unsigned char *, int);
struct stack_st_X509_ATTRIBUTE *X509at_add1_attr_by_NID(struct stack_st_X509_ATTRIBUTE **, int, int, const unsigned char *, int);
struct stack_st_X509_ATTRIBUTE *X509at_add1_attr_by_txt(struct stack_st_X509_ATTRIBUTE **, const char *, int, const unsigned char *, int);
CONST_SINCE_4_0 void *X509at_get0_data_by_OBJ(const struct stack_st_X509_ATTRIBUTE *, const ASN1_OBJECT *, int, int);
X509_ATTRIBUTE *X509_ATTRIBUTE_create_by_NID(X509_ATTRIBUTE **, int, int, const void *, int);
X509_ATTRIBUTE *X509_ATTRIBUTE_create_by_OBJ(X509_ATTRIBUTE **, const ASN1_OBJECT *, int, const void *, int);
X509_ATTRIBUTE *X509_ATTRIBUTE_create_by_txt(X509_ATTRIBUTE **, const char *, int, const unsigned char *, int);
int X509_ATTRIBUTE_set1_object(X509_ATTRIBUTE *, const ASN1_OBJECT *);
int X509_ATTRIBUTE_set1_data(X509_ATTRIBUTE *, int, const void *, int);
CONST_SINCE_4_0 void *X509_ATTRIBUTE_get0_data(CONST_SINCE_4_0 X509_ATTRIBUTE *, int, int, void *);
int X509_ATTRIBUTE_count(const X509_ATTRIBUTE *);
CONST_SINCE_4_0 ASN1_OBJECT *X509_ATTRIBUTE_get0_object(CONST_SINCE_4_0 X509_ATTRIBUTE *);
CONST_SINCE_4_0 ASN1_TYPE *X509_ATTRIBUTE_get0_type(CONST_SINCE_4_0 X509_ATTRIBUTE *, int);

/* Algorithm identifiers */
int X509_signature_dump(BIO *, const ASN1_STRING *, int);
int X509_signature_print(BIO *, const X509_ALGOR *, const ASN1_STRING *);
X509_ALGOR *X509_ALGOR_dup(const X509_ALGOR *);
int X509_ALGOR_set0(X509_ALGOR *, ASN1_OBJECT *, int, void *);
void X509_ALGOR_get0(const ASN1_OBJECT **, int *, const void **, const X509_ALGOR *);
int X509_ALGOR_cmp(const X509_ALGOR *, const X509_ALGOR *);
int X509_ALGOR_copy(X509_ALGOR *, const X509_ALGOR *);
X509_ALGOR *X509_ALGOR_new(void);
void X509_ALGOR_free(X509_ALGOR *);
X509_ALGOR *d2i_X509_ALGOR(X509_ALGOR **, const unsigned char **, long);
int i2d_X509_ALGOR(const X509_ALGOR *, unsigned char **);
const ASN1_ITEM *X509_ALGOR_it(void);
X509_SIG *X509_SIG_new(void);
void X509_SIG_free(X509_SIG *);
X509_SIG *d2i_X509_SIG(X509_SIG **, const unsigned char **, long);
int i2d_X509_SIG(const X509_SIG *, unsigned char **);
const ASN1_ITEM *X509_SIG_it(void);
void X509_SIG_get0(const X509_SIG *, const X509_ALGOR **, const ASN1_OCTET_STRING **);
void X509_SIG_getm(X509_SIG *, X509_ALGOR **, ASN1_OCTET_STRING **);

/* Public keys */
int i2d_PUBKEY_bio(BIO *, const EVP_PKEY *);
EVP_PKEY *d2i_PUBKEY_bio(BIO *, EVP_PKEY **);
X509_PUBKEY *X509_PUBKEY_dup(const X509_PUBKEY *);
X509_PUBKEY *X509_PUBKEY_new(void);
void X509_PUBKEY_free(X509_PUBKEY *);
X509_PUBKEY *d2i_X509_PUBKEY(X509_PUBKEY **, const unsigned char **, long);
int i2d_X509_PUBKEY(const X509_PUBKEY *, unsigned char **);
const ASN1_ITEM *X509_PUBKEY_it(void);
X509_PUBKEY *X509_PUBKEY_new_ex(OSSL_LIB_CTX *, const char *);
int X509_PUBKEY_set(X509_PUBKEY **, EVP_PKEY *);
EVP_PKEY *X509_PUBKEY_get0(const X509_PUBKEY *);
EVP_PKEY *X509_PUBKEY_get(const X509_PUBKEY *);
EVP_PKEY *d2i_PUBKEY(EVP_PKEY **, const unsigned char **, long);
int i2d_PUBKEY(const EVP_PKEY *, unsigned char **);
EVP_PKEY *d2i_PUBKEY_ex(EVP_PKEY **, const unsigned char **, long, OSSL_LIB_CTX *, const char *);
int X509_PUBKEY_set0_param(X509_PUBKEY *, ASN1_OBJECT *, int, void *, unsigned char *, int);
int X509_PUBKEY_get0_param(ASN1_OBJECT **, const unsigned char **, int *, X509_ALGOR **, const X509_PUBKEY *);
int X509_PUBKEY_eq(const X509_PUBKEY *, const X509_PUBKEY *);

/* Private keys */
X509_SIG *d2i_PKCS8_bio(BIO *, X509_SIG **);
int i2d_PKCS8_bio(BIO *, const X509_SIG *);
PKCS8_PRIV_KEY_INFO *d2i_PKCS8_PRIV_KEY_INFO_bio(BIO *, PKCS8_PRIV_KEY_INFO **);
int i2d_PKCS8_PRIV_KEY_INFO_bio(BIO *, const PKCS8_PRIV_KEY_INFO *);
int i2d_PKCS8PrivateKeyInfo_bio(BIO *, const EVP_PKEY *);
int i2d_PrivateKey_bio(BIO *, const EVP_PKEY *);
EVP_PKEY *d2i_PrivateKey_ex_bio(BIO *, EVP_PKEY **, OSSL_LIB_CTX *, const char *);
EVP_PKEY *d2i_PrivateKey_bio(BIO *, EVP_PKEY **);
PKCS8_PRIV_KEY_INFO *PKCS8_PRIV_KEY_INFO_new(void);
void PKCS8_PRIV_KEY_INFO_free(PKCS8_PRIV_KEY_INFO *);
PKCS8_PRIV_KEY_INFO *d2i_PKCS8_PRIV_KEY_INFO(PKCS8_PRIV_KEY_INFO **, const unsigned char **, long);
int i2d_PKCS8_PRIV_KEY_INFO(const PKCS8_PRIV_KEY_INFO *, unsigned char **);
const ASN1_ITEM *PKCS8_PRIV_KEY_INFO_it(void);
EVP_PKEY *EVP_PKCS82PKEY(const PKCS8_PRIV_KEY_INFO *);
EVP_PKEY *EVP_PKCS82PKEY_ex(const PKCS8_PRIV_KEY_INFO *, OSSL_LIB_CTX *, const char *);
PKCS8_PRIV_KEY_INFO *EVP_PKEY2PKCS8(const EVP_PKEY *);
int PKCS8_pkey_get0(const ASN1_OBJECT **, const unsigned char **, int *, const X509_ALGOR **, const PKCS8_PRIV_KEY_INFO *);

/* Signed items */
int ASN1_item_digest(const ASN1_ITEM *, const EVP_MD *, void *, unsigned char *, unsigned int *);
int ASN1_item_verify(const ASN1_ITEM *, const X509_ALGOR *, const ASN1_BIT_STRING *, const void *, EVP_PKEY *);
int ASN1_item_verify_ctx(const ASN1_ITEM *, const X509_ALGOR *, const ASN1_BIT_STRING *, const void *, EVP_MD_CTX *);
int ASN1_item_sign(const ASN1_ITEM *, X509_ALGOR *, X509_ALGOR *, ASN1_BIT_STRING *, const void *, EVP_PKEY *, const EVP_MD *);
int ASN1_item_sign_ctx(const ASN1_ITEM *, X509_ALGOR *, X509_ALGOR *, ASN1_BIT_STRING *, const void *, EVP_MD_CTX *);

/* PEM contents */
X509_INFO *X509_INFO_new(void);
void X509_INFO_free(X509_INFO *);

/* Defaults of this build, and errors */
const char *X509_verify_cert_error_string(long);
const char *X509_get_default_cert_area(void);
const char *X509_get_default_cert_dir(void);
const char *X509_get_default_cert_file(void);
const char *X509_get_default_cert_dir_env(void);
const char *X509_get_default_cert_file_env(void);
const char *X509_get_default_private_dir(void);

/* Stacks of X509_NAME */
MACRO int sk_X509_NAME_num(const struct stack_st_X509_NAME *);
MACRO X509_NAME *sk_X509_NAME_value(const struct stack_st_X509_NAME *, int);
MACRO struct stack_st_X509_NAME *sk_X509_NAME_new_null(void);
MACRO int sk_X509_NAME_push(struct stack_st_X509_NAME *, X509_NAME *);
MACRO int sk_X509_NAME_insert(struct stack_st_X509_NAME *, X509_NAME *, int);
MACRO X509_NAME *sk_X509_NAME_set(struct stack_st_X509_NAME *, int, X509_NAME *);
MACRO X509_NAME *sk_X509_NAME_pop(struct stack_st_X509_NAME *);
MACRO X509_NAME *sk_X509_NAME_shift(struct stack_st_X509_NAME *);
MACRO X509_NAME *sk_X509_NAME_delete(struct stack_st_X509_NAME *, int);
MACRO void sk_X509_NAME_free(struct stack_st_X509_NAME *);
MACRO void sk_X509_NAME_pop_free(struct stack_st_X509_NAME *, sk_X509_NAME_freefunc);
MACRO struct stack_st_X509_NAME *sk_X509_NAME_dup(const struct stack_st_X509_NAME *);
MACRO struct stack_st_X509_NAME *sk_X509_NAME_deep_copy(const struct stack_st_X509_NAME *, sk_X509_NAME_copyfunc, sk_X509_NAME_freefunc);

/* Stacks of X509 */
MACRO int sk_X509_num(const struct stack_st_X509 *);
MACRO X509 *sk_X509_value(const struct stack_st_X509 *, int);
MACRO struct stack_st_X509 *sk_X509_new_null(void);
MACRO int sk_X509_push(struct stack_st_X509 *, X509 *);
MACRO int sk_X509_insert(struct stack_st_X509 *, X509 *, int);
MACRO X509 *sk_X509_set(struct stack_st_X509 *, int, X509 *);
MACRO X509 *sk_X509_pop(struct stack_st_X509 *);
MACRO X509 *sk_X509_shift(struct stack_st_X509 *);
MACRO X509 *sk_X509_delete(struct stack_st_X509 *, int);
MACRO void sk_X509_free(struct stack_st_X509 *);
MACRO void sk_X509_pop_free(struct stack_st_X509 *, sk_X509_freefunc);
MACRO struct stack_st_X509 *sk_X509_dup(const struct stack_st_X509 *);
MACRO struct stack_st_X509 *sk_X509_deep_copy(const struct stack_st_X509 *, sk_X509_copyfunc, sk_X509_freefunc);

/* Stacks of X509_REVOKED */
MACRO int sk_X509_REVOKED_num(const struct stack_st_X509_REVOKED *);
MACRO X509_REVOKED *sk_X509_REVOKED_value(const struct stack_st_X509_REVOKED *, int);
MACRO struct stack_st_X509_REVOKED *sk_X509_REVOKED_new_null(void);
MACRO int sk_X509_REVOKED_push(struct stack_st_X509_REVOKED *, X509_REVOKED *);
MACRO int sk_X509_REVOKED_insert(struct stack_st_X509_REVOKED *, X509_REVOKED *, int);
MACRO X509_REVOKED *sk_X509_REVOKED_set(struct stack_st_X509_REVOKED *, int, X509_REVOKED *);
MACRO X509_REVOKED *sk_X509_REVOKED_pop(struct stack_st_X509_REVOKED *);
MACRO X509_REVOKED *sk_X509_REVOKED_shift(struct stack_st_X509_REVOKED *);
MACRO X509_REVOKED *sk_X509_REVOKED_delete(struct stack_st_X509_REVOKED *, int);
MACRO void sk_X509_REVOKED_free(struct stack_st_X509_REVOKED *);
MACRO void sk_X509_REVOKED_pop_free(struct stack_st_X509_REVOKED *, sk_X509_REVOKED_freefunc);
MACRO struct stack_st_X509_REVOKED *sk_X509_REVOKED_dup(const struct stack_st_X509_REVOKED *);
MACRO struct stack_st_X509_REVOKED *sk_X509_REVOKED_deep_copy(const struct stack_st_X509_REVOKED *, sk_X509_REVOKED_copyfunc, sk_X509_REVOKED_freefunc);

/* Stacks of X509_CRL */
MACRO int sk_X509_CRL_num(const struct stack_st_X509_CRL *);
MACRO X509_CRL *sk_X509_CRL_value(const struct stack_st_X509_CRL *, int);
MACRO struct stack_st_X509_CRL *sk_X509_CRL_new_null(void);
MACRO int sk_X509_CRL_push(struct stack_st_X509_CRL *, X509_CRL *);
MACRO int sk_X509_CRL_insert(struct stack_st_X509_CRL *, X509_CRL *, int);
MACRO X509_CRL *sk_X509_CRL_set(struct stack_st_X509_CRL *, int, X509_CRL *);
MACRO X509_CRL *sk_X509_CRL_pop(struct stack_st_X509_CRL *);
MACRO X509_CRL *sk_X509_CRL_shift(struct stack_st_X509_CRL *);
MACRO X509_CRL *sk_X509_CRL_delete(struct stack_st_X509_CRL *, int);
MACRO void sk_X509_CRL_free(struct stack_st_X509_CRL *);
MACRO void sk_X509_CRL_pop_free(struct stack_st_X509_CRL *, sk_X509_CRL_freefunc);
MACRO struct stack_st_X509_CRL *sk_X509_CRL_dup(const struct stack_st_X509_CRL *);
MACRO struct stack_st_X509_CRL *sk_X509_CRL_deep_copy(const struct stack_st_X509_CRL *, sk_X509_CRL_copyfunc, sk_X509_CRL_freefunc);

/* Stacks of X509_NAME_ENTRY */
MACRO int sk_X509_NAME_ENTRY_num(const struct stack_st_X509_NAME_ENTRY *);
MACRO X509_NAME_ENTRY *sk_X509_NAME_ENTRY_value(const struct stack_st_X509_NAME_ENTRY *, int);
MACRO struct stack_st_X509_NAME_ENTRY *sk_X509_NAME_ENTRY_new_null(void);
MACRO int sk_X509_NAME_ENTRY_push(struct stack_st_X509_NAME_ENTRY *, X509_NAME_ENTRY *);
MACRO int sk_X509_NAME_ENTRY_insert(struct stack_st_X509_NAME_ENTRY *, X509_NAME_ENTRY *, int);
MACRO X509_NAME_ENTRY *sk_X509_NAME_ENTRY_set(struct stack_st_X509_NAME_ENTRY *, int, X509_NAME_ENTRY *);
MACRO X509_NAME_ENTRY *sk_X509_NAME_ENTRY_pop(struct stack_st_X509_NAME_ENTRY *);
MACRO X509_NAME_ENTRY *sk_X509_NAME_ENTRY_shift(struct stack_st_X509_NAME_ENTRY *);
MACRO X509_NAME_ENTRY *sk_X509_NAME_ENTRY_delete(struct stack_st_X509_NAME_ENTRY *, int);
MACRO void sk_X509_NAME_ENTRY_free(struct stack_st_X509_NAME_ENTRY *);
MACRO void sk_X509_NAME_ENTRY_pop_free(struct stack_st_X509_NAME_ENTRY *, sk_X509_NAME_ENTRY_freefunc);
MACRO struct stack_st_X509_NAME_ENTRY *sk_X509_NAME_ENTRY_dup(const struct stack_st_X509_NAME_ENTRY *);
MACRO struct stack_st_X509_NAME_ENTRY *sk_X509_NAME_ENTRY_deep_copy(const struct stack_st_X509_NAME_ENTRY *, sk_X509_NAME_ENTRY_copyfunc, sk_X509_NAME_ENTRY_freefunc);

/* Stacks of X509_EXTENSION */
MACRO int sk_X509_EXTENSION_num(const struct stack_st_X509_EXTENSION *);
MACRO X509_EXTENSION *sk_X509_EXTENSION_value(const struct stack_st_X509_EXTENSION *, int);
MACRO struct stack_st_X509_EXTENSION *sk_X509_EXTENSION_new_null(void);
MACRO int sk_X509_EXTENSION_push(struct stack_st_X509_EXTENSION *, X509_EXTENSION *);
MACRO int sk_X509_EXTENSION_insert(struct stack_st_X509_EXTENSION *, X509_EXTENSION *, int);
MACRO X509_EXTENSION *sk_X509_EXTENSION_set(struct stack_st_X509_EXTENSION *, int, X509_EXTENSION *);
MACRO X509_EXTENSION *sk_X509_EXTENSION_pop(struct stack_st_X509_EXTENSION *);
MACRO X509_EXTENSION *sk_X509_EXTENSION_shift(struct stack_st_X509_EXTENSION *);
MACRO X509_EXTENSION *sk_X509_EXTENSION_delete(struct stack_st_X509_EXTENSION *, int);
MACRO void sk_X509_EXTENSION_free(struct stack_st_X509_EXTENSION *);
MACRO void sk_X509_EXTENSION_pop_free(struct stack_st_X509_EXTENSION *, sk_X509_EXTENSION_freefunc);
MACRO struct stack_st_X509_EXTENSION *sk_X509_EXTENSION_dup(const struct stack_st_X509_EXTENSION *);
MACRO struct stack_st_X509_EXTENSION *sk_X509_EXTENSION_deep_copy(const struct stack_st_X509_EXTENSION *, sk_X509_EXTENSION_copyfunc, sk_X509_EXTENSION_freefunc);

/* Stacks of X509_ATTRIBUTE */
MACRO int sk_X509_ATTRIBUTE_num(const struct stack_st_X509_ATTRIBUTE *);
MACRO X509_ATTRIBUTE *sk_X509_ATTRIBUTE_value(const struct stack_st_X509_ATTRIBUTE *, int);
MACRO struct stack_st_X509_ATTRIBUTE *sk_X509_ATTRIBUTE_new_null(void);
MACRO int sk_X509_ATTRIBUTE_push(struct stack_st_X509_ATTRIBUTE *, X509_ATTRIBUTE *);
MACRO int sk_X509_ATTRIBUTE_insert(struct stack_st_X509_ATTRIBUTE *, X509_ATTRIBUTE *, int);
MACRO X509_ATTRIBUTE *sk_X509_ATTRIBUTE_set(struct stack_st_X509_ATTRIBUTE *, int, X509_ATTRIBUTE *);
MACRO X509_ATTRIBUTE *sk_X509_ATTRIBUTE_pop(struct stack_st_X509_ATTRIBUTE *);
MACRO X509_ATTRIBUTE *sk_X509_ATTRIBUTE_shift(struct stack_st_X509_ATTRIBUTE *);
MACRO X509_ATTRIBUTE *sk_X509_ATTRIBUTE_delete(struct stack_st_X509_ATTRIBUTE *, int);
MACRO void sk_X509_ATTRIBUTE_free(struct stack_st_X509_ATTRIBUTE *);
MACRO void sk_X509_ATTRIBUTE_pop_free(struct stack_st_X509_ATTRIBUTE *, sk_X509_ATTRIBUTE_freefunc);
MACRO struct stack_st_X509_ATTRIBUTE *sk_X509_ATTRIBUTE_dup(const struct stack_st_X509_ATTRIBUTE *);
MACRO struct stack_st_X509_ATTRIBUTE *sk_X509_ATTRIBUTE_deep_copy(const struct stack_st_X509_ATTRIBUTE *, sk_X509_ATTRIBUTE_copyfunc, sk_X509_ATTRIBUTE_freefunc);

/* Stacks of X509_INFO */
MACRO int sk_X509_INFO_num(const struct stack_st_X509_INFO *);
MACRO X509_INFO *sk_X509_INFO_value(const struct stack_st_X509_INFO *, int);
MACRO struct stack_st_X509_INFO *sk_X509_INFO_new_null(void);
MACRO int sk_X509_INFO_push(struct stack_st_X509_INFO *, X509_INFO *);
MACRO int sk_X509_INFO_insert(struct stack_st_X509_INFO *, X509_INFO *, int);
MACRO X509_INFO *sk_X509_INFO_set(struct stack_st_X509_INFO *, int, X509_INFO *);
MACRO X509_INFO *sk_X509_INFO_pop(struct stack_st_X509_INFO *);
MACRO X509_INFO *sk_X509_INFO_shift(struct stack_st_X509_INFO *);
MACRO X509_INFO *sk_X509_INFO_delete(struct stack_st_X509_INFO *, int);
MACRO void sk_X509_INFO_free(struct stack_st_X509_INFO *);
MACRO void sk_X509_INFO_pop_free(struct stack_st_X509_INFO *, sk_X509_INFO_freefunc);
MACRO struct stack_st_X509_INFO *sk_X509_INFO_dup(const struct stack_st_X509_INFO *);
MACRO struct stack_st_X509_INFO *sk_X509_INFO_deep_copy(const struct stack_st_X509_INFO *, sk_X509_INFO_copyfunc, sk_X509_INFO_freefunc);
