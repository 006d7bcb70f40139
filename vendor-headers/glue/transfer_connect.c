/* Making a connection: addresses, the way through a proxy, TLS. */

/* Try one address; limit is when the next one gets its chance. */
static int osslcmp_dial(osslcmp_session *s, const char *host, const char *port, int64_t limit)
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
    BIO_set_callback_arg(bio, (char *)s);
    BIO_set_callback_ex(bio, osslcmp_bio_cb);
    while (BIO_do_connect(bio) <= 0) {
        if (!BIO_should_retry(bio)) {
            if (ERR_peek_error() == 0)
                ERR_raise(ERR_LIB_BIO, BIO_R_CONNECT_ERROR);
            ERR_add_error_data(4, " server=", host, ":", port);
            return 0;
        }
        if (!osslcmp_wait(s, limit, BIO_R_CONNECT_TIMEOUT))
            return 0;
    }
    return 1;
}

/*
 * Resolving a name may take long and cannot be interrupted in C: Python does
 * it in a thread. Numeric addresses, separated by spaces, or the reason why not.
 */
static int osslcmp_resolve(osslcmp_session *s, const char *host, int64_t deadline, char *addresses,
                           int size)
{
    char *bare = osslcmp_bare_host(host);
    int found;

    if (bare == NULL)
        return 0;
    if (osslcmp_is_address(bare) || s->self == NULL) {
        found = BIO_snprintf(addresses, (size_t)size, "%s", host) > 0;
    } else {
        double left = deadline == 0 ? -1.0 : (double)(deadline - osslcmp_now_ms()) / 1000;

        found = osslcmp_py_resolve(s->self, s, bare, left < 0 && deadline != 0 ? 0 : left, addresses,
                                   size);
        if (found == 0)
            ERR_raise_data(ERR_LIB_BIO, BIO_R_LOOKUP_RETURNED_NOTHING, "host %s: %s", bare, addresses);
        else if (found == -1)
            ERR_raise_data(ERR_LIB_BIO, BIO_R_CONNECT_TIMEOUT, "looking up host %s", bare);
        else if (found < 0)
            osslcmp_stop(s);
    }
    OPENSSL_free(bare);
    return found > 0;
}

static int osslcmp_dial_all(osslcmp_session *s, const char *host, const char *port, int64_t deadline)
{
    char addresses[1024], *address, *next;
    int left = 1;

    if (!osslcmp_resolve(s, host, deadline, addresses, sizeof(addresses)))
        return 0;
    for (next = addresses; (next = strchr(next, ' ')) != NULL; next++)
        left++;
    for (address = addresses; left > 0; address = next, left--) {
        int64_t now = osslcmp_now_ms();

        next = address + strcspn(address, " ");
        if (*next != '\0')
            *next++ = '\0';
        osslcmp_hang_up(s, 0);
        if (osslcmp_dial(s, address, port, deadline == 0 ? 0 : now + (deadline - now) / left))
            return 1;
        if (s->stopped)
            return 0;
    }
    return 0;
}

typedef struct osslcmp_proxy {
    char *host, *port; /* host NULL: no proxy applies */
    char *credentials; /* value of Proxy-Authorization, or NULL */
} osslcmp_proxy;

static void osslcmp_proxy_clear(osslcmp_proxy *proxy)
{
    OPENSSL_free(proxy->host);
    OPENSSL_free(proxy->port);
    osslcmp_wipe(proxy->credentials);
}

/* "user:password" of a URL as HTTP wants it. */
static char *osslcmp_basic(char *user)
{
    static const char basic[] = "Basic ";
    const char *from;
    char *to, *encoded;
    size_t length, written = strlen(user);

    for (from = to = user; *from != '\0'; from++) {
        int high, low;

        if (*from == '%' && (high = OPENSSL_hexchar2int((unsigned char)from[1])) >= 0
                && (low = OPENSSL_hexchar2int((unsigned char)from[2])) >= 0) {
            *to++ = (char)(high << 4 | low);
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    length = (size_t)(to - user);
    if ((encoded = OPENSSL_zalloc(sizeof(basic) + (length + 2) / 3 * 4 + 1)) != NULL) {
        memcpy(encoded, basic, sizeof(basic) - 1);
        EVP_EncodeBlock((unsigned char *)encoded + sizeof(basic) - 1, (unsigned char *)user, (int)length);
    }
    OPENSSL_cleanse(user, written);
    return encoded;
}

/* libcrypto takes the rest of a password for the host, and shows it, where "@" or "/" are not percent-encoded. */
static int osslcmp_proxy_user_ends(const char *url)
{
    const char *scheme = strstr(url, "://"), *user = scheme == NULL ? url : scheme + 3, *at = strchr(user, '@');

    return at == NULL || (user + strcspn(user, "/?#@") == at && strchr(at + 1, '@') == NULL);
}

/*
 * The proxy that applies: ours or the environment's, unless no_proxy names the server. The brackets around an IPv6
 * address are taken off here: OpenSSL before 3.0.18 and 3.5.4 reads beyond the end of its copy (CVE-2025-9232).
 */
static int osslcmp_find_proxy(const osslcmp_session *s, osslcmp_proxy *found)
{
    char *bare = osslcmp_bare_host(s->host), *user = NULL;
    const char *proxy;
    char *url, *at;
    int tls = 0, ok;

    memset(found, 0, sizeof(*found));
    if (bare == NULL)
        return 0;
    proxy = OSSL_HTTP_adapt_proxy(s->proxy, s->no_proxy, bare, s->use_tls);
    OPENSSL_free(bare);
    if (proxy == NULL)
        return 1;
    if ((url = OPENSSL_strdup(proxy)) == NULL)
        return 0;
    for (at = url; strstr(at, "://") != NULL; at++) /* libcrypto knows its scheme in small letters alone */
        *at |= *at >= 'A' && *at <= 'Z' ? 'a' - 'A' : 0;
    ERR_set_mark();
    ok = osslcmp_proxy_user_ends(url)
         && OSSL_HTTP_parse_url(url, &tls, &user, &found->host, &found->port, NULL, NULL, NULL, NULL);
    osslcmp_wipe(url);
    if (!ok) {
        ERR_pop_to_mark(); /* it may repeat a part of the password */
        ERR_raise_data(ERR_LIB_CMP, CMP_R_TRANSFER_ERROR, "the URL of the HTTP proxy is not valid");
        return 0;
    }
    ERR_clear_last_mark();
    if (tls) { /* of the environment: ours has been looked at */
        ERR_raise_data(ERR_LIB_CMP, CMP_R_TRANSFER_ERROR, "an HTTP proxy by https:// is not supported");
        osslcmp_wipe(user);
        return 0;
    }
    if (user != NULL && *user != '\0')
        found->credentials = osslcmp_basic(user);
    OPENSSL_free(user);
    return 1;
}

static void osslcmp_blame_proxy(const osslcmp_session *s, const osslcmp_proxy *proxy)
{
    ERR_raise_data(ERR_LIB_HTTP, HTTP_R_CONNECT_FAILURE, "proxy=%s:%s, server=%s:%s", proxy->host, proxy->port,
                   s->host, s->port);
}

/* Ask the proxy for a tunnel. OSSL_HTTP_proxy_connect() would do it, but it takes no interrupt. */
static int osslcmp_tunnel(osslcmp_session *s, const osslcmp_proxy *proxy, int64_t deadline)
{
    osslcmp_head *head = OPENSSL_zalloc(sizeof(*head));
    BIO *out = BIO_new(BIO_s_mem());
    char *request;
    long length;
    int ok = 0;

    if (head == NULL || out == NULL)
        goto end;
    BIO_printf(out, "CONNECT %s:%s HTTP/1.0\r\nHost: %s:%s\r\n", s->host, s->port, s->host, s->port);
    if (proxy->credentials != NULL)
        BIO_printf(out, "Proxy-Authorization: %s\r\n", proxy->credentials);
    BIO_puts(out, "\r\n");
    length = BIO_get_mem_data(out, &request);
    if (osslcmp_write(s, request, (int)length, deadline)) {
        ok = osslcmp_receive_head(s, head, deadline);
        if (ok && (head->status > 299 || head->length != head->end)) {
            ERR_raise_data(ERR_LIB_HTTP, HTTP_R_CONNECT_FAILURE, "the proxy answers HTTP status %.100s",
                           head->line);
            osslcmp_read_body(s, head, deadline);
            ok = 0;
        } else if (ok) {
            osslcmp_forget_http(s);
        }
    }
    OPENSSL_cleanse(request, (size_t)length);
end:
    if (!ok)
        osslcmp_blame_proxy(s, proxy);
    BIO_free(out);
    OPENSSL_free(head);
    return ok;
}

static int osslcmp_handshake(osslcmp_session *s, int64_t deadline)
{
    SSL *ssl = NULL;

    if (BIO_get_ssl(s->bio, &ssl) <= 0 || ssl == NULL)
        return 1;
    for (;;) {
        int error;

        if (!osslcmp_may_go_on(s, deadline, BIO_R_CONNECT_TIMEOUT))
            return 0;
        errno = 0;
        if (BIO_do_handshake(s->bio) > 0)
            break;
        error = osslcmp_errno();
        if (!BIO_should_retry(s->bio)) {
            if (ERR_peek_error() == 0)
                osslcmp_broken(s, error == 0 ? 0 : -1, error, "setting up TLS");
            ERR_raise_data(ERR_LIB_HTTP, HTTP_R_CONNECT_FAILURE, "TLS with server=%s:%s", s->host, s->port);
            return 0;
        }
        if (!osslcmp_wait(s, deadline, BIO_R_CONNECT_TIMEOUT))
            return 0;
    }
    /* Of who was checked for a name libssl knows by which one. */
    if (SSL_get_verify_callback(ssl) == osslcmp_tls_verify_cb
            && X509_VERIFY_PARAM_get0_host(SSL_get0_param(ssl), 0) != NULL && SSL_get0_peername(ssl) == NULL) {
        ERR_raise_data(ERR_LIB_HTTP, HTTP_R_CONNECT_FAILURE, "the name of server=%s:%s was not verified", s->host,
                       s->port);
        return 0;
    }
    return 1;
}

static int osslcmp_connect(osslcmp_session *s, const osslcmp_proxy *proxy, int64_t deadline)
{
    if (!osslcmp_dial_all(s, proxy->host != NULL ? proxy->host : s->host,
                          proxy->host != NULL ? proxy->port : s->port, deadline)) {
        if (proxy->host != NULL && !s->stopped)
            osslcmp_blame_proxy(s, proxy);
        return 0;
    }
    if (proxy->host != NULL && s->use_tls && !osslcmp_tunnel(s, proxy, deadline))
        return 0;
    if (s->http_cb != NULL) {
        BIO *wrapped = s->http_cb(s->bio, s->http_cb_arg, 1 /* connect */, s->use_tls);

        if (wrapped == NULL)
            return 0;
        s->bio = wrapped;
        s->wrapped = 1;
        if (!osslcmp_handshake(s, deadline))
            return 0;
    }
    return BIO_new_bio_pair(&s->feed, 2 * OSSLCMP_HEAD_MAX, &s->source, 2 * OSSLCMP_HEAD_MAX)
        && (s->http = OSSL_HTTP_REQ_CTX_new(s->source, s->source, 0)) != NULL;
}
