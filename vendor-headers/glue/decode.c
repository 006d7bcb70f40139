/*
 * libcrypto exports no decoder for InfoTypeAndValue, and OSSL_CMP_ITAV_create()
 * with a kind that the library knows and a plain ASN1_TYPE is type confusion.
 * The real ASN.1 description is reachable through a type that is exported and
 * contains it, PKIHeader, so that each OID is decoded as its release wants it.
 */
#include <openssl/asn1t.h>

static const ASN1_TEMPLATE *osslcmp_header_field(const char *name)
{
    const ASN1_ITEM *header = ASN1_ITEM_rptr(OSSL_CMP_PKIHEADER);
    long i;

    for (i = 0; i < header->tcount; i++)
        if (strcmp(header->templates[i].field_name, name) == 0)
            return &header->templates[i];
    return NULL;
}

static const ASN1_ITEM *osslcmp_itav_item(void)
{
    const ASN1_TEMPLATE *field = osslcmp_header_field("generalInfo");

    return field == NULL ? NULL : ASN1_ITEM_ptr(field->item);
}

/* The same way: OSSL_CMP_HDR_get0_recipNonce() has no counterpart. */
static const ASN1_OCTET_STRING *osslcmp_sender_nonce(const OSSL_CMP_MSG *msg)
{
    const ASN1_TEMPLATE *field = osslcmp_header_field("senderNonce");
    const char *header = (const char *)OSSL_CMP_MSG_get0_header(msg);

    return field == NULL ? NULL : *(ASN1_OCTET_STRING *const *)(header + field->offset);
}

static int osslcmp_same_transaction(const OSSL_CMP_MSG *one, const OSSL_CMP_MSG *other)
{
    const ASN1_OCTET_STRING *a = OSSL_CMP_HDR_get0_transactionID(OSSL_CMP_MSG_get0_header(one));
    const ASN1_OCTET_STRING *b = OSSL_CMP_HDR_get0_transactionID(OSSL_CMP_MSG_get0_header(other));

    return a != NULL && b != NULL && ASN1_OCTET_STRING_cmp(a, b) == 0;
}

static OSSL_CMP_ITAV *osslcmp_d2i_itav(const unsigned char *der, long length)
{
    const unsigned char *end = der;
    const ASN1_ITEM *item = osslcmp_itav_item();
    ASN1_VALUE *itav = item == NULL ? NULL : ASN1_item_d2i(NULL, &end, length, item);

    if (itav != NULL && end != der + length) {
        ASN1_item_free(itav, item);
        ERR_raise(ERR_LIB_ASN1, ASN1_R_TOO_LONG);
        itav = NULL;
    }
    return (OSSL_CMP_ITAV *)itav;
}

static int osslcmp_i2d_itav(const OSSL_CMP_ITAV *itav, unsigned char **der)
{
    const ASN1_ITEM *item = osslcmp_itav_item();

    return item == NULL ? -1 : ASN1_item_i2d((const ASN1_VALUE *)itav, der, item);
}

/* One message and nothing after it. For messages of our own: nothing stands between it and libcrypto. */
static OSSL_CMP_MSG *osslcmp_own_msg(const unsigned char *der, long length)
{
    const unsigned char *end = der;
    OSSL_CMP_MSG *msg = d2i_OSSL_CMP_MSG(NULL, &end, length);

    if (msg != NULL && end != der + length) {
        OSSL_CMP_MSG_free(msg);
        ERR_raise_data(ERR_LIB_ASN1, ASN1_R_TOO_LONG, "data after the CMP message");
        msg = NULL;
    }
    return msg;
}
