/*
 * The outer structure of a message (RFC 9810, section 5.1): where its fields are. The server has to know some of them
 * before libcrypto sees the message, and libcrypto has no accessor for most. DER alone, bytes in and offsets out.
 */

enum { /* pairs of offsets, start and end, both 0 for what is absent */
    OSSLCMP_PVNO,      /* the octets of the number */
    OSSLCMP_SENDER,    /* whole elements: this, */
    OSSLCMP_RECIPIENT, /* this, */
    OSSLCMP_TIME,      /* octets */
    OSSLCMP_ALGORITHM, /* and this */
    OSSLCMP_ALGORITHM_OID,
    OSSLCMP_SENDER_KID,
    OSSLCMP_RECIP_KID,
    OSSLCMP_TRANSACTION_ID,
    OSSLCMP_SENDER_NONCE,
    OSSLCMP_RECIP_NONCE,
    OSSLCMP_GENERAL_INFO, /* a whole element */
    OSSLCMP_BODY,
    OSSLCMP_PROTECTION,
    OSSLCMP_EXTRA_CERTS,
    OSSLCMP_SENDER_NAME, /* the element in a sender that is a directoryName */
    OSSLCMP_SALT,        /* octets, of a password-based MAC */
    OSSLCMP_BEHIND_SALT, /* its other parameters, whole elements */
    OSSLCMP_SPANS
};

typedef struct osslcmp_spans {
    uint32_t at[2 * OSSLCMP_SPANS];
    int body_type; /* the number of the body's tag */
} osslcmp_spans;

static void osslcmp_span(osslcmp_spans *spans, int which, size_t start, size_t end)
{
    spans->at[2 * which] = (uint32_t)start;
    spans->at[2 * which + 1] = (uint32_t)end;
}

/* The one element inside an explicit tag. */
static int osslcmp_inside(osslcmp_walk *w, const osslcmp_tlv *tag, unsigned id, osslcmp_tlv *inner)
{
    osslcmp_fields f;

    osslcmp_fields_open(&f, w, tag);
    return osslcmp_take(&f, id, inner) && f.more == 0;
}

/* The next field is left out, or has this tag with an element of this kind in it, whose octets are wanted. */
static int osslcmp_span_optional(osslcmp_fields *f, int number, unsigned id, osslcmp_spans *spans, int which)
{
    osslcmp_tlv tag, inner;

    if (!osslcmp_take(f, OSSLCMP_EXPLICIT(number), &tag))
        return f->more >= 0;
    if (!osslcmp_inside(f->walk, &tag, id, &inner))
        return 0;
    osslcmp_span(spans, which, inner.content, inner.end);
    return 1;
}

static int osslcmp_span_any(osslcmp_fields *f, osslcmp_spans *spans, int which)
{
    if (f->more <= 0)
        return 0;
    osslcmp_span(spans, which, f->next.start, f->next.end);
    osslcmp_fields_next(f);
    return f->more >= 0;
}

/* What is in two of the fields, absent where that is not as it should be: it is not for here to say so. */
static void osslcmp_span_name(const osslcmp_walk *w, const osslcmp_tlv *sender, osslcmp_spans *spans)
{
    osslcmp_finding unused = {0};
    osslcmp_walk quiet = *w;
    osslcmp_tlv name;

    quiet.finding = &unused;
    if (sender->id == OSSLCMP_EXPLICIT(4) && osslcmp_inside(&quiet, sender, OSSLCMP_TAG_SEQUENCE, &name))
        osslcmp_span(spans, OSSLCMP_SENDER_NAME, name.start, name.end);
}

static void osslcmp_span_salt(const osslcmp_walk *w, const osslcmp_tlv *parameters, osslcmp_spans *spans)
{
    osslcmp_finding unused = {0};
    osslcmp_walk quiet = *w;
    osslcmp_fields f;
    osslcmp_tlv salt;

    quiet.finding = &unused;
    if (parameters->id != OSSLCMP_TAG_SEQUENCE)
        return;
    osslcmp_fields_open(&f, &quiet, parameters);
    if (osslcmp_take(&f, OSSLCMP_TAG_OCTET_STRING, &salt)) {
        osslcmp_span(spans, OSSLCMP_SALT, salt.content, salt.end);
        osslcmp_span(spans, OSSLCMP_BEHIND_SALT, salt.end, parameters->end);
    }
}

static int osslcmp_span_header(osslcmp_walk *w, const osslcmp_tlv *header, osslcmp_spans *spans)
{
    const unsigned char *der = w->der;
    osslcmp_fields f, algorithm;
    osslcmp_tlv number, tag, inner;
    osslcmp_spans unused;
    int i;

    osslcmp_fields_open(&f, w, header);
    if (!osslcmp_take(&f, OSSLCMP_TAG_INTEGER, &number) || number.content == number.end)
        return 0;
    if (number.end - number.content > 1
            && ((der[number.content] == 0 && der[number.content + 1] < 0x80)
                || (der[number.content] == 0xff && der[number.content + 1] >= 0x80)))
        return 0;
    osslcmp_span(spans, OSSLCMP_PVNO, number.content, number.end);
    if (f.more > 0)
        osslcmp_span_name(w, &f.next, spans);
    if (!osslcmp_span_any(&f, spans, OSSLCMP_SENDER) || !osslcmp_span_any(&f, spans, OSSLCMP_RECIPIENT)
            || !osslcmp_span_optional(&f, 0, OSSLCMP_TAG_GENERALIZED_TIME, spans, OSSLCMP_TIME))
        return 0;
    if (osslcmp_take(&f, OSSLCMP_EXPLICIT(1), &tag)) {
        if (!osslcmp_inside(w, &tag, OSSLCMP_TAG_SEQUENCE, &inner))
            return 0;
        osslcmp_span(spans, OSSLCMP_ALGORITHM, inner.start, inner.end);
        osslcmp_fields_open(&algorithm, w, &inner);
        if (!osslcmp_take(&algorithm, OSSLCMP_TAG_OID, &inner))
            return 0;
        osslcmp_span(spans, OSSLCMP_ALGORITHM_OID, inner.content, inner.end);
        if (algorithm.more > 0)
            osslcmp_span_salt(w, &algorithm.next, spans);
        while (algorithm.more > 0)
            osslcmp_fields_next(&algorithm);
        if (algorithm.more < 0)
            return 0;
    }
    for (i = 2; i <= 6; i++)
        if (!osslcmp_span_optional(&f, i, OSSLCMP_TAG_OCTET_STRING, spans, OSSLCMP_SENDER_KID + i - 2))
            return 0;
    if (!osslcmp_span_optional(&f, 7, OSSLCMP_TAG_SEQUENCE, &unused, 0))
        return 0;
    if (osslcmp_take(&f, OSSLCMP_EXPLICIT(8), &tag)) {
        if (!osslcmp_inside(w, &tag, OSSLCMP_TAG_SEQUENCE, &inner))
            return 0;
        osslcmp_span(spans, OSSLCMP_GENERAL_INFO, inner.start, inner.end);
    }
    return f.more == 0;
}

/* Returns 1; 0 for what is no message, and finding says why. */
static int osslcmp_outline(const unsigned char *der, long length, osslcmp_spans *spans, osslcmp_finding *finding)
{
    osslcmp_walk w;
    osslcmp_fields f;
    osslcmp_tlv message, header;

    memset(finding, 0, sizeof(*finding));
    memset(spans, 0, sizeof(*spans));
    memset(&w, 0, sizeof(w));
    w.der = der;
    w.limits = &osslcmp_default_limits;
    w.finding = finding;
    w.strict = 1;
    if ((uint64_t)length > UINT32_MAX || !osslcmp_tlv_read(&w, 0, (size_t)length, &message)
            || message.id != OSSLCMP_TAG_SEQUENCE || message.end != (size_t)length)
        return osslcmp_refuse(&w, OSSLCMP_NO_MESSAGE, 0);
    osslcmp_fields_open(&f, &w, &message);
    if (!osslcmp_take(&f, OSSLCMP_TAG_SEQUENCE, &header) || !osslcmp_span_header(&w, &header, spans))
        return osslcmp_refuse(&w, OSSLCMP_NO_HEADER, message.content);
    if (f.more <= 0 || f.next.id < OSSLCMP_EXPLICIT(0) || f.next.id > OSSLCMP_EXPLICIT(26))
        return osslcmp_refuse(&w, OSSLCMP_NO_BODY, header.end);
    spans->body_type = (int)(f.next.id & 0x1f);
    osslcmp_span(spans, OSSLCMP_BODY, f.next.content, f.next.end);
    osslcmp_fields_next(&f);
    if (!osslcmp_span_optional(&f, 0, OSSLCMP_TAG_BIT_STRING, spans, OSSLCMP_PROTECTION)
            || !osslcmp_span_optional(&f, 1, OSSLCMP_TAG_SEQUENCE, spans, OSSLCMP_EXTRA_CERTS) || f.more != 0)
        return osslcmp_refuse(&w, OSSLCMP_NO_MESSAGE, 0);
    return 1;
}
