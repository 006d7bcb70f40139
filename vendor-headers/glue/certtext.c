/*
 * What is wrong with which certificate, in a text that is bounded and harmless whatever the certificate holds.
 * X509_STORE_CTX_print_verify_cb() is neither: it leads into ERR_add_error_txt(), which never ends on a line of
 * more than some 4,000 characters (3.0 to 4.0).
 */
#define OSSLCMP_TOLD_MAX 900   /* of an entry in the error queue: OpenSSL drops data of more than 1 KiB */
#define OSSLCMP_TOLD_FIELD 180 /* of a name or a serial number in it */

/* What has been written to a memory BIO, cut off and without control characters, is added to another; it is freed. */
static void osslcmp_add_told(BIO *out, BIO *field, size_t max)
{
    char text[OSSLCMP_TOLD_MAX + 1];
    char *data = NULL;
    long length = field == NULL ? 0 : BIO_get_mem_data(field, &data);
    size_t i, n = length <= 0 ? 0 : (size_t)length < max ? (size_t)length : max;

    for (i = 0; i < n; i++)
        text[i] = (unsigned char)data[i] < ' ' || (unsigned char)data[i] >= 0x7f ? '?' : data[i];
    text[n] = '\0';
    BIO_printf(out, "%s%s", text, length > 0 && (size_t)length > n ? "..." : "");
    BIO_free(field);
}

static void osslcmp_tell_name(BIO *out, const char *what, const X509_NAME *name)
{
    BIO *field = BIO_new(BIO_s_mem());

    BIO_puts(out, what);
    if (field != NULL)
        X509_NAME_print_ex(field, name, 0, XN_FLAG_RFC2253);
    osslcmp_add_told(out, field, OSSLCMP_TOLD_FIELD);
}

static void osslcmp_tell_serial(BIO *out, const ASN1_INTEGER *serial)
{
    BIO *field = BIO_new(BIO_s_mem());
    const unsigned char *data = ASN1_STRING_get0_data(serial);
    int i, length = ASN1_STRING_length(serial);

    BIO_puts(out, ", serial number ");
    if (field != NULL && (ASN1_STRING_type(serial) & V_ASN1_NEG) != 0)
        BIO_puts(field, "-");
    for (i = 0; field != NULL && i < length && i <= OSSLCMP_TOLD_FIELD; i++)
        BIO_printf(field, "%02X", data[i]);
    osslcmp_add_told(out, field, OSSLCMP_TOLD_FIELD);
}

static void osslcmp_tell_time(BIO *out, const char *what, const ASN1_TIME *time)
{
    BIO *field = BIO_new(BIO_s_mem());

    BIO_puts(out, what);
    if (field != NULL)
        ASN1_TIME_print(field, time);
    osslcmp_add_told(out, field, 40);
}

/* Whom the certificate should have named, and whom it names. */
static void osslcmp_tell_mismatch(BIO *out, int code, X509_VERIFY_PARAM *param, X509 *cert)
{
    int at = cert == NULL ? -1 : X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);
    char *wanted = NULL, *ip = NULL;
    BIO *field;

    if (code == X509_V_ERR_HOSTNAME_MISMATCH)
        wanted = X509_VERIFY_PARAM_get0_host(param, 0);
    else if (code == X509_V_ERR_IP_ADDRESS_MISMATCH)
        wanted = ip = X509_VERIFY_PARAM_get1_ip_asc(param);
    else if (code == X509_V_ERR_EMAIL_MISMATCH)
        wanted = X509_VERIFY_PARAM_get0_email(param);
    else
        return;
    BIO_printf(out, ", expected %.100s", wanted != NULL ? wanted : "?");
    OPENSSL_free(ip);
    if (at < 0) {
        BIO_puts(out, ", no subjectAltName");
        return;
    }
    if ((field = BIO_new(BIO_s_mem())) != NULL)
        X509V3_EXT_print(field, X509_get_ext(cert, at), 0, 0);
    BIO_puts(out, ", subjectAltName ");
    osslcmp_add_told(out, field, OSSLCMP_TOLD_FIELD);
}

static void osslcmp_tell_failure(X509_STORE_CTX *store)
{
    int code = X509_STORE_CTX_get_error(store);
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long length;

    if (out == NULL)
        return;
    BIO_printf(out, "%s (%d), %scertificate at depth %d", X509_verify_cert_error_string(code), code,
               X509_STORE_CTX_get0_parent_ctx(store) != NULL ? "on the path of a CRL, " : "",
               X509_STORE_CTX_get_error_depth(store));
    if (cert != NULL) {
        osslcmp_tell_name(out, ", subject ", X509_get_subject_name(cert));
        osslcmp_tell_name(out, ", issuer ", X509_get_issuer_name(cert));
    }
    if (X509_STORE_CTX_get0_param(store) != NULL)
        osslcmp_tell_mismatch(out, code, X509_STORE_CTX_get0_param(store), cert);
    if (cert != NULL) {
        osslcmp_tell_time(out, ", notBefore ", X509_get0_notBefore(cert));
        osslcmp_tell_time(out, ", notAfter ", X509_get0_notAfter(cert));
        osslcmp_tell_serial(out, X509_get0_serialNumber(cert));
    }
    length = BIO_get_mem_data(out, &text);
    if (length > OSSLCMP_TOLD_MAX)
        length = OSSLCMP_TOLD_MAX;
    if (length > 0)
        ERR_raise_data(ERR_LIB_X509, X509_R_CERTIFICATE_VERIFICATION_FAILED, "%.*s", (int)length, text);
    BIO_free(out);
}

static void osslcmp_hold(X509_STORE_CTX *); /* verify.c */

/* For any trust store: queues what is wrong with which certificate, and changes no verdict. */
static int osslcmp_verify_cb(int ok, X509_STORE_CTX *store)
{
    osslcmp_hold(store);
    if (!ok)
        osslcmp_tell_failure(store);
    return ok;
}

/*
 * The longest line that OpenSSL would print of a certificate: when a signature turns out wrong it prints that of the
 * supposed signer, by ERR_add_error_txt(), which ours is not to stand in the way of. -1 for lack of memory.
 */
static long osslcmp_longest_line(X509 *cert)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long i, length, line = 0, longest = -1;

    if (out == NULL)
        return -1;
    ERR_set_mark();
    /*
     * As OpenSSL does it, which sets all bits but these: so the contents of unknown extensions are not printed. What
     * cannot be printed it does not queue either, but what comes before it counts.
     */
    X509_print_ex(out, cert, ASN1_STRFLGS_RFC2253 | ASN1_STRFLGS_ESC_QUOTE | XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN,
                  ~(unsigned long)(X509_FLAG_NO_SERIAL | X509_FLAG_NO_ISSUER | X509_FLAG_NO_VALIDITY
                                   | X509_FLAG_NO_SUBJECT | X509_FLAG_NO_EXTENSIONS | X509_FLAG_EXTENSIONS_ONLY_KID));
    ERR_pop_to_mark();
    length = BIO_get_mem_data(out, &text);
    for (i = 0; i < length; i++) {
        line = text[i] == '\n' ? 0 : line + 1;
        if (line > longest)
            longest = line;
    }
    BIO_free(out);
    return longest;
}
