/*
 * Messages from a peer: they are looked at (precheck.c) before libcrypto decodes them. Everything that comes from
 * outside comes through here: over HTTP and any other transport, out of files and dumps, into client and servers.
 */

/* The longest line that libcrypto would print of a certificate whose signature does not verify: see certtext.c. */
static uint32_t osslcmp_longest_line_of_der(const unsigned char *der, size_t length)
{
    const unsigned char *end = der;
    X509 *certificate;
    long longest = 0;

    ERR_set_mark();
    certificate = d2i_X509(NULL, &end, (long)length);
    ERR_pop_to_mark();
    if (certificate != NULL)
        longest = osslcmp_longest_line(certificate);
    X509_free(certificate);
    return longest < 0 ? UINT32_MAX : (uint32_t)longest;
}

static void osslcmp_raise_finding(const osslcmp_finding *f, const char *where)
{
    const char *text = osslcmp_violation_text(f->violation);

    if (osslcmp_violation_is_limit(f->violation))
        ERR_raise_data(ERR_LIB_ASN1, ASN1_R_TOO_LARGE, "%s%u at offset %u exceeds the limit %s=%u", where, f->found,
                       f->offset, text, f->limit);
    else if (osslcmp_violation_is_garbage(f->violation))
        ERR_raise_data(ERR_LIB_ASN1, ASN1_R_BAD_OBJECT_HEADER, "%s%s at offset %u", where, text, f->offset);
    else
        ERR_raise_data(ERR_LIB_ASN1, ASN1_R_DATA_IS_WRONG, "%s%s: %s at offset %u", where, f->what == NULL ? "" : f->what,
                       text, f->offset);
}

/*
 * One message of a peer and nothing after it. limits NULL: the defaults. On failure an error is queued, and finding,
 * which may be NULL, says what is wrong with the message if it was refused before it was decoded.
 */
static OSSL_CMP_MSG *osslcmp_d2i_msg(const unsigned char *der, long length, const osslcmp_limits *limits,
                                     osslcmp_finding *finding)
{
    osslcmp_finding own;

    if (finding == NULL)
        finding = &own;
    if (osslcmp_precheck(der, (size_t)length, limits, osslcmp_longest_line_of_der, finding))
        return osslcmp_own_msg(der, length);
    osslcmp_raise_finding(finding, "");
    return NULL;
}

/* Only the look. 1 if the message is fine; the error queue stays as it is. */
static int osslcmp_check_msg(const unsigned char *der, long length, const osslcmp_limits *limits,
                             osslcmp_finding *finding)
{
    return osslcmp_precheck(der, (size_t)length, limits, osslcmp_longest_line_of_der, finding);
}
