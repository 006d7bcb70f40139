/*
 * The default HTTP transfer: OpenSSL's own HTTP client functions, driven on a
 * non-blocking connection instead of through OSSL_CMP_MSG_http_perform().
 * What that buys: header and body leave together (of two writes the second
 * waits for a delayed acknowledgement on a connection that was kept), and waits
 * notice a signal or a cancellation within a tenth of a second, while
 * connecting as well as while waiting for the answer.
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
    if (!s->cancelled && (s->self == NULL || osslcmp_py_tick(s->self)))
        return 0;
    osslcmp_stop(s);
    return 1;
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

/* Take what libssl needs to know, session tickets and alerts. 0: the connection is over, or data has come. */
static int osslcmp_tls_quiet(SSL *ssl)
{
    char c;
    int n = SSL_peek(ssl, &c, 1);

    return n <= 0 && SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ;
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
        quiet = osslcmp_tls_quiet(ssl);
        ERR_pop_to_mark();
        return !quiet;
    }
    p.fd = fd;
    p.events = POLLIN;
    p.revents = 0;
    return osslcmp_poll(&p, 1, 0) != 0;
}
