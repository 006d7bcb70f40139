/*
 * A session is the C side of one osslcmp.Context: where its HTTP requests go,
 * the connection kept open between them, and what a callback must know that
 * OpenSSL gives no argument for. osslcmp_enter() and osslcmp_leave() bracket
 * every call that may call back; between them the session is found through
 * the thread, so that nothing has to be hidden in the user's callback arguments.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#ifdef _WIN32
# include <winsock2.h>
# define osslcmp_poll WSAPoll
# define osslcmp_getpid() 0
# define osslcmp_close closesocket
# define osslcmp_errno() WSAGetLastError()
#else
# include <poll.h>
# include <unistd.h>
# define osslcmp_poll poll
# define osslcmp_getpid() ((long)getpid())
# define osslcmp_close close
# define osslcmp_errno() errno
#endif

#if defined(_MSC_VER)
# define OSSLCMP_THREAD __declspec(thread)
#else
# define OSSLCMP_THREAD __thread
#endif

/* What another thread, or a signal handler, may set at any time. */
#if defined(_MSC_VER)
typedef volatile LONG osslcmp_flag;
# define osslcmp_flag_set(flag, value) ((void)InterlockedExchange((flag), (value)))
# define osslcmp_flag_get(flag) ((int)InterlockedOr((volatile LONG *)(flag), 0))
#else
typedef int osslcmp_flag;
# define osslcmp_flag_set(flag, value) __atomic_store_n((flag), (value), __ATOMIC_SEQ_CST)
# define osslcmp_flag_get(flag) __atomic_load_n((flag), __ATOMIC_SEQ_CST)
#endif

/* OpenSSL names these body types only to itself. */
#define OSSLCMP_ERROR 23
#define OSSLCMP_CERTCONF 24
#define OSSLCMP_POLLREQ 25
#define OSSLCMP_POLLREP 26

static int osslcmp_asks_for_certificate(int type)
{
    return type == OSSL_CMP_IR || type == OSSL_CMP_CR || type == OSSL_CMP_P10CR || type == OSSL_CMP_KUR;
}

typedef struct osslcmp_der {
    unsigned char *der;
    long length;
} osslcmp_der;

/* How the last poll of a call ended. */
enum osslcmp_poll_end {
    OSSLCMP_POLL_ANSWERED,   /* or there was none */
    OSSLCMP_POLL_LEFT_TO_US, /* libcrypto would sleep: Python has to send it */
    OSSLCMP_POLL_UNANSWERED
};

#define OSSLCMP_SLOTS 5
#define OSSLCMP_HELD 8
#define OSSLCMP_REPLAYS 2

typedef struct osslcmp_session {
    void *self;                 /* handle of the Python object, NULL for none */
    long pid;                   /* a child must not talk on its parent's connection */
    char *host, *port, *path;
    char *proxy, *no_proxy;
    OSSL_HTTP_bio_cb_t http_cb; /* wraps the connection, for instance in TLS */
    void *http_cb_arg;
    int use_tls;
    int log_level;
    int traced;                 /* Python looks on */
    unsigned long max_response;
    osslcmp_flag cancelled;     /* may be set from another thread */
    int64_t looked;             /* when the deadline, cancellation and signals were looked at last */
    int stopped;                /* this transfer was cancelled or interrupted */
    int heard;                  /* something of an answer came */
    int reset;                  /* the server had closed before it read what we sent */
    BIO *bio;                   /* the connection, NULL when there is none */
    int wrapped;                /* http_cb has had it */
    BIO *feed, *source;         /* OpenSSL's HTTP client talks to source, we to feed and the connection */
    OSSL_HTTP_REQ_CTX *http;
    OSSL_CMP_transfer_cb_t transfer; /* who carries messages: replay.c stands around it */
    int64_t deadline;           /* of the whole request, 0 for none */
    int asked;                  /* type of the last message that was no pollReq */
    enum osslcmp_poll_end poll; /* of the call that runs, or was last */
    osslcmp_der unanswered;     /* the last poll if it got no answer, to be sent as it was */
    int64_t unanswered_since;
    int last;                   /* the slot of the last answer, -1 for none */
    OSSL_CMP_CTX *validating;   /* whose answer is looked at, and its verbosity while that is lowered, else -1 */
    int verbosity;
    int unprotected;            /* what OPT_UNPROTECTED_SEND is when nothing is replayed */
    osslcmp_limits limits;      /* of what comes */
    osslcmp_finding finding;    /* why the last answer was refused before it was decoded */
    osslcmp_der refused;        /* that answer */
    int http_status;            /* of the last HTTP answer of the call, 0 if none came */
    osslcmp_der http_body;      /* the beginning of that answer if it is no CMP message */
    osslcmp_der replay[OSSLCMP_REPLAYS]; /* answers to give out instead of sending, the next one first */
    osslcmp_der saved[OSSLCMP_SLOTS];
    X509 *held[OSSLCMP_HELD];   /* the certificates that were verified last: see osslcmp_hold() */
} osslcmp_session;

static OSSLCMP_THREAD osslcmp_session *osslcmp_current;

static void osslcmp_drop(osslcmp_der *);
static void osslcmp_forget_http(osslcmp_session *);
static void osslcmp_session_forget(osslcmp_session *);
static void osslcmp_session_clear_replay(osslcmp_session *);
static OSSL_CMP_MSG *osslcmp_http_transfer(OSSL_CMP_CTX *, const OSSL_CMP_MSG *);
static void osslcmp_validate(osslcmp_session *, OSSL_CMP_CTX *);
static int osslcmp_py_tick(void *);
static int osslcmp_py_resolve(void *, const osslcmp_session *, const char *, double, char *, int);
static void osslcmp_py_message(void *, int, const OSSL_CMP_MSG *);
static void osslcmp_py_log(void *, const char *, const char *, int, int, const char *);

static unsigned long osslcmp_built_version(void)
{
    return OPENSSL_VERSION_NUMBER;
}

static osslcmp_session *osslcmp_session_new(void *self)
{
    osslcmp_session *s = OPENSSL_zalloc(sizeof(*s));

    if (s != NULL) {
        s->self = self;
        s->pid = osslcmp_getpid();
        s->log_level = OSSL_CMP_LOG_ERR;
        s->transfer = osslcmp_http_transfer;
        s->limits = osslcmp_default_limits;
    }
    return s;
}

static int osslcmp_session_connected(const osslcmp_session *s)
{
    return s->bio != NULL;
}

/* What the parent of this process talks on: let go of it without a word. */
static void osslcmp_abandon(BIO *bio)
{
    BIO *socket = BIO_find_type(bio, BIO_TYPE_CONNECT);
    SSL *ssl = NULL;
    int fd = -1;

    if (BIO_get_ssl(bio, &ssl) > 0 && ssl != NULL)
        SSL_set_quiet_shutdown(ssl, 1);
    if (socket != NULL && BIO_get_fd(socket, &fd) >= 0) {
        (void)BIO_set_close(socket, BIO_NOCLOSE); /* it would shut the connection down for both */
        osslcmp_close(fd);
    }
    BIO_free_all(bio);
}

static void osslcmp_hang_up(osslcmp_session *s, int ok)
{
    BIO *bio = s->bio;
    int wrapped = s->wrapped;

    OSSL_HTTP_REQ_CTX_free(s->http);
    BIO_free(s->feed);
    BIO_free(s->source);
    s->http = NULL;
    s->bio = s->feed = s->source = NULL;
    s->wrapped = 0;
    if (bio == NULL)
        return;
    /* Why the connection ends has been told: that its end fails as well is no news. */
    ERR_set_mark();
    if (s->pid != osslcmp_getpid()) {
        osslcmp_abandon(bio);
    } else {
        if (wrapped && s->http_cb != NULL) {
            BIO *rest = s->http_cb(bio, s->http_cb_arg, 0 /* disconnect */, ok);

            if (rest != NULL)
                bio = rest;
        }
        BIO_free_all(bio);
    }
    ERR_pop_to_mark();
}

static void osslcmp_session_disconnect(osslcmp_session *s)
{
    osslcmp_hang_up(s, 1);
}

static void osslcmp_wipe(char *text)
{
    if (text != NULL)
        OPENSSL_clear_free(text, strlen(text));
}

static void osslcmp_session_free(osslcmp_session *s)
{
    int i;

    if (s == NULL)
        return;
    for (i = 0; i < OSSLCMP_HELD; i++)
        X509_free(s->held[i]);
    /* Python may be on its way out: no more calls into it from here on. */
    s->self = NULL;
    osslcmp_hang_up(s, 1);
    osslcmp_session_forget(s);
    osslcmp_session_clear_replay(s);
    osslcmp_drop(&s->refused);
    osslcmp_drop(&s->http_body);
    OPENSSL_free(s->host);
    OPENSSL_free(s->port);
    OPENSSL_free(s->path);
    osslcmp_wipe(s->proxy);
    OPENSSL_free(s->no_proxy);
    OPENSSL_free(s);
}

static int osslcmp_set_string(char **slot, const char *value)
{
    char *copy = NULL;

    if (value != NULL && (copy = OPENSSL_strdup(value)) == NULL)
        return 0;
    OPENSSL_free(*slot);
    *slot = copy;
    return 1;
}

static int osslcmp_session_set_server(osslcmp_session *s, const char *host, const char *port)
{
    osslcmp_hang_up(s, 1);
    return osslcmp_set_string(&s->host, host) && osslcmp_set_string(&s->port, port);
}

static int osslcmp_session_set_path(osslcmp_session *s, const char *path)
{
    return osslcmp_set_string(&s->path, path);
}

static int osslcmp_session_set_proxy(osslcmp_session *s, const char *proxy)
{
    char *copy = NULL;

    osslcmp_hang_up(s, 1);
    if (proxy != NULL && (copy = OPENSSL_strdup(proxy)) == NULL)
        return 0;
    osslcmp_wipe(s->proxy); /* it may have a password */
    s->proxy = copy;
    return 1;
}

static int osslcmp_session_set_no_proxy(osslcmp_session *s, const char *names)
{
    osslcmp_hang_up(s, 1);
    return osslcmp_set_string(&s->no_proxy, names);
}

static void osslcmp_session_set_http_cb(osslcmp_session *s, OSSL_HTTP_bio_cb_t cb, void *arg,
                                        int use_tls)
{
    osslcmp_hang_up(s, 1);
    s->http_cb = cb;
    s->http_cb_arg = arg;
    s->use_tls = use_tls;
}

static void osslcmp_session_set_log_level(osslcmp_session *s, int level)
{
    s->log_level = level;
}

static void osslcmp_session_set_traced(osslcmp_session *s, int traced)
{
    s->traced = traced;
}

static void osslcmp_session_set_max_response(osslcmp_session *s, unsigned long length)
{
    s->max_response = length;
}

static void osslcmp_session_set_limits(osslcmp_session *s, const osslcmp_limits *limits)
{
    s->limits = *limits;
}

/* An answer: NULL with an error queued if it is none that libcrypto may see. */
static OSSL_CMP_MSG *osslcmp_session_receive(osslcmp_session *s, const unsigned char *der, long length)
{
    OSSL_CMP_MSG *answer = osslcmp_d2i_msg(der, length, &s->limits, &s->finding);

    if (answer == NULL && s->finding.violation != OSSLCMP_FINE
            && !osslcmp_violation_is_garbage(s->finding.violation)) {
        osslcmp_drop(&s->refused);
        s->refused.der = OPENSSL_memdup(der, (size_t)length);
        s->refused.length = s->refused.der == NULL ? 0 : length;
    }
    return answer;
}

/* After a call: the answer that was a CMP message but was refused before it was decoded, and why; NULL for none. */
static const unsigned char *osslcmp_session_refused(const osslcmp_session *s, long *length, osslcmp_finding *finding)
{
    *length = s->refused.length;
    *finding = s->finding;
    return s->refused.der;
}

static void osslcmp_forget_http(osslcmp_session *s)
{
    s->http_status = 0;
    osslcmp_drop(&s->http_body);
}

/* After a call: the status of the last HTTP answer, 0 for none, and its beginning if it was no CMP message, else NULL. */
static const unsigned char *osslcmp_session_http(const osslcmp_session *s, int *status, long *length)
{
    *status = s->http_status;
    *length = s->http_body.length;
    return s->http_body.der;
}

static void osslcmp_session_cancel(osslcmp_session *s, int on)
{
    osslcmp_flag_set(&s->cancelled, on);
}

static int osslcmp_session_cancelled(const osslcmp_session *s)
{
    return osslcmp_flag_get(&s->cancelled);
}

static osslcmp_session *osslcmp_enter(osslcmp_session *s)
{
    osslcmp_session *outer = osslcmp_current;

    if (s != NULL) {
        s->poll = OSSLCMP_POLL_ANSWERED;
        s->last = -1;
        osslcmp_drop(&s->refused);
        osslcmp_forget_http(s);
    }
    osslcmp_current = s;
    return outer;
}

static void osslcmp_leave(osslcmp_session *outer)
{
    if (osslcmp_current != NULL)
        osslcmp_validate(osslcmp_current, NULL);
    osslcmp_current = outer;
}

/*
 * Levels that nobody wants end here, without the GIL. Errors always pass:
 * OpenSSL empties its error queue through this callback in places.
 */
static int osslcmp_log(const char *func, const char *file, int line, OSSL_CMP_severity level,
                       const char *msg)
{
    osslcmp_session *s = osslcmp_current;

    if (s != NULL && s->self != NULL
            && ((int)level <= s->log_level || level <= OSSL_CMP_LOG_ERR))
        osslcmp_py_log(s->self, func, file, line, (int)level, msg);
    return 1;
}
