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

#define OSSLCMP_STORY_MAX 900 /* OpenSSL drops error data of more than 1 KiB */

/* What is wrong with which certificate, where libssl only says "certificate verify failed". */
static int osslcmp_verify_cb(int ok, X509_STORE_CTX *store)
{
    int code = X509_STORE_CTX_get_error(store), at;
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store);
    char *text, *ip;
    BIO *out;

    if (ok || (out = BIO_new(BIO_s_mem())) == NULL)
        return ok;
    BIO_printf(out, "%s (%d), certificate at depth %d", X509_verify_cert_error_string(code), code,
               X509_STORE_CTX_get_error_depth(store));
    if (cert != NULL) {
        BIO_puts(out, ", subject ");
        X509_NAME_print_ex(out, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253);
        BIO_puts(out, ", issuer ");
        X509_NAME_print_ex(out, X509_get_issuer_name(cert), 0, XN_FLAG_RFC2253);
    }
    if (code == X509_V_ERR_CERT_HAS_EXPIRED && cert != NULL) {
        BIO_puts(out, ", notAfter ");
        ASN1_TIME_print(out, X509_get0_notAfter(cert));
    }
    if (code == X509_V_ERR_CERT_NOT_YET_VALID && cert != NULL) {
        BIO_puts(out, ", notBefore ");
        ASN1_TIME_print(out, X509_get0_notBefore(cert));
    }
    if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        ip = code == X509_V_ERR_IP_ADDRESS_MISMATCH ? X509_VERIFY_PARAM_get1_ip_asc(param) : NULL;
        text = ip == NULL ? X509_VERIFY_PARAM_get0_host(param, 0) : NULL;
        BIO_printf(out, ", expected %s", ip != NULL ? ip : text != NULL ? text : "?");
        OPENSSL_free(ip);
        at = cert == NULL ? -1 : X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);
        BIO_puts(out, at < 0 ? ", no subjectAltName" : ", subjectAltName ");
        if (at >= 0)
            X509V3_EXT_print(out, X509_get_ext(cert, at), 0, 0);
    }
    BIO_write(out, "", 1);
    BIO_get_mem_data(out, &text);
    for (at = 0; text[at] != '\0' && at < OSSLCMP_STORY_MAX; at++)
        if ((unsigned char)text[at] < ' ' || text[at] == 0x7f)
            text[at] = '?';
    ERR_raise_data(ERR_LIB_X509, X509_R_CERTIFICATE_VERIFICATION_FAILED, "%.*s", OSSLCMP_STORY_MAX, text);
    BIO_free(out);
    return 0;
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

    if (!connect) {
        if (BIO_get_ssl(bio, &ssl) <= 0 || ssl == NULL || BIO_method_type(bio) != BIO_TYPE_SSL)
            return bio;
        ERR_set_mark();
        if (!detail)
            SSL_set_quiet_shutdown(ssl, 1);
        BIO_ssl_shutdown(bio);
        rest = BIO_pop(bio);
        BIO_free(bio);
        ERR_pop_to_mark();
        return rest;
    }
    if ((ssl = SSL_new(tls->ctx)) == NULL)
        return NULL;
    /* What an existing SSL_CTX says about verification stays, where it says something. */
    if (tls->verify)
        SSL_set_verify(ssl, SSL_VERIFY_PEER, SSL_CTX_get_verify_callback(tls->ctx) != NULL
                                                 ? SSL_CTX_get_verify_callback(tls->ctx)
                                                 : osslcmp_verify_cb);
    else
        SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    SSL_set_mode(ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_connect_state(ssl);
    if (!osslcmp_tls_name(tls, ssl) || (top = BIO_new(BIO_f_ssl())) == NULL) {
        SSL_free(ssl);
        return NULL;
    }
    BIO_set_ssl(top, ssl, BIO_CLOSE);
    return BIO_push(top, bio);
}
