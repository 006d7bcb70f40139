/*
 * The default HTTP transfer: OpenSSL's own HTTP client functions, driven on a
 * non-blocking connection instead of through OSSL_CMP_MSG_http_perform().
 * What that buys: header and body leave together (of two writes the second
 * waits for a delayed acknowledgement on a connection that was kept), and a
 * signal, a cancellation or the deadline is noticed within a tenth of a second,
 * while connecting as well as while waiting for the answer, and whatever the
 * other side sends meanwhile: before each read and write, not only when there
 * is nothing to read.
 *
 * This file waits, reads and writes. transfer_answer.c looks at the header of
 * an answer, transfer_connect.c makes the connection, transfer_http.c brings
 * a message to the server and its answer back.
 */
#define OSSLCMP_SLICE_MS 100

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

static void osslcmp_stop(osslcmp_session *s)
{
    s->stopped = 1;
    ERR_raise_data(ERR_LIB_CMP, CMP_R_TRANSFER_ERROR, "cancelled");
}

static int osslcmp_interrupted(osslcmp_session *s)
{
    if (!osslcmp_flag_get(&s->cancelled) && (s->self == NULL || osslcmp_py_tick(s->self)))
        return 0;
    osslcmp_stop(s);
    return 1;
}

/* Whether there is time left and nobody wants to end it. deadline 0: no limit. Signals cost the GIL: not each time. */
static int osslcmp_may_go_on(osslcmp_session *s, int64_t deadline, int timeout_reason)
{
    int64_t now = osslcmp_now_ms();

    if (deadline != 0 && now >= deadline) {
        ERR_raise_data(ERR_LIB_BIO, timeout_reason, "server=%s:%s", s->host, s->port);
        return 0;
    }
    if (osslcmp_flag_get(&s->cancelled) || now - s->looked >= OSSLCMP_SLICE_MS) {
        if (osslcmp_interrupted(s))
            return 0;
        s->looked = osslcmp_now_ms();
    }
    return 1;
}

/*
 * Of the socket, below TLS: libssl may have a reason to read on and on, such as an endless row of HelloRequests. Now
 * and then it is told that there is nothing to read, so that it returns to us; then we look whether it may go on.
 */
static long osslcmp_bio_cb(BIO *bio, int oper, const char *data, size_t size, int argi, long argl, int ret,
                           size_t *processed)
{
    const osslcmp_session *s = (const osslcmp_session *)BIO_get_callback_arg(bio);

    (void)data, (void)size, (void)argi, (void)argl, (void)processed;
    if (oper == BIO_CB_READ && s != NULL
            && (osslcmp_flag_get(&s->cancelled) || osslcmp_now_ms() - s->looked >= OSSLCMP_SLICE_MS)) {
        BIO_clear_retry_flags(bio);
        BIO_set_retry_read(bio);
        return -1;
    }
    return ret;
}

/* Wait until the connection can go on. deadline 0: no limit. */
static int osslcmp_wait(osslcmp_session *s, int64_t deadline, int timeout_reason)
{
    int writing = BIO_should_write(s->bio) || BIO_should_io_special(s->bio);
    struct pollfd p;
    int fd = -1;

    if (BIO_get_fd(s->bio, &fd) < 0 || fd < 0) {
        ERR_raise(ERR_LIB_BIO, BIO_R_UNINITIALIZED);
        return 0;
    }
    p.fd = fd;
    p.events = writing ? POLLOUT : POLLIN;
    for (;;) {
        int64_t left = deadline == 0 ? OSSLCMP_SLICE_MS : deadline - osslcmp_now_ms();
        int n;

        if (!osslcmp_may_go_on(s, deadline, timeout_reason))
            return 0;
        p.revents = 0;
        if (left < 1)
            left = 1;
        n = osslcmp_poll(&p, 1, left < OSSLCMP_SLICE_MS ? (int)left : OSSLCMP_SLICE_MS);
        if (n > 0)
            return 1;
        if (n < 0 && errno != EINTR) {
            ERR_raise_data(ERR_LIB_SYS, errno, "calling poll()");
            return 0;
        }
    }
}

/*
 * Whether the other side had closed before it read all that we sent. An end without a reset may
 * mean that it read the request and lost the answer.
 */
static int osslcmp_is_reset(int result, int error)
{
#ifdef _WIN32
    return result < 0 && (error == WSAECONNRESET || error == WSAECONNABORTED);
#else
    return result < 0 && (error == ECONNRESET || error == EPIPE);
#endif
}

/* Why reading or writing failed, where OpenSSL has not said it. */
static void osslcmp_broken(osslcmp_session *s, int result, int error, const char *doing)
{
    s->reset = !s->heard && osslcmp_is_reset(result, error);
    if (result < 0 && error != 0)
        ERR_raise_data(ERR_LIB_SYS, error, "while %s", doing);
    else if (result == 0 && ERR_GET_LIB(ERR_peek_last_error()) != ERR_LIB_SSL)
        ERR_raise_data(ERR_LIB_HTTP, HTTP_R_FAILED_READING_DATA, "the connection was closed while %s",
                       doing);
}

/* Some octets: more than 0, or 0 after a failure. */
static int osslcmp_read(osslcmp_session *s, char *buffer, int size, int64_t deadline)
{
    for (;;) {
        int n, error;

        if (!osslcmp_may_go_on(s, deadline, BIO_R_TRANSFER_TIMEOUT))
            return 0;
        errno = 0;
        n = BIO_read(s->bio, buffer, size);
        error = osslcmp_errno();
        if (n > 0) {
            s->heard = 1;
            return n;
        }
        if (!BIO_should_retry(s->bio)) {
            osslcmp_broken(s, n, error, s->heard ? "reading the answer"
                           : s->use_tls ? "waiting for the answer"
                           : "waiting for the answer (does the server want https?)");
            return 0;
        }
        if (!osslcmp_wait(s, deadline, BIO_R_TRANSFER_TIMEOUT))
            return 0;
    }
}

static int osslcmp_write(osslcmp_session *s, const char *data, int length, int64_t deadline)
{
    while (length > 0) {
        int n, error;

        if (!osslcmp_may_go_on(s, deadline, BIO_R_TRANSFER_TIMEOUT))
            return 0;
        errno = 0;
        n = BIO_write(s->bio, data, length);
        error = osslcmp_errno();
        if (n > 0) {
            data += n;
            length -= n;
        } else if (!BIO_should_retry(s->bio)) {
            osslcmp_broken(s, n, error, "sending the request");
            return 0;
        } else if (!osslcmp_wait(s, deadline, BIO_R_TRANSFER_TIMEOUT)) {
            return 0;
        }
    }
    return 1;
}

/* Send on what a filter, such as one that http_cb has pushed, may have kept back. */
static int osslcmp_flush(osslcmp_session *s, int64_t deadline)
{
    for (;;) {
        int n, error;

        errno = 0;
        n = (int)BIO_flush(s->bio);
        error = osslcmp_errno();
        if (n > 0)
            return 1;
        if (!BIO_should_retry(s->bio)) {
            osslcmp_broken(s, n, error, "sending the request");
            return 0;
        }
        if (!osslcmp_wait(s, deadline, BIO_R_TRANSFER_TIMEOUT))
            return 0;
    }
}

/*
 * Take what libssl needs to know, session tickets and alerts. 0: the connection is over, or data has come. A few records
 * are enough: who sends more is met again when the answer is read.
 */
static int osslcmp_tls_quiet(osslcmp_session *s, SSL *ssl)
{
    char c;
    int i, n = 0;

    s->looked = osslcmp_now_ms();
    for (i = 0; i < 8; i++) {
        n = SSL_peek(ssl, &c, 1);
        if (n > 0 || SSL_get_error(ssl, n) != SSL_ERROR_WANT_READ)
            return 0;
    }
    return 1;
}

/* A server may close a kept-alive connection at any time, or say what nobody asked for. */
static int osslcmp_stale(osslcmp_session *s)
{
    struct pollfd p;
    SSL *ssl = NULL;
    int fd = -1;

    if (BIO_pending(s->source) > 0 || BIO_get_fd(s->bio, &fd) < 0 || fd < 0)
        return 1;
    if (BIO_get_ssl(s->bio, &ssl) > 0 && ssl != NULL) {
        int quiet;

        ERR_set_mark();
        quiet = osslcmp_tls_quiet(s, ssl);
        ERR_pop_to_mark();
        return !quiet;
    }
    p.fd = fd;
    p.events = POLLIN;
    p.revents = 0;
    return osslcmp_poll(&p, 1, 0) != 0;
}
