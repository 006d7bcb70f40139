/* <openssl/http.h>: the HTTP client. */

/* Types */
typedef BIO *(*OSSL_HTTP_bio_cb_t)(BIO *, void *, int, int);

/* Defaults */
#define OSSL_HTTP_DEFAULT_MAX_LINE_LEN ...
#define OSSL_HTTP_DEFAULT_MAX_RESP_LEN ...

/* Schemes and environment */
static const char *const OSSL_HTTP_NAME;
static const char *const OSSL_HTTPS_NAME;
static const char *const OSSL_HTTP_PREFIX;
static const char *const OSSL_HTTPS_PREFIX;
static const char *const OSSL_HTTP_PORT;
static const char *const OSSL_HTTPS_PORT;
static const char *const OPENSSL_HTTP_PROXY;
static const char *const OPENSSL_HTTPS_PROXY;

/* One request and its response, step by step */
OSSL_HTTP_REQ_CTX *OSSL_HTTP_REQ_CTX_new(BIO *, BIO *, int);
void OSSL_HTTP_REQ_CTX_free(OSSL_HTTP_REQ_CTX *);
int OSSL_HTTP_REQ_CTX_set_request_line(OSSL_HTTP_REQ_CTX *, int, const char *, const char *, const char *);
int OSSL_HTTP_REQ_CTX_add1_header(OSSL_HTTP_REQ_CTX *, const char *, const char *);
int OSSL_HTTP_REQ_CTX_set_expected(OSSL_HTTP_REQ_CTX *, const char *, int, int, int);
int OSSL_HTTP_REQ_CTX_set1_req(OSSL_HTTP_REQ_CTX *, const char *, const ASN1_ITEM *, const ASN1_VALUE *);
int OSSL_HTTP_REQ_CTX_nbio(OSSL_HTTP_REQ_CTX *);
int OSSL_HTTP_REQ_CTX_nbio_d2i(OSSL_HTTP_REQ_CTX *, ASN1_VALUE **, const ASN1_ITEM *);
BIO *OSSL_HTTP_REQ_CTX_exchange(OSSL_HTTP_REQ_CTX *);
BIO *OSSL_HTTP_REQ_CTX_get0_mem_bio(const OSSL_HTTP_REQ_CTX *);
size_t OSSL_HTTP_REQ_CTX_get_resp_len(const OSSL_HTTP_REQ_CTX *);
void OSSL_HTTP_REQ_CTX_set_max_response_length(OSSL_HTTP_REQ_CTX *, unsigned long);

/* Whole transfers */
int OSSL_HTTP_is_alive(const OSSL_HTTP_REQ_CTX *);
OSSL_HTTP_REQ_CTX *OSSL_HTTP_open(const char *, const char *, const char *, const char *, int, BIO *, BIO *, OSSL_HTTP_bio_cb_t, void *, int, int);
int OSSL_HTTP_proxy_connect(BIO *, const char *, const char *, const char *, const char *, int, BIO *, const char *);
int OSSL_HTTP_set1_request(OSSL_HTTP_REQ_CTX *, const char *, const struct stack_st_CONF_VALUE *, const char *, BIO *, const char *, int, size_t, int, int);
BIO *OSSL_HTTP_exchange(OSSL_HTTP_REQ_CTX *, char **);
BIO *OSSL_HTTP_get(const char *, const char *, const char *, BIO *, BIO *, OSSL_HTTP_bio_cb_t, void *, int, const struct stack_st_CONF_VALUE *, const char *, int, size_t, int);
BIO *OSSL_HTTP_transfer(OSSL_HTTP_REQ_CTX **, const char *, const char *, const char *, int, const char *, const char *, BIO *, BIO *, OSSL_HTTP_bio_cb_t, void *, int, const struct stack_st_CONF_VALUE *, const char *, BIO *, const char *, int, size_t, int, int);
int OSSL_HTTP_close(OSSL_HTTP_REQ_CTX *, int);

/* URLs */
int OSSL_parse_url(const char *, char **, char **, char **, char **, int *, char **, char **, char **);
int OSSL_HTTP_parse_url(const char *, int *, char **, char **, char **, int *, char **, char **, char **);
const char *OSSL_HTTP_adapt_proxy(const char *, const char *, const char *, int);
