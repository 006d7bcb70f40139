/* What a call into libcrypto carries with it: found again through the thread. */
typedef struct osslcmp_session osslcmp_session;

osslcmp_session *osslcmp_session_new(void *);
void osslcmp_session_free(osslcmp_session *);
int osslcmp_session_set_server(osslcmp_session *, const char *, const char *);
int osslcmp_session_set_path(osslcmp_session *, const char *);
int osslcmp_session_set_proxy(osslcmp_session *, const char *);
/* Whether all before an "@" in the URL of a proxy is user and password for libcrypto, too. */
int osslcmp_proxy_user_ends(const char *);
int osslcmp_session_set_no_proxy(osslcmp_session *, const char *);
void osslcmp_session_set_http_cb(osslcmp_session *, OSSL_HTTP_bio_cb_t, void *, int);
void osslcmp_session_set_log_level(osslcmp_session *, int);
void osslcmp_session_set_traced(osslcmp_session *, int);
void osslcmp_session_set_max_response(osslcmp_session *, unsigned long);
void osslcmp_session_cancel(osslcmp_session *, int);
int osslcmp_session_cancelled(const osslcmp_session *);
void osslcmp_session_disconnect(osslcmp_session *);
int osslcmp_session_connected(const osslcmp_session *);

/* HTTPS: settings, and the OSSL_HTTP_bio_cb_t that takes them as its argument. */
typedef struct osslcmp_tls osslcmp_tls;
osslcmp_tls *osslcmp_tls_new(SSL_CTX *, int, const char *, const char *);
void osslcmp_tls_free(osslcmp_tls *);
BIO *osslcmp_tls_cb(BIO *, void *, int, int);

void osslcmp_session_set_transfer(osslcmp_session *, OSSL_CMP_transfer_cb_t);
void osslcmp_session_set_deadline(osslcmp_session *, int64_t);
const unsigned char *osslcmp_session_saved(const osslcmp_session *, int, long *);
void osslcmp_session_forget(osslcmp_session *);
int osslcmp_session_push_replay(osslcmp_session *, const unsigned char *, long);
void osslcmp_session_clear_replay(osslcmp_session *);
int osslcmp_session_poll_left_to_us(const osslcmp_session *);
int osslcmp_session_poll_unanswered(const osslcmp_session *);
const unsigned char *osslcmp_session_last(const osslcmp_session *, long *);
void osslcmp_session_set_unprotected(osslcmp_session *, int);

osslcmp_session *osslcmp_enter(osslcmp_session *);
void osslcmp_leave(osslcmp_session *);

/* Callbacks in C, ready to be set on an OSSL_CMP_CTX. */
int osslcmp_log(const char *, const char *, int, OSSL_CMP_severity, const char *);
OSSL_CMP_MSG *osslcmp_transfer(OSSL_CMP_CTX *, const OSSL_CMP_MSG *);
OSSL_CMP_MSG *osslcmp_http_transfer(OSSL_CMP_CTX *, const OSSL_CMP_MSG *);

/* For trust stores, in place of X509_STORE_CTX_print_verify_cb(): the second one for that of messages, on which nothing is printed. */
int osslcmp_verify_cb(int, X509_STORE_CTX *);
int osslcmp_validate_cb(int, X509_STORE_CTX *);
/* Likewise for a server, which says whose messages it validates from now on (NULL: nobody's). */
int osslcmp_validate_quietly_cb(int, X509_STORE_CTX *);
void osslcmp_validate(osslcmp_session *, OSSL_CMP_CTX *);
/* A certificate is good below this store if one of its paths is: see path.c. */
int osslcmp_take_any_good_path(X509_STORE *);
/* All CRLs of this store are looked at, indirect ones among them, not only those of a certificate's issuer. */
void osslcmp_take_any_crl(X509_STORE *);
/* Of a certificate as OpenSSL prints it; -1 for lack of memory. */
long osslcmp_longest_line(X509 *);

/* What is looked at before libcrypto decodes a message: see precheck.c. */
typedef struct osslcmp_limits {
    uint32_t message, depth, elements, certificates;
    uint32_t oid, integer, serial, name, extension, text;
    uint32_t iterations, line, curves, exponent, tls;
} osslcmp_limits;
typedef struct osslcmp_finding {
    int violation;
    uint32_t offset;
    uint32_t found, limit;
    const char *what;
} osslcmp_finding;
const char *osslcmp_violation_text(int);
int osslcmp_violation_is_limit(int);
int osslcmp_violation_is_garbage(int);
void osslcmp_session_set_limits(osslcmp_session *, const osslcmp_limits *);
OSSL_CMP_MSG *osslcmp_session_receive(osslcmp_session *, const unsigned char *, long);
const unsigned char *osslcmp_session_http(const osslcmp_session *, int *, long *);
const unsigned char *osslcmp_session_refused(const osslcmp_session *, long *, osslcmp_finding *);

/* A whole message: of a peer, only looked at, or of our own. InfoTypeAndValue to and from DER, for every kind. */
OSSL_CMP_MSG *osslcmp_d2i_msg(const unsigned char *, long, const osslcmp_limits *, osslcmp_finding *);
int osslcmp_check_msg(const unsigned char *, long, const osslcmp_limits *, osslcmp_finding *);
OSSL_CMP_MSG *osslcmp_own_msg(const unsigned char *, long);
/* Where the fields of a message are: see outline.c. */
typedef struct osslcmp_spans {
    uint32_t at[36];
    int body_type;
} osslcmp_spans;
int osslcmp_outline(const unsigned char *, long, osslcmp_spans *, osslcmp_finding *);
OSSL_CMP_ITAV *osslcmp_d2i_itav(const unsigned char *, long);
int osslcmp_i2d_itav(const OSSL_CMP_ITAV *, unsigned char **);

/* Lets every key that a CA makes be checked for who may make it: see purpose.c. To be called once, before any comes. */
int osslcmp_know_key_makers(void);

/* The version that the extension was compiled against. */
unsigned long osslcmp_built_version(void);

extern "Python" {
    int osslcmp_py_tick(void *);
    int osslcmp_py_resolve(void *, const osslcmp_session *, const char *, double, char *, int);
    void osslcmp_py_log(void *, const char *, const char *, int, int, const char *);
    void osslcmp_py_message(void *, int, const OSSL_CMP_MSG *);
    OSSL_CMP_MSG *osslcmp_py_transfer(OSSL_CMP_CTX *, const OSSL_CMP_MSG *);
    int osslcmp_py_cert_conf(OSSL_CMP_CTX *, X509 *, int, const char **);
    BIO *osslcmp_py_http(BIO *, void *, int, int);
    int osslcmp_py_verify(int, X509_STORE_CTX *);
}
