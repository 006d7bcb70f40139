/* <openssl/cmp.h>: the client and the server of CMP. */

/* Types */
typedef struct ossl_cmp_ctx_st OSSL_CMP_CTX;
typedef struct ossl_cmp_pkiheader_st OSSL_CMP_PKIHEADER;
typedef struct ossl_cmp_msg_st OSSL_CMP_MSG;
typedef struct ossl_cmp_certstatus_st OSSL_CMP_CERTSTATUS;
typedef void (*sk_OSSL_CMP_CERTSTATUS_freefunc)(OSSL_CMP_CERTSTATUS *);
typedef OSSL_CMP_CERTSTATUS *(*sk_OSSL_CMP_CERTSTATUS_copyfunc)(const OSSL_CMP_CERTSTATUS *);
typedef struct ossl_cmp_itav_st OSSL_CMP_ITAV;
typedef void (*sk_OSSL_CMP_ITAV_freefunc)(OSSL_CMP_ITAV *);
typedef OSSL_CMP_ITAV *(*sk_OSSL_CMP_ITAV_copyfunc)(const OSSL_CMP_ITAV *);
typedef struct ossl_cmp_pkisi_st OSSL_CMP_PKISI;
typedef void (*sk_OSSL_CMP_PKISI_freefunc)(OSSL_CMP_PKISI *);
typedef OSSL_CMP_PKISI *(*sk_OSSL_CMP_PKISI_copyfunc)(const OSSL_CMP_PKISI *);
typedef struct ossl_cmp_certrepmessage_st OSSL_CMP_CERTREPMESSAGE;
typedef void (*sk_OSSL_CMP_CERTREPMESSAGE_freefunc)(OSSL_CMP_CERTREPMESSAGE *);
typedef OSSL_CMP_CERTREPMESSAGE *(*sk_OSSL_CMP_CERTREPMESSAGE_copyfunc)(const OSSL_CMP_CERTREPMESSAGE *);
typedef struct ossl_cmp_certresponse_st OSSL_CMP_CERTRESPONSE;
typedef void (*sk_OSSL_CMP_CERTRESPONSE_freefunc)(OSSL_CMP_CERTRESPONSE *);
typedef OSSL_CMP_CERTRESPONSE *(*sk_OSSL_CMP_CERTRESPONSE_copyfunc)(const OSSL_CMP_CERTRESPONSE *);
typedef struct stack_st_ASN1_UTF8STRING OSSL_CMP_PKIFREETEXT;
typedef OSSL_CMP_MSG *(*OSSL_CMP_transfer_cb_t)(OSSL_CMP_CTX *, const OSSL_CMP_MSG *);
typedef int (*OSSL_CMP_certConf_cb_t)(OSSL_CMP_CTX *, X509 *, int, const char **);
typedef struct ossl_cmp_srv_ctx_st OSSL_CMP_SRV_CTX;
typedef OSSL_CMP_PKISI *(*OSSL_CMP_SRV_cert_request_cb_t)(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *, int, const OSSL_CRMF_MSG *, const X509_REQ *, X509 **, struct stack_st_X509 **, struct stack_st_X509 **);
typedef OSSL_CMP_PKISI *(*OSSL_CMP_SRV_rr_cb_t)(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *, const X509_NAME *, const ASN1_INTEGER *);
typedef int (*OSSL_CMP_SRV_genm_cb_t)(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *, const struct stack_st_OSSL_CMP_ITAV *, struct stack_st_OSSL_CMP_ITAV **);
typedef void (*OSSL_CMP_SRV_error_cb_t)(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *, const OSSL_CMP_PKISI *, const ASN1_INTEGER *, const OSSL_CMP_PKIFREETEXT *);
typedef int (*OSSL_CMP_SRV_certConf_cb_t)(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *, int, const ASN1_OCTET_STRING *, const OSSL_CMP_PKISI *);
typedef int (*OSSL_CMP_SRV_pollReq_cb_t)(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *, int, OSSL_CMP_MSG **, int64_t *);

/* Protocol versions */
#define OSSL_CMP_PVNO ...

/* PKIFailureInfo: bit numbers */
#define OSSL_CMP_PKIFAILUREINFO_badAlg ...
#define OSSL_CMP_PKIFAILUREINFO_badMessageCheck ...
#define OSSL_CMP_PKIFAILUREINFO_badRequest ...
#define OSSL_CMP_PKIFAILUREINFO_badTime ...
#define OSSL_CMP_PKIFAILUREINFO_badCertId ...
#define OSSL_CMP_PKIFAILUREINFO_badDataFormat ...
#define OSSL_CMP_PKIFAILUREINFO_wrongAuthority ...
#define OSSL_CMP_PKIFAILUREINFO_incorrectData ...
#define OSSL_CMP_PKIFAILUREINFO_missingTimeStamp ...
#define OSSL_CMP_PKIFAILUREINFO_badPOP ...
#define OSSL_CMP_PKIFAILUREINFO_certRevoked ...
#define OSSL_CMP_PKIFAILUREINFO_certConfirmed ...
#define OSSL_CMP_PKIFAILUREINFO_wrongIntegrity ...
#define OSSL_CMP_PKIFAILUREINFO_badRecipientNonce ...
#define OSSL_CMP_PKIFAILUREINFO_timeNotAvailable ...
#define OSSL_CMP_PKIFAILUREINFO_unacceptedPolicy ...
#define OSSL_CMP_PKIFAILUREINFO_unacceptedExtension ...
#define OSSL_CMP_PKIFAILUREINFO_addInfoNotAvailable ...
#define OSSL_CMP_PKIFAILUREINFO_badSenderNonce ...
#define OSSL_CMP_PKIFAILUREINFO_badCertTemplate ...
#define OSSL_CMP_PKIFAILUREINFO_signerNotTrusted ...
#define OSSL_CMP_PKIFAILUREINFO_transactionIdInUse ...
#define OSSL_CMP_PKIFAILUREINFO_unsupportedVersion ...
#define OSSL_CMP_PKIFAILUREINFO_notAuthorized ...
#define OSSL_CMP_PKIFAILUREINFO_systemUnavail ...
#define OSSL_CMP_PKIFAILUREINFO_systemFailure ...
#define OSSL_CMP_PKIFAILUREINFO_duplicateCertReq ...
#define OSSL_CMP_PKIFAILUREINFO_MAX ...
#define OSSL_CMP_PKIFAILUREINFO_MAX_BIT_PATTERN ...

/* PKIFailureInfo: bits */
#define OSSL_CMP_CTX_FAILINFO_badAlg ...
#define OSSL_CMP_CTX_FAILINFO_badMessageCheck ...
#define OSSL_CMP_CTX_FAILINFO_badRequest ...
#define OSSL_CMP_CTX_FAILINFO_badTime ...
#define OSSL_CMP_CTX_FAILINFO_badCertId ...
#define OSSL_CMP_CTX_FAILINFO_badDataFormat ...
#define OSSL_CMP_CTX_FAILINFO_wrongAuthority ...
#define OSSL_CMP_CTX_FAILINFO_incorrectData ...
#define OSSL_CMP_CTX_FAILINFO_missingTimeStamp ...
#define OSSL_CMP_CTX_FAILINFO_badPOP ...
#define OSSL_CMP_CTX_FAILINFO_certRevoked ...
#define OSSL_CMP_CTX_FAILINFO_certConfirmed ...
#define OSSL_CMP_CTX_FAILINFO_wrongIntegrity ...
#define OSSL_CMP_CTX_FAILINFO_badRecipientNonce ...
#define OSSL_CMP_CTX_FAILINFO_timeNotAvailable ...
#define OSSL_CMP_CTX_FAILINFO_unacceptedPolicy ...
#define OSSL_CMP_CTX_FAILINFO_unacceptedExtension ...
#define OSSL_CMP_CTX_FAILINFO_addInfoNotAvailable ...
#define OSSL_CMP_CTX_FAILINFO_badSenderNonce ...
#define OSSL_CMP_CTX_FAILINFO_badCertTemplate ...
#define OSSL_CMP_CTX_FAILINFO_signerNotTrusted ...
#define OSSL_CMP_CTX_FAILINFO_transactionIdInUse ...
#define OSSL_CMP_CTX_FAILINFO_unsupportedVersion ...
#define OSSL_CMP_CTX_FAILINFO_notAuthorized ...
#define OSSL_CMP_CTX_FAILINFO_systemUnavail ...
#define OSSL_CMP_CTX_FAILINFO_systemFailure ...
#define OSSL_CMP_CTX_FAILINFO_duplicateCertReq ...

/* PKIStatus */
#define OSSL_CMP_PKISTATUS_accepted ...
#define OSSL_CMP_PKISTATUS_grantedWithMods ...
#define OSSL_CMP_PKISTATUS_rejection ...
#define OSSL_CMP_PKISTATUS_waiting ...
#define OSSL_CMP_PKISTATUS_revocationWarning ...
#define OSSL_CMP_PKISTATUS_revocationNotification ...
#define OSSL_CMP_PKISTATUS_keyUpdateWarning ...

/* Which choice CertOrEncCert takes */
#define OSSL_CMP_CERTORENCCERT_CERTIFICATE ...
#define OSSL_CMP_CERTORENCCERT_ENCRYPTEDCERT ...

/* Options of a context */
#define OSSL_CMP_OPT_LOG_VERBOSITY ...
#define OSSL_CMP_OPT_KEEP_ALIVE ...
#define OSSL_CMP_OPT_MSG_TIMEOUT ...
#define OSSL_CMP_OPT_TOTAL_TIMEOUT ...
#define OSSL_CMP_OPT_VALIDITY_DAYS ...
#define OSSL_CMP_OPT_SUBJECTALTNAME_NODEFAULT ...
#define OSSL_CMP_OPT_SUBJECTALTNAME_CRITICAL ...
#define OSSL_CMP_OPT_POLICIES_CRITICAL ...
#define OSSL_CMP_OPT_POPO_METHOD ...
#define OSSL_CMP_OPT_IMPLICIT_CONFIRM ...
#define OSSL_CMP_OPT_DISABLE_CONFIRM ...
#define OSSL_CMP_OPT_REVOCATION_REASON ...
#define OSSL_CMP_OPT_UNPROTECTED_SEND ...
#define OSSL_CMP_OPT_UNPROTECTED_ERRORS ...
#define OSSL_CMP_OPT_OWF_ALGNID ...
#define OSSL_CMP_OPT_MAC_ALGNID ...
#define OSSL_CMP_OPT_DIGEST_ALGNID ...
#define OSSL_CMP_OPT_IGNORE_KEYUSAGE ...
#define OSSL_CMP_OPT_PERMIT_TA_IN_EXTRACERTS_FOR_IR ...

/* Request types */
#define OSSL_CMP_IR ...
#define OSSL_CMP_CR ...
#define OSSL_CMP_P10CR ...
#define OSSL_CMP_KUR ...

/* Other constants */
#define OSSL_CMP_PKISI_BUFLEN ...

/* The client and server context */
OSSL_CMP_CTX *OSSL_CMP_CTX_new(OSSL_LIB_CTX *, const char *);
void OSSL_CMP_CTX_free(OSSL_CMP_CTX *);
int OSSL_CMP_CTX_reinit(OSSL_CMP_CTX *);
int OSSL_CMP_CTX_set_option(OSSL_CMP_CTX *, int, int);
int OSSL_CMP_CTX_get_option(const OSSL_CMP_CTX *, int);

/* Log and errors */
int OSSL_CMP_CTX_set_log_cb(OSSL_CMP_CTX *, OSSL_CMP_log_cb_t);
void OSSL_CMP_CTX_print_errors(const OSSL_CMP_CTX *);
char *OSSL_CMP_CTX_snprint_PKIStatus(const OSSL_CMP_CTX *, char *, size_t);
char *OSSL_CMP_snprint_PKIStatusInfo(const OSSL_CMP_PKISI *, char *, size_t);
MACRO int OSSL_CMP_CTX_set_log_verbosity(OSSL_CMP_CTX *, int);

/* HTTP and other transfer */
int OSSL_CMP_CTX_set1_serverPath(OSSL_CMP_CTX *, const char *);
int OSSL_CMP_CTX_set1_server(OSSL_CMP_CTX *, const char *);
int OSSL_CMP_CTX_set_serverPort(OSSL_CMP_CTX *, int);
int OSSL_CMP_CTX_set1_proxy(OSSL_CMP_CTX *, const char *);
int OSSL_CMP_CTX_set1_no_proxy(OSSL_CMP_CTX *, const char *);
int OSSL_CMP_CTX_set_http_cb(OSSL_CMP_CTX *, OSSL_HTTP_bio_cb_t);
int OSSL_CMP_CTX_set_http_cb_arg(OSSL_CMP_CTX *, void *);
void *OSSL_CMP_CTX_get_http_cb_arg(const OSSL_CMP_CTX *);
int OSSL_CMP_CTX_set_transfer_cb(OSSL_CMP_CTX *, OSSL_CMP_transfer_cb_t);
int OSSL_CMP_CTX_set_transfer_cb_arg(OSSL_CMP_CTX *, void *);
void *OSSL_CMP_CTX_get_transfer_cb_arg(const OSSL_CMP_CTX *);
OSSL_CMP_MSG *OSSL_CMP_MSG_http_perform(OSSL_CMP_CTX *, const OSSL_CMP_MSG *);

/* How the server is authenticated */
int OSSL_CMP_CTX_set1_srvCert(OSSL_CMP_CTX *, X509 *);
int OSSL_CMP_CTX_set1_expected_sender(OSSL_CMP_CTX *, const X509_NAME *);
int OSSL_CMP_CTX_set0_trustedStore(OSSL_CMP_CTX *, X509_STORE *);
X509_STORE *OSSL_CMP_CTX_get0_trustedStore(const OSSL_CMP_CTX *);
int OSSL_CMP_CTX_set1_untrusted(OSSL_CMP_CTX *, struct stack_st_X509 *);
struct stack_st_X509 *OSSL_CMP_CTX_get0_untrusted(const OSSL_CMP_CTX *);
int OSSL_CMP_validate_msg(OSSL_CMP_CTX *, const OSSL_CMP_MSG *);
int OSSL_CMP_validate_cert_path(const OSSL_CMP_CTX *, X509_STORE *, X509 *);

/* How the client is authenticated */
int OSSL_CMP_CTX_set1_cert(OSSL_CMP_CTX *, X509 *);
int OSSL_CMP_CTX_build_cert_chain(OSSL_CMP_CTX *, X509_STORE *, struct stack_st_X509 *);
int OSSL_CMP_CTX_set1_pkey(OSSL_CMP_CTX *, EVP_PKEY *);
int OSSL_CMP_CTX_set1_referenceValue(OSSL_CMP_CTX *, const unsigned char *, int);
int OSSL_CMP_CTX_set1_secretValue(OSSL_CMP_CTX *, const unsigned char *, int);
int OSSL_CMP_CTX_set1_extraCertsOut(OSSL_CMP_CTX *, struct stack_st_X509 *);

/* Message header */
int OSSL_CMP_CTX_set1_recipient(OSSL_CMP_CTX *, const X509_NAME *);
int OSSL_CMP_CTX_push0_geninfo_ITAV(OSSL_CMP_CTX *, OSSL_CMP_ITAV *);
int OSSL_CMP_CTX_set1_transactionID(OSSL_CMP_CTX *, const ASN1_OCTET_STRING *);
int OSSL_CMP_CTX_set1_senderNonce(OSSL_CMP_CTX *, const ASN1_OCTET_STRING *);

/* What is requested */
int OSSL_CMP_CTX_set0_newPkey(OSSL_CMP_CTX *, int, EVP_PKEY *);
EVP_PKEY *OSSL_CMP_CTX_get0_newPkey(const OSSL_CMP_CTX *, int);
int OSSL_CMP_CTX_set1_issuer(OSSL_CMP_CTX *, const X509_NAME *);
int OSSL_CMP_CTX_set1_subjectName(OSSL_CMP_CTX *, const X509_NAME *);
int OSSL_CMP_CTX_push1_subjectAltName(OSSL_CMP_CTX *, const GENERAL_NAME *);
int OSSL_CMP_CTX_set0_reqExtensions(OSSL_CMP_CTX *, X509_EXTENSIONS *);
int OSSL_CMP_CTX_reqExtensions_have_SAN(OSSL_CMP_CTX *);
int OSSL_CMP_CTX_push0_policy(OSSL_CMP_CTX *, POLICYINFO *);
int OSSL_CMP_CTX_set1_oldCert(OSSL_CMP_CTX *, X509 *);
int OSSL_CMP_CTX_set1_p10CSR(OSSL_CMP_CTX *, const X509_REQ *);
int OSSL_CMP_CTX_push0_genm_ITAV(OSSL_CMP_CTX *, OSSL_CMP_ITAV *);
OSSL_CRMF_MSG *OSSL_CMP_CTX_setup_CRM(OSSL_CMP_CTX *, int, int);

/* Certificate confirmation */
int OSSL_CMP_certConf_cb(OSSL_CMP_CTX *, X509 *, int, const char **);
int OSSL_CMP_CTX_set_certConf_cb(OSSL_CMP_CTX *, OSSL_CMP_certConf_cb_t);
int OSSL_CMP_CTX_set_certConf_cb_arg(OSSL_CMP_CTX *, void *);
void *OSSL_CMP_CTX_get_certConf_cb_arg(const OSSL_CMP_CTX *);

/* What came back */
int OSSL_CMP_CTX_get_status(const OSSL_CMP_CTX *);
OSSL_CMP_PKIFREETEXT *OSSL_CMP_CTX_get0_statusString(const OSSL_CMP_CTX *);
int OSSL_CMP_CTX_get_failInfoCode(const OSSL_CMP_CTX *);
X509 *OSSL_CMP_CTX_get0_newCert(const OSSL_CMP_CTX *);
struct stack_st_X509 *OSSL_CMP_CTX_get1_newChain(const OSSL_CMP_CTX *);
struct stack_st_X509 *OSSL_CMP_CTX_get1_caPubs(const OSSL_CMP_CTX *);
struct stack_st_X509 *OSSL_CMP_CTX_get1_extraCertsIn(const OSSL_CMP_CTX *);

/* Requests */
X509 *OSSL_CMP_exec_certreq(OSSL_CMP_CTX *, int, const OSSL_CRMF_MSG *);
int OSSL_CMP_try_certreq(OSSL_CMP_CTX *, int, const OSSL_CRMF_MSG *, int *);
int OSSL_CMP_exec_RR_ses(OSSL_CMP_CTX *);
struct stack_st_OSSL_CMP_ITAV *OSSL_CMP_exec_GENM_ses(OSSL_CMP_CTX *);
MACRO X509 *OSSL_CMP_exec_IR_ses(OSSL_CMP_CTX *);
MACRO X509 *OSSL_CMP_exec_CR_ses(OSSL_CMP_CTX *);
MACRO X509 *OSSL_CMP_exec_P10CR_ses(OSSL_CMP_CTX *);
MACRO X509 *OSSL_CMP_exec_KUR_ses(OSSL_CMP_CTX *);

/* Messages */
OSSL_CMP_PKIHEADER *OSSL_CMP_PKIHEADER_new(void);
void OSSL_CMP_PKIHEADER_free(OSSL_CMP_PKIHEADER *);
OSSL_CMP_PKIHEADER *d2i_OSSL_CMP_PKIHEADER(OSSL_CMP_PKIHEADER **, const unsigned char **, long);
int i2d_OSSL_CMP_PKIHEADER(const OSSL_CMP_PKIHEADER *, unsigned char **);
const ASN1_ITEM *OSSL_CMP_PKIHEADER_it(void);
OSSL_CMP_MSG *OSSL_CMP_MSG_dup(const OSSL_CMP_MSG *);
OSSL_CMP_MSG *d2i_OSSL_CMP_MSG(OSSL_CMP_MSG **, const unsigned char **, long);
int i2d_OSSL_CMP_MSG(const OSSL_CMP_MSG *, unsigned char **);
const ASN1_ITEM *OSSL_CMP_MSG_it(void);
void OSSL_CMP_MSG_free(OSSL_CMP_MSG *);
ASN1_OCTET_STRING *OSSL_CMP_HDR_get0_transactionID(const OSSL_CMP_PKIHEADER *);
ASN1_OCTET_STRING *OSSL_CMP_HDR_get0_recipNonce(const OSSL_CMP_PKIHEADER *);
OSSL_CMP_PKIHEADER *OSSL_CMP_MSG_get0_header(const OSSL_CMP_MSG *);
int OSSL_CMP_MSG_get_bodytype(const OSSL_CMP_MSG *);
int OSSL_CMP_MSG_update_transactionID(OSSL_CMP_CTX *, OSSL_CMP_MSG *);
OSSL_CMP_MSG *OSSL_CMP_MSG_read(const char *, OSSL_LIB_CTX *, const char *);
int OSSL_CMP_MSG_write(const char *, const OSSL_CMP_MSG *);
OSSL_CMP_MSG *d2i_OSSL_CMP_MSG_bio(BIO *, OSSL_CMP_MSG **);
int i2d_OSSL_CMP_MSG_bio(BIO *, const OSSL_CMP_MSG *);

/* Status of a response */
const ASN1_ITEM *OSSL_CMP_PKISTATUS_it(void);
OSSL_CMP_PKISI *OSSL_CMP_PKISI_new(void);
void OSSL_CMP_PKISI_free(OSSL_CMP_PKISI *);
OSSL_CMP_PKISI *d2i_OSSL_CMP_PKISI(OSSL_CMP_PKISI **, const unsigned char **, long);
int i2d_OSSL_CMP_PKISI(const OSSL_CMP_PKISI *, unsigned char **);
const ASN1_ITEM *OSSL_CMP_PKISI_it(void);
OSSL_CMP_PKISI *OSSL_CMP_PKISI_dup(const OSSL_CMP_PKISI *);
OSSL_CMP_PKISI *OSSL_CMP_STATUSINFO_new(int, int, const char *);

/* General information: InfoTypeAndValue */
OSSL_CMP_ITAV *OSSL_CMP_ITAV_dup(const OSSL_CMP_ITAV *);
OSSL_CMP_ITAV *OSSL_CMP_ITAV_create(ASN1_OBJECT *, ASN1_TYPE *);
void OSSL_CMP_ITAV_set0(OSSL_CMP_ITAV *, ASN1_OBJECT *, ASN1_TYPE *);
ASN1_OBJECT *OSSL_CMP_ITAV_get0_type(const OSSL_CMP_ITAV *);
ASN1_TYPE *OSSL_CMP_ITAV_get0_value(const OSSL_CMP_ITAV *);
int OSSL_CMP_ITAV_push0_stack_item(struct stack_st_OSSL_CMP_ITAV **, OSSL_CMP_ITAV *);
void OSSL_CMP_ITAV_free(OSSL_CMP_ITAV *);

/* The server */
OSSL_CMP_MSG *OSSL_CMP_SRV_process_request(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *);
OSSL_CMP_MSG *OSSL_CMP_CTX_server_perform(OSSL_CMP_CTX *, const OSSL_CMP_MSG *);
OSSL_CMP_SRV_CTX *OSSL_CMP_SRV_CTX_new(OSSL_LIB_CTX *, const char *);
void OSSL_CMP_SRV_CTX_free(OSSL_CMP_SRV_CTX *);
int OSSL_CMP_SRV_CTX_init(OSSL_CMP_SRV_CTX *, void *, OSSL_CMP_SRV_cert_request_cb_t, OSSL_CMP_SRV_rr_cb_t, OSSL_CMP_SRV_genm_cb_t, OSSL_CMP_SRV_error_cb_t, OSSL_CMP_SRV_certConf_cb_t, OSSL_CMP_SRV_pollReq_cb_t);
OSSL_CMP_CTX *OSSL_CMP_SRV_CTX_get0_cmp_ctx(const OSSL_CMP_SRV_CTX *);
void *OSSL_CMP_SRV_CTX_get0_custom_ctx(const OSSL_CMP_SRV_CTX *);
int OSSL_CMP_SRV_CTX_set_send_unprotected_errors(OSSL_CMP_SRV_CTX *, int);
int OSSL_CMP_SRV_CTX_set_accept_unprotected(OSSL_CMP_SRV_CTX *, int);
int OSSL_CMP_SRV_CTX_set_accept_raverified(OSSL_CMP_SRV_CTX *, int);
int OSSL_CMP_SRV_CTX_set_grant_implicit_confirm(OSSL_CMP_SRV_CTX *, int);

/* Stacks of OSSL_CMP_CERTSTATUS */
MACRO int sk_OSSL_CMP_CERTSTATUS_num(const struct stack_st_OSSL_CMP_CERTSTATUS *);
MACRO OSSL_CMP_CERTSTATUS *sk_OSSL_CMP_CERTSTATUS_value(const struct stack_st_OSSL_CMP_CERTSTATUS *, int);
MACRO struct stack_st_OSSL_CMP_CERTSTATUS *sk_OSSL_CMP_CERTSTATUS_new_null(void);
MACRO int sk_OSSL_CMP_CERTSTATUS_push(struct stack_st_OSSL_CMP_CERTSTATUS *, OSSL_CMP_CERTSTATUS *);
MACRO int sk_OSSL_CMP_CERTSTATUS_insert(struct stack_st_OSSL_CMP_CERTSTATUS *, OSSL_CMP_CERTSTATUS *, int);
MACRO OSSL_CMP_CERTSTATUS *sk_OSSL_CMP_CERTSTATUS_set(struct stack_st_OSSL_CMP_CERTSTATUS *, int, OSSL_CMP_CERTSTATUS *);
MACRO OSSL_CMP_CERTSTATUS *sk_OSSL_CMP_CERTSTATUS_pop(struct stack_st_OSSL_CMP_CERTSTATUS *);
MACRO OSSL_CMP_CERTSTATUS *sk_OSSL_CMP_CERTSTATUS_shift(struct stack_st_OSSL_CMP_CERTSTATUS *);
MACRO OSSL_CMP_CERTSTATUS *sk_OSSL_CMP_CERTSTATUS_delete(struct stack_st_OSSL_CMP_CERTSTATUS *, int);
MACRO void sk_OSSL_CMP_CERTSTATUS_free(struct stack_st_OSSL_CMP_CERTSTATUS *);
MACRO void sk_OSSL_CMP_CERTSTATUS_pop_free(struct stack_st_OSSL_CMP_CERTSTATUS *, sk_OSSL_CMP_CERTSTATUS_freefunc);
MACRO struct stack_st_OSSL_CMP_CERTSTATUS *sk_OSSL_CMP_CERTSTATUS_dup(const struct stack_st_OSSL_CMP_CERTSTATUS *);
MACRO struct stack_st_OSSL_CMP_CERTSTATUS *sk_OSSL_CMP_CERTSTATUS_deep_copy(const struct stack_st_OSSL_CMP_CERTSTATUS *, sk_OSSL_CMP_CERTSTATUS_copyfunc, sk_OSSL_CMP_CERTSTATUS_freefunc);

/* Stacks of OSSL_CMP_ITAV */
MACRO int sk_OSSL_CMP_ITAV_num(const struct stack_st_OSSL_CMP_ITAV *);
MACRO OSSL_CMP_ITAV *sk_OSSL_CMP_ITAV_value(const struct stack_st_OSSL_CMP_ITAV *, int);
MACRO struct stack_st_OSSL_CMP_ITAV *sk_OSSL_CMP_ITAV_new_null(void);
MACRO int sk_OSSL_CMP_ITAV_push(struct stack_st_OSSL_CMP_ITAV *, OSSL_CMP_ITAV *);
MACRO int sk_OSSL_CMP_ITAV_insert(struct stack_st_OSSL_CMP_ITAV *, OSSL_CMP_ITAV *, int);
MACRO OSSL_CMP_ITAV *sk_OSSL_CMP_ITAV_set(struct stack_st_OSSL_CMP_ITAV *, int, OSSL_CMP_ITAV *);
MACRO OSSL_CMP_ITAV *sk_OSSL_CMP_ITAV_pop(struct stack_st_OSSL_CMP_ITAV *);
MACRO OSSL_CMP_ITAV *sk_OSSL_CMP_ITAV_shift(struct stack_st_OSSL_CMP_ITAV *);
MACRO OSSL_CMP_ITAV *sk_OSSL_CMP_ITAV_delete(struct stack_st_OSSL_CMP_ITAV *, int);
MACRO void sk_OSSL_CMP_ITAV_free(struct stack_st_OSSL_CMP_ITAV *);
MACRO void sk_OSSL_CMP_ITAV_pop_free(struct stack_st_OSSL_CMP_ITAV *, sk_OSSL_CMP_ITAV_freefunc);
MACRO struct stack_st_OSSL_CMP_ITAV *sk_OSSL_CMP_ITAV_dup(const struct stack_st_OSSL_CMP_ITAV *);
MACRO struct stack_st_OSSL_CMP_ITAV *sk_OSSL_CMP_ITAV_deep_copy(const struct stack_st_OSSL_CMP_ITAV *, sk_OSSL_CMP_ITAV_copyfunc, sk_OSSL_CMP_ITAV_freefunc);

/* Stacks of OSSL_CMP_PKISI */
MACRO int sk_OSSL_CMP_PKISI_num(const struct stack_st_OSSL_CMP_PKISI *);
MACRO OSSL_CMP_PKISI *sk_OSSL_CMP_PKISI_value(const struct stack_st_OSSL_CMP_PKISI *, int);
MACRO struct stack_st_OSSL_CMP_PKISI *sk_OSSL_CMP_PKISI_new_null(void);
MACRO int sk_OSSL_CMP_PKISI_push(struct stack_st_OSSL_CMP_PKISI *, OSSL_CMP_PKISI *);
MACRO int sk_OSSL_CMP_PKISI_insert(struct stack_st_OSSL_CMP_PKISI *, OSSL_CMP_PKISI *, int);
MACRO OSSL_CMP_PKISI *sk_OSSL_CMP_PKISI_set(struct stack_st_OSSL_CMP_PKISI *, int, OSSL_CMP_PKISI *);
MACRO OSSL_CMP_PKISI *sk_OSSL_CMP_PKISI_pop(struct stack_st_OSSL_CMP_PKISI *);
MACRO OSSL_CMP_PKISI *sk_OSSL_CMP_PKISI_shift(struct stack_st_OSSL_CMP_PKISI *);
MACRO OSSL_CMP_PKISI *sk_OSSL_CMP_PKISI_delete(struct stack_st_OSSL_CMP_PKISI *, int);
MACRO void sk_OSSL_CMP_PKISI_free(struct stack_st_OSSL_CMP_PKISI *);
MACRO void sk_OSSL_CMP_PKISI_pop_free(struct stack_st_OSSL_CMP_PKISI *, sk_OSSL_CMP_PKISI_freefunc);
MACRO struct stack_st_OSSL_CMP_PKISI *sk_OSSL_CMP_PKISI_dup(const struct stack_st_OSSL_CMP_PKISI *);
MACRO struct stack_st_OSSL_CMP_PKISI *sk_OSSL_CMP_PKISI_deep_copy(const struct stack_st_OSSL_CMP_PKISI *, sk_OSSL_CMP_PKISI_copyfunc, sk_OSSL_CMP_PKISI_freefunc);

/* Stacks of OSSL_CMP_CERTREPMESSAGE */
MACRO int sk_OSSL_CMP_CERTREPMESSAGE_num(const struct stack_st_OSSL_CMP_CERTREPMESSAGE *);
MACRO OSSL_CMP_CERTREPMESSAGE *sk_OSSL_CMP_CERTREPMESSAGE_value(const struct stack_st_OSSL_CMP_CERTREPMESSAGE *, int);
MACRO struct stack_st_OSSL_CMP_CERTREPMESSAGE *sk_OSSL_CMP_CERTREPMESSAGE_new_null(void);
MACRO int sk_OSSL_CMP_CERTREPMESSAGE_push(struct stack_st_OSSL_CMP_CERTREPMESSAGE *, OSSL_CMP_CERTREPMESSAGE *);
MACRO int sk_OSSL_CMP_CERTREPMESSAGE_insert(struct stack_st_OSSL_CMP_CERTREPMESSAGE *, OSSL_CMP_CERTREPMESSAGE *, int);
MACRO OSSL_CMP_CERTREPMESSAGE *sk_OSSL_CMP_CERTREPMESSAGE_set(struct stack_st_OSSL_CMP_CERTREPMESSAGE *, int, OSSL_CMP_CERTREPMESSAGE *);
MACRO OSSL_CMP_CERTREPMESSAGE *sk_OSSL_CMP_CERTREPMESSAGE_pop(struct stack_st_OSSL_CMP_CERTREPMESSAGE *);
MACRO OSSL_CMP_CERTREPMESSAGE *sk_OSSL_CMP_CERTREPMESSAGE_shift(struct stack_st_OSSL_CMP_CERTREPMESSAGE *);
MACRO OSSL_CMP_CERTREPMESSAGE *sk_OSSL_CMP_CERTREPMESSAGE_delete(struct stack_st_OSSL_CMP_CERTREPMESSAGE *, int);
MACRO void sk_OSSL_CMP_CERTREPMESSAGE_free(struct stack_st_OSSL_CMP_CERTREPMESSAGE *);
MACRO void sk_OSSL_CMP_CERTREPMESSAGE_pop_free(struct stack_st_OSSL_CMP_CERTREPMESSAGE *, sk_OSSL_CMP_CERTREPMESSAGE_freefunc);
MACRO struct stack_st_OSSL_CMP_CERTREPMESSAGE *sk_OSSL_CMP_CERTREPMESSAGE_dup(const struct stack_st_OSSL_CMP_CERTREPMESSAGE *);
MACRO struct stack_st_OSSL_CMP_CERTREPMESSAGE *sk_OSSL_CMP_CERTREPMESSAGE_deep_copy(const struct stack_st_OSSL_CMP_CERTREPMESSAGE *, sk_OSSL_CMP_CERTREPMESSAGE_copyfunc, sk_OSSL_CMP_CERTREPMESSAGE_freefunc);

/* Stacks of OSSL_CMP_CERTRESPONSE */
MACRO int sk_OSSL_CMP_CERTRESPONSE_num(const struct stack_st_OSSL_CMP_CERTRESPONSE *);
MACRO OSSL_CMP_CERTRESPONSE *sk_OSSL_CMP_CERTRESPONSE_value(const struct stack_st_OSSL_CMP_CERTRESPONSE *, int);
MACRO struct stack_st_OSSL_CMP_CERTRESPONSE *sk_OSSL_CMP_CERTRESPONSE_new_null(void);
MACRO int sk_OSSL_CMP_CERTRESPONSE_push(struct stack_st_OSSL_CMP_CERTRESPONSE *, OSSL_CMP_CERTRESPONSE *);
MACRO int sk_OSSL_CMP_CERTRESPONSE_insert(struct stack_st_OSSL_CMP_CERTRESPONSE *, OSSL_CMP_CERTRESPONSE *, int);
MACRO OSSL_CMP_CERTRESPONSE *sk_OSSL_CMP_CERTRESPONSE_set(struct stack_st_OSSL_CMP_CERTRESPONSE *, int, OSSL_CMP_CERTRESPONSE *);
MACRO OSSL_CMP_CERTRESPONSE *sk_OSSL_CMP_CERTRESPONSE_pop(struct stack_st_OSSL_CMP_CERTRESPONSE *);
MACRO OSSL_CMP_CERTRESPONSE *sk_OSSL_CMP_CERTRESPONSE_shift(struct stack_st_OSSL_CMP_CERTRESPONSE *);
MACRO OSSL_CMP_CERTRESPONSE *sk_OSSL_CMP_CERTRESPONSE_delete(struct stack_st_OSSL_CMP_CERTRESPONSE *, int);
MACRO void sk_OSSL_CMP_CERTRESPONSE_free(struct stack_st_OSSL_CMP_CERTRESPONSE *);
MACRO void sk_OSSL_CMP_CERTRESPONSE_pop_free(struct stack_st_OSSL_CMP_CERTRESPONSE *, sk_OSSL_CMP_CERTRESPONSE_freefunc);
MACRO struct stack_st_OSSL_CMP_CERTRESPONSE *sk_OSSL_CMP_CERTRESPONSE_dup(const struct stack_st_OSSL_CMP_CERTRESPONSE *);
MACRO struct stack_st_OSSL_CMP_CERTRESPONSE *sk_OSSL_CMP_CERTRESPONSE_deep_copy(const struct stack_st_OSSL_CMP_CERTRESPONSE *, sk_OSSL_CMP_CERTRESPONSE_copyfunc, sk_OSSL_CMP_CERTRESPONSE_freefunc);
