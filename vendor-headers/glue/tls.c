/*
 * HTTPS: an OSSL_HTTP_bio_cb_t that puts libssl on top of a connection. It is
 * made once from a SSL_CTX and shared by all contexts of a client, so it does
 * not change. The name that the server must have is that of the session.
 */
typedef struct osslcmp_tls {
    SSL_CTX *ctx;
    int verify;
    char *host; /* name or address in the certificate, NULL: the one connected to */
    char *sni;  /* name to ask for, NULL: the host if it is a name, "": none */
} osslcmp_tls;

static void osslcmp_tls_free(osslcmp_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->ctx);
    OPENSSL_free(tls->host);
    OPENSSL_free(tls->sni);
    OPENSSL_free(tls);
}

static osslcmp_tls *osslcmp_tls_new(SSL_CTX *ctx, int verify, const char *host, const char *sni)
{
    osslcmp_tls *tls = OPENSSL_zalloc(sizeof(*tls));

    if (tls == NULL || !SSL_CTX_up_ref(ctx)) {
        OPENSSL_free(tls);
        return NULL;
    }
    tls->ctx = ctx;
    tls->verify = verify;
    if (!osslcmp_set_string(&tls->host, host) || !osslcmp_set_string(&tls->sni, sni)) {
        osslcmp_tls_free(tls);
        return NULL;
    }
    return tls;
}

static int osslcmp_is_address(const char *host)
{
    ASN1_OCTET_STRING *octets;

    ERR_set_mark();
    octets = a2i_IPADDRESS(host);
    ERR_pop_to_mark();
    ASN1_OCTET_STRING_free(octets);
    return octets != NULL;
}

/* A host without the brackets of an IPv6 address; the caller frees it. */
static char *osslcmp_bare_host(const char *host)
{
    size_t length = strlen(host);

    return host[0] == '[' && host[length - 1] == ']' ? OPENSSL_strndup(host + 1, length - 2)
                                                     : OPENSSL_strdup(host);
}

/*
 * libssl hands the name to check on to X509_verify_cert() in a copy, and goes on without one when memory fails at that
 * moment (3.0 to 4.0): so it is looked for once more where the chain ends, with what the connection knows.
 */
static int osslcmp_is_for_server(X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    X509_VERIFY_PARAM *param = ssl == NULL ? NULL : SSL_get0_param(ssl);
    const char *host = param == NULL ? NULL : X509_VERIFY_PARAM_get0_host(param, 0);
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    char *ip = NULL;
    int ok = 0;

    if (host != NULL)
        ok = X509_check_host(cert, host, 0, X509_VERIFY_PARAM_get_hostflags(param), NULL) == 1;
    else if (param != NULL && (ip = X509_VERIFY_PARAM_get1_ip_asc(param)) != NULL)
        ok = X509_check_ip_asc(cert, ip, 0) == 1;
    OPENSSL_free(ip);
    if (!ok)
        X509_STORE_CTX_set_error(store, host != NULL ? X509_V_ERR_HOSTNAME_MISMATCH
                                 : ip != NULL        ? X509_V_ERR_IP_ADDRESS_MISMATCH
                                                     : X509_V_ERR_OUT_OF_MEM);
    return ok;
}

/* What is wrong with which certificate, where libssl only says "certificate verify failed". */
static int osslcmp_tls_verify_cb(int ok, X509_STORE_CTX *store)
{
    if (ok && X509_STORE_CTX_get0_parent_ctx(store) == NULL && X509_STORE_CTX_get_error_depth(store) == 0)
        ok = osslcmp_is_for_server(store);
    return osslcmp_verify_cb(ok, store);
}

#define OSSLCMP_TLS_HEADER 4 /* type and length of a handshake message */

/*
 * An SSL's message callback: looks at the certificates that a server shows before libssl decodes them, which takes very
 * long for keys on curves made for that. libssl asks nobody whether to go on: what is refused is overwritten, in its own
 * buffer and after it has gone into the transcript, so that there is no list of certificates any more.
 */
static void osslcmp_tls_look(int sent, int version, int type, const void *data, size_t length, SSL *ssl, void *arg)
{
    unsigned char *message = (unsigned char *)data;
    const osslcmp_limits *limits = osslcmp_current != NULL ? &osslcmp_current->limits : &osslcmp_default_limits;
    osslcmp_finding finding;

    (void)version, (void)arg;
    if (sent || type != SSL3_RT_HANDSHAKE || length <= OSSLCMP_TLS_HEADER || message[0] != SSL3_MT_CERTIFICATE
            || osslcmp_precheck_tls(message + OSSLCMP_TLS_HEADER, length - OSSLCMP_TLS_HEADER,
                                    SSL_version(ssl) == TLS1_3_VERSION, limits, &finding))
        return;
    osslcmp_raise_finding(&finding, "TLS certificates: ");
    memset(message + OSSLCMP_TLS_HEADER, 0xff, length - OSSLCMP_TLS_HEADER);
}

static void osslcmp_tls_bound(SSL *ssl)
{
    SSL_set_max_cert_list(ssl, (long)(osslcmp_current != NULL ? &osslcmp_current->limits : &osslcmp_default_limits)->tls);
    SSL_set_msg_callback(ssl, osslcmp_tls_look);
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION /* 3.2: what is compressed cannot be looked at */
    SSL_set_options(ssl, SSL_OP_NO_RX_CERTIFICATE_COMPRESSION);
#endif
}

/* Whom the connection must lead to, and whom we ask for. */
static int osslcmp_tls_name(const osslcmp_tls *tls, SSL *ssl)
{
    const char *wanted = tls->host, *asked;
    char *host = NULL;
    int ok, address;

    if (wanted == NULL && osslcmp_current != NULL && osslcmp_current->host != NULL)
        wanted = host = osslcmp_bare_host(osslcmp_current->host);
    if (wanted == NULL) {
        ERR_raise_data(ERR_LIB_SSL, ERR_R_PASSED_INVALID_ARGUMENT, "no server name to check");
        return 0;
    }
    address = osslcmp_is_address(wanted);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ok = !tls->verify || (address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), wanted)
                                  : X509_VERIFY_PARAM_set1_host(SSL_get0_param(ssl), wanted, 0));
    asked = tls->sni != NULL ? tls->sni : address ? "" : wanted;
    if (ok && *asked != '\0')
        ok = SSL_set_tlsext_host_name(ssl, asked) == 1;
    OPENSSL_free(host);
    return ok;
}

static BIO *osslcmp_tls_cb(BIO *bio, void *arg, int connect, int detail)
{
    const osslcmp_tls *tls = arg;
    SSL *ssl = NULL;
    BIO *top, *rest;
    unsigned long before;

    if (!connect) {
        if (BIO_get_ssl(bio, &ssl) <= 0 || ssl == NULL || BIO_method_type(bio) != BIO_TYPE_SSL)
            return bio;
        ERR_set_mark();
        if (!detail)
            SSL_set_quiet_shutdown(ssl, 1);
        BIO_ssl_shutdown(bio);
        /*
         * BIO_pop(bio) would have libssl take the rest away from an SSL that, without memory, may have no record layer;
         * BIO_pop(rest) would take it away from the buffer of an unfinished handshake, with whose reference it would leak.
         */
        rest = BIO_next(bio);
        if (rest != NULL)
            BIO_up_ref(rest);
        BIO_free_all(bio);
        ERR_pop_to_mark();
        return rest;
    }
    if ((ssl = SSL_new(tls->ctx)) == NULL)
        return NULL;
    osslcmp_tls_bound(ssl);
    /* What an existing SSL_CTX says about verification stays, where it says something. */
    if (tls->verify)
        SSL_set_verify(ssl, SSL_VERIFY_PEER, SSL_CTX_get_verify_callback(tls->ctx) != NULL
                                                 ? SSL_CTX_get_verify_callback(tls->ctx)
                                                 : osslcmp_tls_verify_cb);
    else
        SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    SSL_set_mode(ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY); /* a server that sends no data must not keep us in SSL_read() */
    /* From 3.2 on it ignores that it got no memory, and BIO_push() would follow a NULL pointer: only the queue tells. */
    before = ERR_peek_last_error();
    SSL_set_connect_state(ssl);
    if (ERR_peek_last_error() != before || !osslcmp_tls_name(tls, ssl) || (top = BIO_new(BIO_f_ssl())) == NULL) {
        SSL_free(ssl);
        return NULL;
    }
    if (BIO_set_ssl(top, ssl, BIO_CLOSE) <= 0) {
        BIO_free(top);
        SSL_free(ssl);
        return NULL;
    }
    return BIO_push(top, bio);
}
