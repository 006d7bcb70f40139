/*
 * The default HTTP transfer: OpenSSL's own HTTP client functions, driven on a
 * non-blocking connection instead of through OSSL_CMP_MSG_http_perform().
 * What that buys: TCP_NODELAY (header and body are two writes, so that without
 * it each request after the first waits for a delayed acknowledgement), and
 * waits that notice a signal or a cancellation within a tenth of a second,
 * while connecting as well as while waiting for the answer.
 */
#define OSSLCMP_SLICE_MS 100
#define OSSLCMP_POLLREQ 25 /* OpenSSL names the body types only to itself */

static int64_t osslcmp_now_ms(void)
{
#ifdef _WIN32
    return (int64_t)GetTickCount64();
#else
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
#endif
}

static int osslcmp_interrupted(osslcmp_session *s)
{
    if (!s->cancelled && (s->self == NULL || osslcmp_py_tick(s->self)))
        return 0;
    ERR_raise_data(ERR_LIB_CMP, CMP_R_TRANSFER_ERROR, "cancelled");
    return 1;
}

/* Wait until the connection can go on. deadline 0: no limit. */
static int osslcmp_wait(osslcmp_session *s, BIO *bio, int64_t deadline, int timeout_reason)
{
    int writing = BIO_should_write(bio) || BIO_should_io_special(bio);
    struct pollfd p;
    int fd = -1;

    if (BIO_get_fd(bio, &fd) < 0 || fd < 0) {
        ERR_raise(ERR_LIB_BIO, BIO_R_UNINITIALIZED);
        return 0;
    }
    p.fd = fd;
    p.events = writing ? POLLOUT : POLLIN;
    for (;;) {
        int64_t left = deadline == 0 ? OSSLCMP_SLICE_MS : deadline - osslcmp_now_ms();
        int n;

        if (left <= 0) {
            ERR_raise_data(ERR_LIB_BIO, timeout_reason, "server=%s:%s", s->host, s->port);
            return 0;
        }
        if (s->cancelled)
            return !osslcmp_interrupted(s);
        p.revents = 0;
        n = osslcmp_poll(&p, 1, left < OSSLCMP_SLICE_MS ? (int)left : OSSLCMP_SLICE_MS);
        if (n > 0)
            return 1;
        if (n < 0 && errno != EINTR) {
            ERR_raise_data(ERR_LIB_SYS, errno, "calling poll()");
            return 0;
        }
        if (osslcmp_interrupted(s))
            return 0;
    }
}

/* A server may close a kept-alive connection at any time: it is then readable. */
static int osslcmp_stale(BIO *bio)
{
    struct pollfd p;
    int fd = -1;

    if (BIO_get_fd(bio, &fd) < 0 || fd < 0)
        return 1;
    p.fd = fd;
    p.events = POLLIN;
    p.revents = 0;
    return osslcmp_poll(&p, 1, 0) != 0;
}

/* The proxy that applies, split into host and port; *host NULL for none. */
static int osslcmp_find_proxy(const osslcmp_session *s, char **host, char **port, char **user)
{
    const char *proxy = OSSL_HTTP_adapt_proxy(s->proxy, s->no_proxy, s->host, s->use_tls);

    *host = *port = *user = NULL;
    return proxy == NULL
        || OSSL_HTTP_parse_url(proxy, NULL, user, host, port, NULL, NULL, NULL, NULL);
}

static int osslcmp_dial(osslcmp_session *s, const char *host, const char *port, int64_t deadline)
{
    BIO *bio = BIO_new(BIO_s_connect());

    if (bio == NULL)
        return 0;
    s->bio = bio;
    if (BIO_set_conn_hostname(bio, (char *)host) <= 0
            || BIO_set_conn_port(bio, (char *)port) <= 0
            || BIO_set_nbio(bio, 1) <= 0
            || BIO_set_conn_mode(bio, BIO_SOCK_NONBLOCK | BIO_SOCK_NODELAY) <= 0)
        return 0;
    while (BIO_do_connect(bio) <= 0) {
        if (!BIO_should_retry(bio)) {
            if (ERR_peek_error() == 0)
                ERR_raise(ERR_LIB_BIO, BIO_R_CONNECT_ERROR);
            ERR_add_error_data(4, " server=", host, ":", port);
            return 0;
        }
        if (!osslcmp_wait(s, bio, deadline, BIO_R_CONNECT_TIMEOUT))
            return 0;
    }
    return 1;
}

static int osslcmp_connect(osslcmp_session *s, const char *proxy_host, const char *proxy_port,
                           char *proxy_user, int timeout, int64_t deadline)
{
    if (!osslcmp_dial(s, proxy_host != NULL ? proxy_host : s->host,
                      proxy_host != NULL ? proxy_port : s->port, deadline))
        return 0;
    if (proxy_host != NULL && s->use_tls) {
        char *password = proxy_user == NULL ? NULL : strchr(proxy_user, ':');

        if (password != NULL)
            *password++ = '\0';
        if (!OSSL_HTTP_proxy_connect(s->bio, s->host, s->port, proxy_user, password, timeout,
                                     NULL, NULL))
            return 0;
    }
    if (s->http_cb != NULL) {
        BIO *wrapped = s->http_cb(s->bio, s->http_cb_arg, 1 /* connect */, s->use_tls);

        if (wrapped == NULL)
            return 0;
        s->bio = wrapped;
    }
    s->http = OSSL_HTTP_REQ_CTX_new(s->bio, s->bio, 0);
    return s->http != NULL;
}

/* The rule of OpenSSL's own client: keep the connection where more may follow. */
static int osslcmp_keep_alive(int option, int body_type)
{
    switch (body_type) {
    case OSSL_CMP_IR:
    case OSSL_CMP_CR:
    case OSSL_CMP_P10CR:
    case OSSL_CMP_KUR:
    case OSSLCMP_POLLREQ:
        return option;
    default:
        return 0;
    }
}

static int osslcmp_host_header(const osslcmp_session *s)
{
    char host[512];
    int standard = strcmp(s->port, s->use_tls ? "443" : "80") == 0;

    return BIO_snprintf(host, sizeof(host), "%s%s%s", s->host, standard ? "" : ":",
                        standard ? "" : s->port) > 0
        && OSSL_HTTP_REQ_CTX_add1_header(s->http, "Host", host);
}

static OSSL_CMP_MSG *osslcmp_exchange(osslcmp_session *s, OSSL_CMP_CTX *ctx,
                                      const OSSL_CMP_MSG *req, int via_proxy, int timeout,
                                      int64_t deadline)
{
    static const char type[] = "application/pkixcmp";
    int keep = osslcmp_keep_alive(OSSL_CMP_CTX_get_option(ctx, OSSL_CMP_OPT_KEEP_ALIVE),
                                  OSSL_CMP_MSG_get_bodytype(req));
    OSSL_CMP_MSG *answer;
    BIO *body;
    int rv;

    if (s->max_response != 0)
        OSSL_HTTP_REQ_CTX_set_max_response_length(s->http, s->max_response);
    if (!OSSL_HTTP_REQ_CTX_set_request_line(s->http, 1, via_proxy ? s->host : NULL,
                                            via_proxy ? s->port : NULL, s->path)
            || !osslcmp_host_header(s)
            || !OSSL_HTTP_REQ_CTX_add1_header(s->http, "Pragma", "no-cache")
            || !OSSL_HTTP_REQ_CTX_set_expected(s->http, type, 1, timeout, keep)
            || !OSSL_HTTP_REQ_CTX_set1_req(s->http, type, ASN1_ITEM_rptr(OSSL_CMP_MSG),
                                           (const ASN1_VALUE *)req))
        return NULL;
    while ((rv = OSSL_HTTP_REQ_CTX_nbio(s->http)) < 0)
        if (!osslcmp_wait(s, s->bio, deadline, BIO_R_TRANSFER_TIMEOUT))
            return NULL;
    if (rv == 0) {
        ERR_raise_data(ERR_LIB_HTTP, HTTP_R_ERROR_RECEIVING, "server=http%s://%s:%s",
                       s->use_tls ? "s" : "", s->host, s->port);
        return NULL;
    }
    if ((body = OSSL_HTTP_REQ_CTX_get0_mem_bio(s->http)) == NULL)
        return NULL;
    answer = d2i_OSSL_CMP_MSG_bio(body, NULL);
    if (answer != NULL && BIO_pending(body) > 0) {
        ERR_raise_data(ERR_LIB_CMP, CMP_R_TRANSFER_ERROR, "%ld bytes after the CMP message",
                       (long)BIO_pending(body));
        OSSL_CMP_MSG_free(answer);
        return NULL;
    }
    return answer;
}

static OSSL_CMP_MSG *osslcmp_http_transfer(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *req)
{
    osslcmp_session *s = osslcmp_current;
    char *proxy_host, *proxy_port, *proxy_user;
    int timeout = OSSL_CMP_CTX_get_option(ctx, OSSL_CMP_OPT_MSG_TIMEOUT);
    int64_t deadline = timeout > 0 ? osslcmp_now_ms() + (int64_t)timeout * 1000 : 0;
    OSSL_CMP_MSG *answer = NULL;

    if (s == NULL) /* called from outside a Context */
        return OSSL_CMP_MSG_http_perform(ctx, req);
    if (s->host == NULL || s->port == NULL) {
        ERR_raise_data(ERR_LIB_CMP, CMP_R_TRANSFER_ERROR, "no server is set");
        return NULL;
    }
    if (osslcmp_interrupted(s))
        return NULL;
    if (s->bio != NULL && (!OSSL_HTTP_is_alive(s->http) || osslcmp_stale(s->bio)))
        osslcmp_hang_up(s, 1);
    if (!osslcmp_find_proxy(s, &proxy_host, &proxy_port, &proxy_user))
        return NULL;
    if (s->bio != NULL || osslcmp_connect(s, proxy_host, proxy_port, proxy_user, timeout, deadline))
        answer = osslcmp_exchange(s, ctx, req, proxy_host != NULL && !s->use_tls, timeout, deadline);
    if (answer == NULL || !OSSL_HTTP_is_alive(s->http))
        osslcmp_hang_up(s, answer != NULL);
    OPENSSL_free(proxy_host);
    OPENSSL_free(proxy_port);
    if (proxy_user != NULL)
        OPENSSL_cleanse(proxy_user, strlen(proxy_user));
    OPENSSL_free(proxy_user);
    return answer;
}
