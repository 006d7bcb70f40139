/* <openssl/cmp.h>: the client and the server of CMP; what OpenSSL 3.3 added. */

/* Types */
typedef int (*OSSL_CMP_SRV_delayed_delivery_cb_t)(OSSL_CMP_SRV_CTX *, const OSSL_CMP_MSG *);
typedef int (*OSSL_CMP_SRV_clean_transaction_cb_t)(OSSL_CMP_SRV_CTX *, const ASN1_OCTET_STRING *);

/* Options of a context */
#define OSSL_CMP_OPT_NO_CACHE_EXTRACERTS ...

/* Request types */
#define OSSL_CMP_GENM ...
#define OSSL_CMP_ERROR ...

/* Message header */
struct stack_st_OSSL_CMP_ITAV *OSSL_CMP_CTX_get0_geninfo_ITAVs(const OSSL_CMP_CTX *);

/* Messages */
struct stack_st_OSSL_CMP_ITAV *OSSL_CMP_HDR_get0_geninfo_ITAVs(const OSSL_CMP_PKIHEADER *);
X509_PUBKEY *OSSL_CMP_MSG_get0_certreq_publickey(const OSSL_CMP_MSG *);

/* General information: InfoTypeAndValue */
OSSL_CMP_ITAV *OSSL_CMP_ITAV_new0_certProfile(struct stack_st_ASN1_UTF8STRING *);
int OSSL_CMP_ITAV_get0_certProfile(const OSSL_CMP_ITAV *, struct stack_st_ASN1_UTF8STRING **);

/* The server */
int OSSL_CMP_SRV_CTX_init_trans(OSSL_CMP_SRV_CTX *, OSSL_CMP_SRV_delayed_delivery_cb_t, OSSL_CMP_SRV_clean_transaction_cb_t);
