/*
 * From 3.5 on libcrypto checks who signed a key made by the CA with a purpose that it registers as "cmKGA" when the
 * first such key comes. From the second key on it takes that entry's place in the table of purposes for its number:
 * that is the entry before it, by default code signing. So those who may make keys are refused, and those who may
 * sign code are not. Here two entries are registered before, both with the check that is meant: what is at the place
 * of "cmKGA", taken as a number, is the other one.
 */
#if OPENSSL_VERSION_NUMBER >= 0x30500000L
/* As libcrypto has it: a CA, or a certificate with the extended key usage id-kp-cmKGA. */
static int osslcmp_may_make_keys(const X509_PURPOSE *purpose, const X509 *cert, int ca)
{
    EXTENDED_KEY_USAGE *usages;
    int i, found = 0;

    (void)purpose;
    if (ca)
        return 1;
    usages = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    for (i = 0; i < sk_ASN1_OBJECT_num(usages) && !found; i++)
        found = OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i)) == NID_cmKGA;
    EXTENDED_KEY_USAGE_free(usages);
    return found;
}

static int osslcmp_add_purpose(const char *name)
{
    return X509_PURPOSE_add(X509_PURPOSE_get_unused_id(NULL), X509_TRUST_COMPAT, 0, osslcmp_may_make_keys, LN_cmKGA,
                            name, NULL);
}

static int osslcmp_know_key_makers(void)
{
    /* Somebody's key may have come before: then "cmKGA" exists, and gets the higher number again. */
    int place = X509_PURPOSE_get_by_sname(SN_cmKGA), ok = 1;

    ERR_set_mark();
    if (X509_PURPOSE_get_by_sname("osslcmp-cmKGA") < 0)
        ok = (place >= 0 || osslcmp_add_purpose("osslcmp-cmKGA")) && osslcmp_add_purpose(SN_cmKGA)
            && (place < 0 || osslcmp_add_purpose("osslcmp-cmKGA"));
    X509_PURPOSE_get_by_id(X509_PURPOSE_get_unused_id(NULL)); /* sorts the table */
    ERR_pop_to_mark();
    return ok;
}
#else
static int osslcmp_know_key_makers(void)
{
    return 1;
}
#endif
