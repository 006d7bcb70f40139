/* A message to the server and its answer back: the transfer callback. */

/* The rule of OpenSSL's own client: keep the connection where more may follow. */
static int osslcmp_keep_alive(int option, int body_type)
{
    return osslcmp_asks_for_certificate(body_type) || body_type == OSSLCMP_POLLREQ ? option : 0;
}

static int osslcmp_host_header(const osslcmp_session *s)
{
    char host[512];
    int standard = strcmp(s->port, s->use_tls ? "443" : "80") == 0;

    return BIO_snprintf(host, sizeof(host), "%s%s%s", s->host, standard ? "" : ":",
                        standard ? "" : s->port) > 0
        && OSSL_HTTP_REQ_CTX_add1_header(s->http, "Host", host);
}

static int osslcmp_set_request(osslcmp_session *s, const OSSL_CMP_MSG *req,
                               const osslcmp_proxy *proxy, int keep)
{
    int via = proxy->host != NULL && !s->use_tls;

    if (s->max_response != 0)
        OSSL_HTTP_REQ_CTX_set_max_response_length(s->http, s->max_response);
    return OSSL_HTTP_REQ_CTX_set_request_line(s->http, 1, via ? s->host : NULL, via ? s->port : NULL,
                                              s->path)
        && osslcmp_host_header(s)
        && (!via || proxy->credentials == NULL
            || OSSL_HTTP_REQ_CTX_add1_header(s->http, "Proxy-Authorization", proxy->credentials))
        && OSSL_HTTP_REQ_CTX_add1_header(s->http, "Pragma", "no-cache")
        && OSSL_HTTP_REQ_CTX_set_expected(s->http, OSSLCMP_CONTENT_TYPE, 1, 0, keep)
        && OSSL_HTTP_REQ_CTX_set1_req(s->http, OSSLCMP_CONTENT_TYPE, ASN1_ITEM_rptr(OSSL_CMP_MSG),
                                      (const ASN1_VALUE *)req);
}

/* A server that refuses early may have closed before it got all: its answer says more than EPIPE. */
static void osslcmp_last_words(osslcmp_session *s, osslcmp_head *head)
{
    int64_t deadline = osslcmp_now_ms() + OSSLCMP_SLICE_MS;

    if (osslcmp_receive_head(s, head, deadline)) {
        osslcmp_no_cmp(head);
        osslcmp_read_body(s, head, deadline);
    }
}

/*
 * Send what OpenSSL's client has written: header and body in one go, not in two segments as it would.
 * With TLS 1.3 the alert that refuses our certificate comes after the handshake, and OpenSSL 4.0 reads
 * nothing any more once a write has failed: so it is looked for first.
 */
static int osslcmp_send_pending(osslcmp_session *s, osslcmp_head *head, int64_t deadline)
{
    char data[16384];
    SSL *ssl = NULL;
    int n, reset, sent = 1;

    if (BIO_pending(s->feed) == 0)
        return 1;
    if (BIO_get_ssl(s->bio, &ssl) > 0 && ssl != NULL && !osslcmp_tls_quiet(s, ssl)) {
        osslcmp_broken(s, 0, 0, "sending the request");
        return 0;
    }
    while (sent && (n = BIO_read(s->feed, data, sizeof(data))) > 0)
        sent = osslcmp_write(s, data, n, deadline);
    OPENSSL_cleanse(data, sizeof(data)); /* a header may have had the proxy's password */
    if (sent && osslcmp_flush(s, deadline))
        return 1;
    reset = s->reset;
    if (!s->stopped)
        osslcmp_last_words(s, head);
    s->reset = reset && !s->heard;
    return 0;
}

/* OpenSSL's client writes to us and reads what we give it. */
static int osslcmp_drive(osslcmp_session *s, osslcmp_head *head, int64_t deadline)
{
    char data[8192];
    int rv, n;

    s->heard = 0;
    while ((rv = OSSL_HTTP_REQ_CTX_nbio(s->http)) < 0) {
        if (!osslcmp_may_go_on(s, deadline, BIO_R_TRANSFER_TIMEOUT) || !osslcmp_send_pending(s, head, deadline))
            return 0;
        if (BIO_should_write(s->source))
            continue;
        if (head->end == 0) {
            if (!osslcmp_receive_head(s, head, deadline) || !osslcmp_pass_head(s, head, deadline))
                return 0;
        } else {
            n = osslcmp_read(s, data, sizeof(data), deadline);
            if (n <= 0 || BIO_write(s->feed, data, n) != n)
                return 0;
        }
    }
    return rv > 0;
}

static OSSL_CMP_MSG *osslcmp_exchange(osslcmp_session *s, int64_t deadline)
{
    osslcmp_head *head = OPENSSL_zalloc(sizeof(*head));
    OSSL_CMP_MSG *answer = NULL;
    BIO *body;

    if (head == NULL)
        return NULL;
    if (osslcmp_drive(s, head, deadline) && (body = OSSL_HTTP_REQ_CTX_get0_mem_bio(s->http)) != NULL) {
        char *der = NULL;
        long length = BIO_get_mem_data(body, &der);

        answer = osslcmp_session_receive(s, (const unsigned char *)der, length);
        if (answer == NULL)
            osslcmp_keep_body(s, der, (size_t)length);
    }
    if (answer == NULL && s->http_body.der == NULL && head->end != 0) /* OpenSSL's client saw that it is no DER */
        osslcmp_keep_body(s, head->data + head->end, head->length - head->end);
    if (answer == NULL && !s->stopped && s->refused.der == NULL) {
        const char *path = s->path == NULL ? "" : s->path;

        path += *path == '/';
        ERR_raise_data(ERR_LIB_HTTP, HTTP_R_ERROR_RECEIVING, "server=http%s://%s:%s/%.*s%s%.100s",
                       s->use_tls ? "s" : "", s->host, s->port, (int)strcspn(path, "?"), path,
                       head->line != NULL ? ", HTTP status " : "", head->line != NULL ? head->line : "");
    }
    OPENSSL_free(head);
    return answer;
}

/*
 * A server may close a kept connection while our message is on its way. A reset says that it has not
 * read it, so that it is sent once more, on a new connection; a first message never meets this.
 */
static OSSL_CMP_MSG *osslcmp_send(osslcmp_session *s, const OSSL_CMP_MSG *req,
                                  const osslcmp_proxy *proxy, int keep, int64_t deadline)
{
    int reused = s->bio != NULL;
    OSSL_CMP_MSG *answer = NULL;

    s->reset = s->heard = 0;
    ERR_set_mark();
    if ((reused || osslcmp_connect(s, proxy, deadline)) && osslcmp_set_request(s, req, proxy, keep))
        answer = osslcmp_exchange(s, deadline);
    if (answer != NULL || !reused || !s->reset) {
        ERR_clear_last_mark();
        return answer;
    }
    ERR_pop_to_mark();
    osslcmp_hang_up(s, 0);
    return osslcmp_send(s, req, proxy, keep, deadline);
}

static OSSL_CMP_MSG *osslcmp_http_transfer(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *req)
{
    osslcmp_session *s = osslcmp_current;
    osslcmp_proxy proxy;
    int timeout = OSSL_CMP_CTX_get_option(ctx, OSSL_CMP_OPT_MSG_TIMEOUT);
    int keep = osslcmp_keep_alive(OSSL_CMP_CTX_get_option(ctx, OSSL_CMP_OPT_KEEP_ALIVE),
                                  OSSL_CMP_MSG_get_bodytype(req));
    int64_t deadline = timeout > 0 ? osslcmp_now_ms() + (int64_t)timeout * 1000 : 0;
    OSSL_CMP_MSG *answer = NULL;

    if (s == NULL) /* called from outside a Context */
        return OSSL_CMP_MSG_http_perform(ctx, req);
    if (s->deadline != 0 && (deadline == 0 || s->deadline < deadline))
        deadline = s->deadline;
    if (s->host == NULL || s->port == NULL) {
        ERR_raise_data(ERR_LIB_CMP, CMP_R_TRANSFER_ERROR, "no server is set");
        return NULL;
    }
    s->stopped = 0;
    osslcmp_forget_http(s);
    if (osslcmp_interrupted(s))
        return NULL;
    s->looked = osslcmp_now_ms();
    if (s->bio != NULL && (!OSSL_HTTP_is_alive(s->http) || osslcmp_stale(s)))
        osslcmp_hang_up(s, 1);
    if (osslcmp_find_proxy(s, &proxy))
        answer = osslcmp_send(s, req, &proxy, keep, deadline);
    if (answer == NULL || !OSSL_HTTP_is_alive(s->http))
        osslcmp_hang_up(s, answer != NULL);
    osslcmp_proxy_clear(&proxy);
    return answer;
}
