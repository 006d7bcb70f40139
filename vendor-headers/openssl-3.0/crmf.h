/* <openssl/crmf.h>: certificate requests. */

/* Types */
typedef struct ossl_crmf_encryptedvalue_st OSSL_CRMF_ENCRYPTEDVALUE;
typedef struct ossl_crmf_msg_st OSSL_CRMF_MSG;
typedef void (*sk_OSSL_CRMF_MSG_freefunc)(OSSL_CRMF_MSG *);
typedef OSSL_CRMF_MSG *(*sk_OSSL_CRMF_MSG_copyfunc)(const OSSL_CRMF_MSG *);
typedef struct ossl_crmf_attributetypeandvalue_st OSSL_CRMF_ATTRIBUTETYPEANDVALUE;
typedef struct ossl_crmf_pbmparameter_st OSSL_CRMF_PBMPARAMETER;
typedef struct ossl_crmf_certrequest_st OSSL_CRMF_CERTREQUEST;
typedef struct ossl_crmf_certid_st OSSL_CRMF_CERTID;
typedef void (*sk_OSSL_CRMF_CERTID_freefunc)(OSSL_CRMF_CERTID *);
typedef OSSL_CRMF_CERTID *(*sk_OSSL_CRMF_CERTID_copyfunc)(const OSSL_CRMF_CERTID *);
typedef struct ossl_crmf_pkipublicationinfo_st OSSL_CRMF_PKIPUBLICATIONINFO;
typedef struct ossl_crmf_singlepubinfo_st OSSL_CRMF_SINGLEPUBINFO;
typedef struct ossl_crmf_certtemplate_st OSSL_CRMF_CERTTEMPLATE;
typedef struct stack_st_OSSL_CRMF_MSG OSSL_CRMF_MSGS;

/* Proof of possession */
#define OSSL_CRMF_POPOPRIVKEY_THISMESSAGE ...
#define OSSL_CRMF_POPOPRIVKEY_SUBSEQUENTMESSAGE ...
#define OSSL_CRMF_POPOPRIVKEY_DHMAC ...
#define OSSL_CRMF_POPOPRIVKEY_AGREEMAC ...
#define OSSL_CRMF_POPOPRIVKEY_ENCRYPTEDKEY ...
#define OSSL_CRMF_POPO_NONE ...
#define OSSL_CRMF_POPO_RAVERIFIED ...
#define OSSL_CRMF_POPO_SIGNATURE ...
#define OSSL_CRMF_POPO_KEYENC ...
#define OSSL_CRMF_POPO_KEYAGREE ...

/* Publication */
#define OSSL_CRMF_PUB_METHOD_DONTCARE ...
#define OSSL_CRMF_PUB_METHOD_X500 ...
#define OSSL_CRMF_PUB_METHOD_WEB ...
#define OSSL_CRMF_PUB_METHOD_LDAP ...
#define OSSL_CRMF_PUB_ACTION_DONTPUBLISH ...
#define OSSL_CRMF_PUB_ACTION_PLEASEPUBLISH ...

/* Subsequent messages */
#define OSSL_CRMF_SUBSEQUENTMESSAGE_ENCRCERT ...
#define OSSL_CRMF_SUBSEQUENTMESSAGE_CHALLENGERESP ...

/* A certificate request */
OSSL_CRMF_MSG *OSSL_CRMF_MSG_new(void);
void OSSL_CRMF_MSG_free(OSSL_CRMF_MSG *);
OSSL_CRMF_MSG *d2i_OSSL_CRMF_MSG(OSSL_CRMF_MSG **, const unsigned char **, long);
int i2d_OSSL_CRMF_MSG(const OSSL_CRMF_MSG *, unsigned char **);
const ASN1_ITEM *OSSL_CRMF_MSG_it(void);
OSSL_CRMF_MSG *OSSL_CRMF_MSG_dup(const OSSL_CRMF_MSG *);
OSSL_CRMF_MSGS *OSSL_CRMF_MSGS_new(void);
void OSSL_CRMF_MSGS_free(OSSL_CRMF_MSGS *);
OSSL_CRMF_MSGS *d2i_OSSL_CRMF_MSGS(OSSL_CRMF_MSGS **, const unsigned char **, long);
int i2d_OSSL_CRMF_MSGS(const OSSL_CRMF_MSGS *, unsigned char **);
const ASN1_ITEM *OSSL_CRMF_MSGS_it(void);

/* Registration controls */
OSSL_CRMF_CERTID *OSSL_CRMF_CERTID_new(void);
void OSSL_CRMF_CERTID_free(OSSL_CRMF_CERTID *);
OSSL_CRMF_CERTID *d2i_OSSL_CRMF_CERTID(OSSL_CRMF_CERTID **, const unsigned char **, long);
int i2d_OSSL_CRMF_CERTID(const OSSL_CRMF_CERTID *, unsigned char **);
const ASN1_ITEM *OSSL_CRMF_CERTID_it(void);
OSSL_CRMF_CERTID *OSSL_CRMF_CERTID_dup(const OSSL_CRMF_CERTID *);
OSSL_CRMF_PKIPUBLICATIONINFO *OSSL_CRMF_PKIPUBLICATIONINFO_new(void);
void OSSL_CRMF_PKIPUBLICATIONINFO_free(OSSL_CRMF_PKIPUBLICATIONINFO *);
OSSL_CRMF_PKIPUBLICATIONINFO *d2i_OSSL_CRMF_PKIPUBLICATIONINFO(OSSL_CRMF_PKIPUBLICATIONINFO **, const unsigned char **, long);
int i2d_OSSL_CRMF_PKIPUBLICATIONINFO(const OSSL_CRMF_PKIPUBLICATIONINFO *, unsigned char **);
const ASN1_ITEM *OSSL_CRMF_PKIPUBLICATIONINFO_it(void);
OSSL_CRMF_SINGLEPUBINFO *OSSL_CRMF_SINGLEPUBINFO_new(void);
void OSSL_CRMF_SINGLEPUBINFO_free(OSSL_CRMF_SINGLEPUBINFO *);
OSSL_CRMF_SINGLEPUBINFO *d2i_OSSL_CRMF_SINGLEPUBINFO(OSSL_CRMF_SINGLEPUBINFO **, const unsigned char **, long);
int i2d_OSSL_CRMF_SINGLEPUBINFO(const OSSL_CRMF_SINGLEPUBINFO *, unsigned char **);
const ASN1_ITEM *OSSL_CRMF_SINGLEPUBINFO_it(void);
int OSSL_CRMF_MSG_set1_regCtrl_regToken(OSSL_CRMF_MSG *, const ASN1_UTF8STRING *);
ASN1_UTF8STRING *OSSL_CRMF_MSG_get0_regCtrl_regToken(const OSSL_CRMF_MSG *);
int OSSL_CRMF_MSG_set1_regCtrl_authenticator(OSSL_CRMF_MSG *, const ASN1_UTF8STRING *);
ASN1_UTF8STRING *OSSL_CRMF_MSG_get0_regCtrl_authenticator(const OSSL_CRMF_MSG *);
int OSSL_CRMF_MSG_PKIPublicationInfo_push0_SinglePubInfo(OSSL_CRMF_PKIPUBLICATIONINFO *, OSSL_CRMF_SINGLEPUBINFO *);
int OSSL_CRMF_MSG_set0_SinglePubInfo(OSSL_CRMF_SINGLEPUBINFO *, int, GENERAL_NAME *);
int OSSL_CRMF_MSG_set_PKIPublicationInfo_action(OSSL_CRMF_PKIPUBLICATIONINFO *, int);
int OSSL_CRMF_MSG_set1_regCtrl_pkiPublicationInfo(OSSL_CRMF_MSG *, const OSSL_CRMF_PKIPUBLICATIONINFO *);
OSSL_CRMF_PKIPUBLICATIONINFO *OSSL_CRMF_MSG_get0_regCtrl_pkiPublicationInfo(const OSSL_CRMF_MSG *);
int OSSL_CRMF_MSG_set1_regCtrl_protocolEncrKey(OSSL_CRMF_MSG *, const X509_PUBKEY *);
X509_PUBKEY *OSSL_CRMF_MSG_get0_regCtrl_protocolEncrKey(const OSSL_CRMF_MSG *);
int OSSL_CRMF_MSG_set1_regCtrl_oldCertID(OSSL_CRMF_MSG *, const OSSL_CRMF_CERTID *);
OSSL_CRMF_CERTID *OSSL_CRMF_MSG_get0_regCtrl_oldCertID(const OSSL_CRMF_MSG *);
OSSL_CRMF_CERTID *OSSL_CRMF_CERTID_gen(const X509_NAME *, const ASN1_INTEGER *);
const X509_NAME *OSSL_CRMF_CERTID_get0_issuer(const OSSL_CRMF_CERTID *);
const ASN1_INTEGER *OSSL_CRMF_CERTID_get0_serialNumber(const OSSL_CRMF_CERTID *);

/* Registration information */
int OSSL_CRMF_MSG_set1_regInfo_utf8Pairs(OSSL_CRMF_MSG *, const ASN1_UTF8STRING *);
ASN1_UTF8STRING *OSSL_CRMF_MSG_get0_regInfo_utf8Pairs(const OSSL_CRMF_MSG *);
int OSSL_CRMF_MSG_set1_regInfo_certReq(OSSL_CRMF_MSG *, const OSSL_CRMF_CERTREQUEST *);
OSSL_CRMF_CERTREQUEST *OSSL_CRMF_MSG_get0_regInfo_certReq(const OSSL_CRMF_MSG *);

/* The certificate template */
OSSL_CRMF_CERTTEMPLATE *OSSL_CRMF_CERTTEMPLATE_new(void);
void OSSL_CRMF_CERTTEMPLATE_free(OSSL_CRMF_CERTTEMPLATE *);
OSSL_CRMF_CERTTEMPLATE *d2i_OSSL_CRMF_CERTTEMPLATE(OSSL_CRMF_CERTTEMPLATE **, const unsigned char **, long);
int i2d_OSSL_CRMF_CERTTEMPLATE(const OSSL_CRMF_CERTTEMPLATE *, unsigned char **);
const ASN1_ITEM *OSSL_CRMF_CERTTEMPLATE_it(void);
int OSSL_CRMF_MSG_set0_validity(OSSL_CRMF_MSG *, ASN1_TIME *, ASN1_TIME *);
int OSSL_CRMF_MSG_set_certReqId(OSSL_CRMF_MSG *, int);
int OSSL_CRMF_MSG_get_certReqId(const OSSL_CRMF_MSG *);
int OSSL_CRMF_MSG_set0_extensions(OSSL_CRMF_MSG *, X509_EXTENSIONS *);
int OSSL_CRMF_MSG_push0_extension(OSSL_CRMF_MSG *, X509_EXTENSION *);
OSSL_CRMF_CERTTEMPLATE *OSSL_CRMF_MSG_get0_tmpl(const OSSL_CRMF_MSG *);
const X509_NAME *OSSL_CRMF_CERTTEMPLATE_get0_subject(const OSSL_CRMF_CERTTEMPLATE *);
const X509_NAME *OSSL_CRMF_CERTTEMPLATE_get0_issuer(const OSSL_CRMF_CERTTEMPLATE *);
const ASN1_INTEGER *OSSL_CRMF_CERTTEMPLATE_get0_serialNumber(const OSSL_CRMF_CERTTEMPLATE *);
X509_EXTENSIONS *OSSL_CRMF_CERTTEMPLATE_get0_extensions(const OSSL_CRMF_CERTTEMPLATE *);
int OSSL_CRMF_CERTTEMPLATE_fill(OSSL_CRMF_CERTTEMPLATE *, EVP_PKEY *, const X509_NAME *, const X509_NAME *, const ASN1_INTEGER *);

/* Proof of possession */
int OSSL_CRMF_MSG_create_popo(int, OSSL_CRMF_MSG *, EVP_PKEY *, const EVP_MD *, OSSL_LIB_CTX *, const char *);
int OSSL_CRMF_MSGS_verify_popo(const OSSL_CRMF_MSGS *, int, int, OSSL_LIB_CTX *, const char *);

/* Password-based MAC */
OSSL_CRMF_PBMPARAMETER *OSSL_CRMF_PBMPARAMETER_new(void);
void OSSL_CRMF_PBMPARAMETER_free(OSSL_CRMF_PBMPARAMETER *);
OSSL_CRMF_PBMPARAMETER *d2i_OSSL_CRMF_PBMPARAMETER(OSSL_CRMF_PBMPARAMETER **, const unsigned char **, long);
int i2d_OSSL_CRMF_PBMPARAMETER(const OSSL_CRMF_PBMPARAMETER *, unsigned char **);
const ASN1_ITEM *OSSL_CRMF_PBMPARAMETER_it(void);
OSSL_CRMF_PBMPARAMETER *OSSL_CRMF_pbmp_new(OSSL_LIB_CTX *, size_t, int, size_t, int);
int OSSL_CRMF_pbm_new(OSSL_LIB_CTX *, const char *, const OSSL_CRMF_PBMPARAMETER *, const unsigned char *, size_t, const unsigned char *, size_t, unsigned char **, size_t *);

/* Encrypted values */
OSSL_CRMF_ENCRYPTEDVALUE *OSSL_CRMF_ENCRYPTEDVALUE_new(void);
void OSSL_CRMF_ENCRYPTEDVALUE_free(OSSL_CRMF_ENCRYPTEDVALUE *);
OSSL_CRMF_ENCRYPTEDVALUE *d2i_OSSL_CRMF_ENCRYPTEDVALUE(OSSL_CRMF_ENCRYPTEDVALUE **, const unsigned char **, long);
int i2d_OSSL_CRMF_ENCRYPTEDVALUE(const OSSL_CRMF_ENCRYPTEDVALUE *, unsigned char **);
const ASN1_ITEM *OSSL_CRMF_ENCRYPTEDVALUE_it(void);
X509 *OSSL_CRMF_ENCRYPTEDVALUE_get1_encCert(const OSSL_CRMF_ENCRYPTEDVALUE *, OSSL_LIB_CTX *, const char *, EVP_PKEY *);

/* Stacks of OSSL_CRMF_MSG */
MACRO int sk_OSSL_CRMF_MSG_num(const struct stack_st_OSSL_CRMF_MSG *);
MACRO OSSL_CRMF_MSG *sk_OSSL_CRMF_MSG_value(const struct stack_st_OSSL_CRMF_MSG *, int);
MACRO struct stack_st_OSSL_CRMF_MSG *sk_OSSL_CRMF_MSG_new_null(void);
MACRO int sk_OSSL_CRMF_MSG_push(struct stack_st_OSSL_CRMF_MSG *, OSSL_CRMF_MSG *);
MACRO int sk_OSSL_CRMF_MSG_insert(struct stack_st_OSSL_CRMF_MSG *, OSSL_CRMF_MSG *, int);
MACRO OSSL_CRMF_MSG *sk_OSSL_CRMF_MSG_set(struct stack_st_OSSL_CRMF_MSG *, int, OSSL_CRMF_MSG *);
MACRO OSSL_CRMF_MSG *sk_OSSL_CRMF_MSG_pop(struct stack_st_OSSL_CRMF_MSG *);
MACRO OSSL_CRMF_MSG *sk_OSSL_CRMF_MSG_shift(struct stack_st_OSSL_CRMF_MSG *);
MACRO OSSL_CRMF_MSG *sk_OSSL_CRMF_MSG_delete(struct stack_st_OSSL_CRMF_MSG *, int);
MACRO void sk_OSSL_CRMF_MSG_free(struct stack_st_OSSL_CRMF_MSG *);
MACRO void sk_OSSL_CRMF_MSG_pop_free(struct stack_st_OSSL_CRMF_MSG *, sk_OSSL_CRMF_MSG_freefunc);
MACRO struct stack_st_OSSL_CRMF_MSG *sk_OSSL_CRMF_MSG_dup(const struct stack_st_OSSL_CRMF_MSG *);
MACRO struct stack_st_OSSL_CRMF_MSG *sk_OSSL_CRMF_MSG_deep_copy(const struct stack_st_OSSL_CRMF_MSG *, sk_OSSL_CRMF_MSG_copyfunc, sk_OSSL_CRMF_MSG_freefunc);

/* Stacks of OSSL_CRMF_CERTID */
MACRO int sk_OSSL_CRMF_CERTID_num(const struct stack_st_OSSL_CRMF_CERTID *);
MACRO OSSL_CRMF_CERTID *sk_OSSL_CRMF_CERTID_value(const struct stack_st_OSSL_CRMF_CERTID *, int);
MACRO struct stack_st_OSSL_CRMF_CERTID *sk_OSSL_CRMF_CERTID_new_null(void);
MACRO int sk_OSSL_CRMF_CERTID_push(struct stack_st_OSSL_CRMF_CERTID *, OSSL_CRMF_CERTID *);
MACRO int sk_OSSL_CRMF_CERTID_insert(struct stack_st_OSSL_CRMF_CERTID *, OSSL_CRMF_CERTID *, int);
MACRO OSSL_CRMF_CERTID *sk_OSSL_CRMF_CERTID_set(struct stack_st_OSSL_CRMF_CERTID *, int, OSSL_CRMF_CERTID *);
MACRO OSSL_CRMF_CERTID *sk_OSSL_CRMF_CERTID_pop(struct stack_st_OSSL_CRMF_CERTID *);
MACRO OSSL_CRMF_CERTID *sk_OSSL_CRMF_CERTID_shift(struct stack_st_OSSL_CRMF_CERTID *);
MACRO OSSL_CRMF_CERTID *sk_OSSL_CRMF_CERTID_delete(struct stack_st_OSSL_CRMF_CERTID *, int);
MACRO void sk_OSSL_CRMF_CERTID_free(struct stack_st_OSSL_CRMF_CERTID *);
MACRO void sk_OSSL_CRMF_CERTID_pop_free(struct stack_st_OSSL_CRMF_CERTID *, sk_OSSL_CRMF_CERTID_freefunc);
MACRO struct stack_st_OSSL_CRMF_CERTID *sk_OSSL_CRMF_CERTID_dup(const struct stack_st_OSSL_CRMF_CERTID *);
MACRO struct stack_st_OSSL_CRMF_CERTID *sk_OSSL_CRMF_CERTID_deep_copy(const struct stack_st_OSSL_CRMF_CERTID *, sk_OSSL_CRMF_CERTID_copyfunc, sk_OSSL_CRMF_CERTID_freefunc);
