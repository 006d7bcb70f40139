/*
 * While it looks for the certificate that a message was signed with, libcrypto takes the log callback away from the
 * context. From 3.1 on it prints all errors of that time to stderr then, unless the context's verbosity is below
 * errors: then they stay in the queue, where they are wanted. So the verbosity goes down as soon as there is an error,
 * and up again when there is none, or with the next message.
 */
static void osslcmp_hush(osslcmp_session *s, int on)
{
    if (s->validating == NULL)
        return;
    if (on && s->verbosity < 0) {
        s->verbosity = OSSL_CMP_CTX_get_option(s->validating, OSSL_CMP_OPT_LOG_VERBOSITY);
        OSSL_CMP_CTX_set_option(s->validating, OSSL_CMP_OPT_LOG_VERBOSITY, OSSL_CMP_LOG_CRIT);
    } else if (!on && s->verbosity >= 0) {
        OSSL_CMP_CTX_set_option(s->validating, OSSL_CMP_OPT_LOG_VERBOSITY, s->verbosity);
        s->verbosity = -1;
    }
}

/* From now on messages of this context are validated; NULL: no longer. */
static void osslcmp_validate(osslcmp_session *s, OSSL_CMP_CTX *ctx)
{
    osslcmp_hush(s, 0);
    s->validating = ctx;
    s->verbosity = -1;
}

/*
 * Keep a certificate that is verified. A message that the signer of the one before has not signed makes libcrypto (3.0
 * to 4.0) look at that signer's certificate once more, after it has let go of it. Nothing else holds it where the
 * context knew a copy before: from an earlier transaction, or as an untrusted certificate.
 */
static void osslcmp_hold(X509_STORE_CTX *csc)
{
    osslcmp_session *s = osslcmp_current;
    X509 *cert = X509_STORE_CTX_get0_cert(csc);
    int i = 0;

    if (s == NULL || cert == NULL || X509_STORE_CTX_get_error_depth(csc) != 0 || !X509_up_ref(cert))
        return;
    while (i < OSSLCMP_HELD - 1 && s->held[i] != cert)
        i++;
    X509_free(s->held[i]);
    memmove(s->held + 1, s->held, (size_t)i * sizeof(*s->held));
    s->held[0] = cert;
}

/* For the trust store that messages are validated with. It queues what is wrong with which certificate. */
static int osslcmp_validate_cb(int ok, X509_STORE_CTX *csc)
{
    int result = osslcmp_verify_cb(ok, csc);

    if (osslcmp_current != NULL)
        osslcmp_hush(osslcmp_current, ERR_peek_error() != 0);
    return result;
}

/* For the trust store of a server, which queues nothing: its clients are told what is queued. */
static int osslcmp_validate_quietly_cb(int ok, X509_STORE_CTX *csc)
{
    osslcmp_hold(csc);
    if (!ok && osslcmp_current != NULL)
        osslcmp_hush(osslcmp_current, 1);
    return ok;
}
