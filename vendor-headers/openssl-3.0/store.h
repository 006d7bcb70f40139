/* <openssl/store.h>: keys and certificates by URI. */

/* Types */
typedef struct ossl_store_ctx_st OSSL_STORE_CTX;
typedef OSSL_STORE_INFO *(*OSSL_STORE_post_process_info_fn)(OSSL_STORE_INFO *, void *);

/* What was found */
#define OSSL_STORE_INFO_NAME ...
#define OSSL_STORE_INFO_PARAMS ...
#define OSSL_STORE_INFO_PUBKEY ...
#define OSSL_STORE_INFO_PKEY ...
#define OSSL_STORE_INFO_CERT ...
#define OSSL_STORE_INFO_CRL ...

/* Search */
#define OSSL_STORE_SEARCH_BY_NAME ...
#define OSSL_STORE_SEARCH_BY_ISSUER_SERIAL ...
#define OSSL_STORE_SEARCH_BY_KEY_FINGERPRINT ...
#define OSSL_STORE_SEARCH_BY_ALIAS ...

/* Other constants */
#define OSSL_STORE_C_USE_SECMEM ...
#define OSSL_STORE_C_CUSTOM_START ...

/* Opening and reading */
OSSL_STORE_CTX *OSSL_STORE_open(const char *, const UI_METHOD *, void *, OSSL_STORE_post_process_info_fn, void *);
OSSL_STORE_CTX *OSSL_STORE_open_ex(const char *, OSSL_LIB_CTX *, const char *, const UI_METHOD *, void *, const OSSL_PARAM[], OSSL_STORE_post_process_info_fn, void *);
OSSL_STORE_INFO *OSSL_STORE_load(OSSL_STORE_CTX *);
int OSSL_STORE_eof(OSSL_STORE_CTX *);
int OSSL_STORE_error(OSSL_STORE_CTX *);
int OSSL_STORE_close(OSSL_STORE_CTX *);
OSSL_STORE_CTX *OSSL_STORE_attach(BIO *, const char *, OSSL_LIB_CTX *, const char *, const UI_METHOD *, void *, const OSSL_PARAM[], OSSL_STORE_post_process_info_fn, void *);
int OSSL_STORE_supports_search(OSSL_STORE_CTX *, int);
int OSSL_STORE_expect(OSSL_STORE_CTX *, int);
int OSSL_STORE_find(OSSL_STORE_CTX *, const OSSL_STORE_SEARCH *);

/* What was found */
int OSSL_STORE_INFO_get_type(const OSSL_STORE_INFO *);
void *OSSL_STORE_INFO_get0_data(int, const OSSL_STORE_INFO *);
const char *OSSL_STORE_INFO_get0_NAME(const OSSL_STORE_INFO *);
char *OSSL_STORE_INFO_get1_NAME(const OSSL_STORE_INFO *);
const char *OSSL_STORE_INFO_get0_NAME_description(const OSSL_STORE_INFO *);
char *OSSL_STORE_INFO_get1_NAME_description(const OSSL_STORE_INFO *);
EVP_PKEY *OSSL_STORE_INFO_get0_PARAMS(const OSSL_STORE_INFO *);
EVP_PKEY *OSSL_STORE_INFO_get1_PARAMS(const OSSL_STORE_INFO *);
EVP_PKEY *OSSL_STORE_INFO_get0_PUBKEY(const OSSL_STORE_INFO *);
EVP_PKEY *OSSL_STORE_INFO_get1_PUBKEY(const OSSL_STORE_INFO *);
EVP_PKEY *OSSL_STORE_INFO_get0_PKEY(const OSSL_STORE_INFO *);
EVP_PKEY *OSSL_STORE_INFO_get1_PKEY(const OSSL_STORE_INFO *);
X509 *OSSL_STORE_INFO_get0_CERT(const OSSL_STORE_INFO *);
X509 *OSSL_STORE_INFO_get1_CERT(const OSSL_STORE_INFO *);
X509_CRL *OSSL_STORE_INFO_get0_CRL(const OSSL_STORE_INFO *);
X509_CRL *OSSL_STORE_INFO_get1_CRL(const OSSL_STORE_INFO *);
const char *OSSL_STORE_INFO_type_string(int);
void OSSL_STORE_INFO_free(OSSL_STORE_INFO *);

/* Search */
OSSL_STORE_SEARCH *OSSL_STORE_SEARCH_by_name(CONST_SINCE_4_0 X509_NAME *);
OSSL_STORE_SEARCH *OSSL_STORE_SEARCH_by_issuer_serial(CONST_SINCE_4_0 X509_NAME *, const ASN1_INTEGER *);
OSSL_STORE_SEARCH *OSSL_STORE_SEARCH_by_key_fingerprint(const EVP_MD *, const unsigned char *, size_t);
OSSL_STORE_SEARCH *OSSL_STORE_SEARCH_by_alias(const char *);
void OSSL_STORE_SEARCH_free(OSSL_STORE_SEARCH *);
int OSSL_STORE_SEARCH_get_type(const OSSL_STORE_SEARCH *);
CONST_SINCE_4_0 X509_NAME *OSSL_STORE_SEARCH_get0_name(const OSSL_STORE_SEARCH *);
const ASN1_INTEGER *OSSL_STORE_SEARCH_get0_serial(const OSSL_STORE_SEARCH *);
const unsigned char *OSSL_STORE_SEARCH_get0_bytes(const OSSL_STORE_SEARCH *, size_t *);
const char *OSSL_STORE_SEARCH_get0_string(const OSSL_STORE_SEARCH *);
const EVP_MD *OSSL_STORE_SEARCH_get0_digest(const OSSL_STORE_SEARCH *);
