/* <openssl/cmp.h>: the client and the server of CMP; what OpenSSL 3.2 added. */

/* Protocol versions */
#define OSSL_CMP_PVNO_2 ...
#define OSSL_CMP_PVNO_3 ...

/* Options of a context */
#define OSSL_CMP_OPT_USE_TLS ...

/* The client and server context */
OSSL_LIB_CTX *OSSL_CMP_CTX_get0_libctx(const OSSL_CMP_CTX *);
const char *OSSL_CMP_CTX_get0_propq(const OSSL_CMP_CTX *);

/* How the server is authenticated */
X509 *OSSL_CMP_CTX_get0_validatedSrvCert(const OSSL_CMP_CTX *);
MACRO int OSSL_CMP_CTX_set0_trusted(OSSL_CMP_CTX *, X509_STORE *);
MACRO X509_STORE *OSSL_CMP_CTX_get0_trusted(const OSSL_CMP_CTX *);

/* What is requested */
int OSSL_CMP_CTX_set1_serialNumber(OSSL_CMP_CTX *, const ASN1_INTEGER *);

/* Requests */
int OSSL_CMP_get1_caCerts(OSSL_CMP_CTX *, struct stack_st_X509 **);
int OSSL_CMP_get1_rootCaKeyUpdate(OSSL_CMP_CTX *, const X509 *, X509 **, X509 **, X509 **);

/* General information: InfoTypeAndValue */
OSSL_CMP_ITAV *OSSL_CMP_ITAV_new_caCerts(const struct stack_st_X509 *);
int OSSL_CMP_ITAV_get0_caCerts(const OSSL_CMP_ITAV *, struct stack_st_X509 **);
OSSL_CMP_ITAV *OSSL_CMP_ITAV_new_rootCaCert(const X509 *);
int OSSL_CMP_ITAV_get0_rootCaCert(const OSSL_CMP_ITAV *, X509 **);
OSSL_CMP_ITAV *OSSL_CMP_ITAV_new_rootCaKeyUpdate(const X509 *, const X509 *, const X509 *);
int OSSL_CMP_ITAV_get0_rootCaKeyUpdate(const OSSL_CMP_ITAV *, X509 **, X509 **, X509 **);
