/*
 * What a message must be like before libcrypto decodes and verifies it: well-formed, within limits, and with
 * algorithm parameters of the type that libcrypto takes them for without a look. Bytes in, a verdict out: nothing of
 * OpenSSL and nothing of Python in this file, no memory but the stack, one pass with an explicit stack, no recursion.
 *
 * BER with indefinite lengths passes, as it does with libcrypto: some servers send CMS objects so.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define OSSLCMP_MAX_DEPTH 128

/* Octets (tls: of a list of certificates), but for depth, elements, certificates, iterations, curves (numbers), line (characters), exponent (bits). */
typedef struct osslcmp_limits {
    uint32_t message, depth, elements, certificates;
    uint32_t oid, integer, serial, name, extension, text;
    uint32_t iterations, line, curves, exponent, tls;
} osslcmp_limits;

/* Why a message is refused; osslcmp_violation_text() has the words. */
enum osslcmp_violation {
    OSSLCMP_FINE,
    /* not DER, nor BER */
    OSSLCMP_TRUNCATED,
    OSSLCMP_BAD_TAG,
    OSSLCMP_BAD_LENGTH,
    OSSLCMP_STRAY_END,
    OSSLCMP_BAD_FORM,
    /* no CMP message */
    OSSLCMP_NO_MESSAGE,
    OSSLCMP_NO_HEADER,
    OSSLCMP_NO_BODY,
    /* algorithms */
    OSSLCMP_BAD_ALGORITHM,
    OSSLCMP_BAD_PARAMETERS,
    OSSLCMP_NO_PARAMETERS,
    /* limits: from here on */
    OSSLCMP_LIMIT_MESSAGE,
    OSSLCMP_LIMIT_DEPTH,
    OSSLCMP_LIMIT_ELEMENTS,
    OSSLCMP_LIMIT_CERTIFICATES,
    OSSLCMP_LIMIT_OID,
    OSSLCMP_LIMIT_INTEGER,
    OSSLCMP_LIMIT_SERIAL,
    OSSLCMP_LIMIT_NAME,
    OSSLCMP_LIMIT_EXTENSION,
    OSSLCMP_LIMIT_TEXT,
    OSSLCMP_LIMIT_ITERATIONS,
    OSSLCMP_LIMIT_LINE,
    OSSLCMP_LIMIT_CURVES,
    OSSLCMP_LIMIT_EXPONENT,
    OSSLCMP_VIOLATIONS
};

typedef struct osslcmp_finding {
    int violation;
    uint32_t offset;       /* of the element, in the message */
    uint32_t found, limit; /* with a limit */
    const char *what;      /* the algorithm whose parameters are wrong, else NULL */
} osslcmp_finding;

/* What is said of a certificate that may print as long lines: its longest line, 0 for not a certificate. */
typedef uint32_t (*osslcmp_measure)(const unsigned char *der, size_t length);

static const osslcmp_limits osslcmp_default_limits = {
    16 * 1024 * 1024, /* message */
    64,               /* depth */
    1000000,          /* elements */
    100,              /* certificates */
    128,              /* oid */
    4096,             /* integer */
    128,              /* serial */
    8192,             /* name */
    65536,            /* extension */
    16384,            /* text */
    2000000,          /* iterations */
    3900,             /* line */
    0,                /* curves */
    256,              /* exponent */
    102400            /* tls */
};

static const char *osslcmp_violation_text(int violation)
{
    static const char *const texts[OSSLCMP_VIOLATIONS] = {
        "",
        "an element is truncated",
        "a tag is malformed",
        "a length is malformed",
        "an end of contents without a beginning",
        "an element is constructed that must be primitive, or primitive that must be constructed",
        "no PKIMessage",
        "no PKIHeader",
        "no PKIBody",
        "an AlgorithmIdentifier is malformed",
        "the parameters of an algorithm have the wrong type",
        "the parameters of an algorithm are missing",
        "message_size",
        "depth",
        "elements",
        "certificates",
        "oid_length",
        "integer_length",
        "serial_number_length",
        "name_length",
        "extension_length",
        "text_length",
        "iterations",
        "printed_line",
        "explicit_curves",
        "exponent_bits",
    };

    return violation > 0 && violation < OSSLCMP_VIOLATIONS ? texts[violation] : texts[0];
}

/* Whether it is a limit that is exceeded: then the text is the limit's name. */
static int osslcmp_violation_is_limit(int violation)
{
    return violation >= OSSLCMP_LIMIT_MESSAGE && violation < OSSLCMP_VIOLATIONS;
}

/* Whether the bytes are no ASN.1 or no CMP message at all. */
static int osslcmp_violation_is_garbage(int violation)
{
    return violation >= OSSLCMP_TRUNCATED && violation <= OSSLCMP_NO_BODY;
}

#define OSSLCMP_TAG_INTEGER 0x02
#define OSSLCMP_TAG_BIT_STRING 0x03
#define OSSLCMP_TAG_OCTET_STRING 0x04
#define OSSLCMP_TAG_NULL 0x05
#define OSSLCMP_TAG_OID 0x06
#define OSSLCMP_TAG_UTF8 0x0c
#define OSSLCMP_TAG_GENERALIZED_TIME 0x18
#define OSSLCMP_TAG_SEQUENCE 0x30
#define OSSLCMP_EXPLICIT(n) (0xa0 | (n))
#define OSSLCMP_IMPLICIT(n) (0x80 | (n))

typedef struct osslcmp_tlv {
    unsigned id;          /* identifier octet */
    int indefinite;
    size_t start;         /* offsets in the message */
    size_t content, end;  /* of an indefinite one the end that surrounds it, until it is found */
} osslcmp_tlv;

typedef struct osslcmp_walk {
    const unsigned char *der;
    const osslcmp_limits *limits;
    osslcmp_measure measure;
    int strict; /* DER alone: no length that is indefinite or longer than it must be */
    size_t extra_certs; /* where they begin: among them libcrypto looks for the signer */
    osslcmp_finding *finding;
    uint32_t elements, certificates, curves;
    uint64_t iterations;
} osslcmp_walk;

static int osslcmp_refuse(osslcmp_walk *w, int violation, size_t offset)
{
    if (w->finding->violation == OSSLCMP_FINE) {
        w->finding->violation = violation;
        w->finding->offset = (uint32_t)offset;
    }
    return 0;
}

static int osslcmp_exceeds(osslcmp_walk *w, int violation, size_t offset, size_t found, uint32_t limit)
{
    if (found <= limit)
        return 0;
    if (w->finding->violation == OSSLCMP_FINE) {
        w->finding->found = found > UINT32_MAX ? UINT32_MAX : (uint32_t)found;
        w->finding->limit = limit;
    }
    osslcmp_refuse(w, violation, offset);
    return 1;
}

/* The header of the element at an offset below end. */
static int osslcmp_tlv_read(osslcmp_walk *w, size_t at, size_t end, osslcmp_tlv *tlv)
{
    const unsigned char *der = w->der;
    size_t length = 0, octets;

    tlv->start = at;
    tlv->indefinite = 0;
    if (at >= end)
        return osslcmp_refuse(w, OSSLCMP_TRUNCATED, at);
    tlv->id = der[at++];
    if ((tlv->id & 0x1f) == 0x1f) {
        size_t first = at;

        do {
            if (at >= end)
                return osslcmp_refuse(w, OSSLCMP_TRUNCATED, tlv->start);
            if (at - first == 4)
                return osslcmp_refuse(w, OSSLCMP_BAD_TAG, tlv->start);
        } while (der[at++] & 0x80);
    }
    if (at >= end)
        return osslcmp_refuse(w, OSSLCMP_TRUNCATED, tlv->start);
    octets = der[at++];
    if (octets < 0x80) {
        length = octets;
    } else if (octets == 0x80) {
        if ((tlv->id & 0x20) == 0)
            return osslcmp_refuse(w, OSSLCMP_BAD_LENGTH, tlv->start);
        tlv->indefinite = 1;
    } else {
        size_t first = at;

        octets &= 0x7f;
        if (octets > end - at)
            return osslcmp_refuse(w, OSSLCMP_TRUNCATED, tlv->start);
        for (; octets > 0; octets--) {
            if (length > (UINT32_MAX >> 8))
                return osslcmp_refuse(w, OSSLCMP_BAD_LENGTH, tlv->start);
            length = length << 8 | der[at++];
        }
        if (w->strict && (der[first] == 0 || length < 0x80))
            return osslcmp_refuse(w, OSSLCMP_BAD_LENGTH, tlv->start);
    }
    if (w->strict && tlv->indefinite)
        return osslcmp_refuse(w, OSSLCMP_BAD_LENGTH, tlv->start);
    tlv->content = at;
    if (tlv->indefinite) {
        tlv->end = end;
    } else {
        if (length > end - at)
            return osslcmp_refuse(w, OSSLCMP_TRUNCATED, tlv->start);
        tlv->end = at + length;
    }
    return 1;
}

static int osslcmp_at_end_of_contents(const osslcmp_walk *w, size_t at, size_t end)
{
    return end - at >= 2 && w->der[at] == 0 && w->der[at + 1] == 0;
}

/* Where the element ends, its end of contents included. */
static int osslcmp_tlv_skip(osslcmp_walk *w, const osslcmp_tlv *tlv, size_t *after)
{
    size_t at = tlv->content, open = 1;
    osslcmp_tlv inner;

    if (!tlv->indefinite) {
        *after = tlv->end;
        return 1;
    }
    while (open > 0) {
        if (osslcmp_at_end_of_contents(w, at, tlv->end)) {
            open--;
            at += 2;
            continue;
        }
        if (!osslcmp_tlv_read(w, at, tlv->end, &inner))
            return 0;
        if (inner.indefinite) {
            open++;
            at = inner.content;
        } else {
            at = inner.end;
        }
    }
    *after = at;
    return 1;
}

/* The fields of a constructed element, one after the other. */
typedef struct osslcmp_fields {
    osslcmp_walk *walk;
    size_t at, end;
    int indefinite;
    osslcmp_tlv next;
    int more; /* next is there; -1: malformed */
} osslcmp_fields;

static void osslcmp_fields_next(osslcmp_fields *f)
{
    if (f->at >= f->end || (f->indefinite && osslcmp_at_end_of_contents(f->walk, f->at, f->end))) {
        f->more = 0;
        f->next.id = 0;
    } else if (osslcmp_tlv_read(f->walk, f->at, f->end, &f->next)
               && osslcmp_tlv_skip(f->walk, &f->next, &f->at)) {
        f->more = 1;
    } else {
        f->more = -1;
        f->next.id = 0;
    }
}

static void osslcmp_fields_open(osslcmp_fields *f, osslcmp_walk *w, const osslcmp_tlv *tlv)
{
    f->walk = w;
    f->at = tlv->content;
    f->end = tlv->end;
    f->indefinite = tlv->indefinite;
    osslcmp_fields_next(f);
}

/* Whether the next field has this identifier; it is taken then. */
static int osslcmp_take(osslcmp_fields *f, unsigned id, osslcmp_tlv *taken)
{
    if (f->more <= 0 || f->next.id != id)
        return 0;
    if (taken != NULL)
        *taken = f->next;
    osslcmp_fields_next(f);
    return 1;
}

/* -- algorithms ------------------------------------------------------------------------------------------ */

enum osslcmp_parameters {
    OSSLCMP_PBM,         /* PBMParameter; libcrypto limits the iterations itself */
    OSSLCMP_STRUCTURE,   /* a SEQUENCE */
    OSSLCMP_MAYBE,       /* a SEQUENCE, NULL or nothing */
    OSSLCMP_OCTETS,      /* an OCTET STRING */
    OSSLCMP_CURVE,       /* an OBJECT IDENTIFIER, NULL or nothing; a SEQUENCE is a curve of the sender's own */
    OSSLCMP_PBES1,       /* a SEQUENCE of salt and iterations */
    OSSLCMP_PBKDF2,
    OSSLCMP_SCRYPT,
    OSSLCMP_AEAD,        /* a SEQUENCE that begins with a nonce, NULL or nothing */
    OSSLCMP_DH_BASED_MAC /* a SEQUENCE of two AlgorithmIdentifiers, NULL or nothing */
};

/* Of an OID the octets that count: all of them, or with prefix the first ones. */
typedef struct osslcmp_algorithm {
    const char *name;
    int parameters;
    unsigned char length, prefix;
    unsigned char oid[11];
} osslcmp_algorithm;

static const osslcmp_algorithm osslcmp_algorithms[] = {
    {"id-PasswordBasedMac", OSSLCMP_PBM, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf6, 0x7d, 0x07, 0x42, 0x0d}},
    {"id-DHBasedMac", OSSLCMP_DH_BASED_MAC, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf6, 0x7d, 0x07, 0x42, 0x1e}},
    {"id-KemBasedMac", OSSLCMP_STRUCTURE, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf6, 0x7d, 0x07, 0x42, 0x10}},
    {"id-PBMAC1", OSSLCMP_STRUCTURE, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0e}},
    {"id-PBES2", OSSLCMP_STRUCTURE, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d}},
    {"id-PBKDF2", OSSLCMP_PBKDF2, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c}},
    {"id-scrypt", OSSLCMP_SCRYPT, 9, 0, {0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b}},
    /* Below PBES2 in PKCS #5, and all of PKCS #12. */
    {"PBES1", OSSLCMP_PBES1, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x01}},
    {"PBES1", OSSLCMP_PBES1, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x03}},
    {"PBES1", OSSLCMP_PBES1, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x04}},
    {"PBES1", OSSLCMP_PBES1, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x06}},
    {"PBES1", OSSLCMP_PBES1, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0a}},
    {"PBES1", OSSLCMP_PBES1, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0b}},
    {"PKCS #12 PBE", OSSLCMP_PBES1, 9, 1, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01}},
    {"id-RSAES-OAEP", OSSLCMP_MAYBE, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07}},
    {"id-mgf1", OSSLCMP_MAYBE, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08}},
    {"id-pSpecified", OSSLCMP_OCTETS, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x09}},
    {"id-RSASSA-PSS", OSSLCMP_MAYBE, 9, 0, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a}},
    {"id-ecPublicKey", OSSLCMP_CURVE, 7, 0, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}},
    /* ESDH and the schemes of RFC 5753, key agreement of CMS. */
    {"id-alg-ESDH", OSSLCMP_STRUCTURE, 11, 0,
     {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, 0x05}},
    {"dhSinglePass-stdDH", OSSLCMP_STRUCTURE, 9, 0, {0x2b, 0x81, 0x05, 0x10, 0x86, 0x48, 0x3f, 0x00, 0x02}},
    {"dhSinglePass-cofactorDH", OSSLCMP_STRUCTURE, 9, 0,
     {0x2b, 0x81, 0x05, 0x10, 0x86, 0x48, 0x3f, 0x00, 0x03}},
    {"dhSinglePass", OSSLCMP_STRUCTURE, 5, 1, {0x2b, 0x81, 0x04, 0x01, 0x0b}},
    {"dhSinglePass", OSSLCMP_STRUCTURE, 5, 1, {0x2b, 0x81, 0x04, 0x01, 0x0e}},
    {"AES-GCM", OSSLCMP_AEAD, 9, 0, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x06}},
    {"AES-CCM", OSSLCMP_AEAD, 9, 0, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x07}},
    {"AES-GCM", OSSLCMP_AEAD, 9, 0, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x1a}},
    {"AES-CCM", OSSLCMP_AEAD, 9, 0, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x1b}},
    {"AES-GCM", OSSLCMP_AEAD, 9, 0, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e}},
    {"AES-CCM", OSSLCMP_AEAD, 9, 0, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2f}},
};

static const osslcmp_algorithm *osslcmp_find_algorithm(const unsigned char *oid, size_t length)
{
    size_t i;

    for (i = 0; i < sizeof(osslcmp_algorithms) / sizeof(osslcmp_algorithms[0]); i++) {
        const osslcmp_algorithm *a = &osslcmp_algorithms[i];

        if ((a->prefix ? length >= a->length : length == a->length) && memcmp(oid, a->oid, a->length) == 0)
            return a;
    }
    return NULL;
}

static int osslcmp_is_algorithm(osslcmp_walk *w, const osslcmp_tlv *tlv)
{
    osslcmp_fields f;

    osslcmp_fields_open(&f, w, tlv);
    if (!osslcmp_take(&f, OSSLCMP_TAG_OID, NULL))
        return 0;
    if (f.more > 0)
        osslcmp_fields_next(&f);
    return f.more == 0;
}

static int osslcmp_take_algorithm(osslcmp_fields *f)
{
    osslcmp_tlv tlv;

    return osslcmp_take(f, OSSLCMP_TAG_SEQUENCE, &tlv) && osslcmp_is_algorithm(f->walk, &tlv);
}

/* The value of an INTEGER that is not negative and fits; everything else is very large. */
static uint64_t osslcmp_number(const osslcmp_walk *w, const osslcmp_tlv *tlv)
{
    uint64_t value = 0;
    size_t at;

    if (tlv->end - tlv->content < 1 || tlv->end - tlv->content > 8 || (w->der[tlv->content] & 0x80) != 0)
        return UINT64_MAX;
    for (at = tlv->content; at < tlv->end; at++)
        value = value << 8 | w->der[at];
    return value;
}

/* All those of a message count together: libcrypto tries one recipient of an EnvelopedData after the other. */
static int osslcmp_count_iterations(osslcmp_walk *w, uint64_t number, size_t offset)
{
    w->iterations = number > UINT32_MAX ? UINT32_MAX : w->iterations + number;
    return !osslcmp_exceeds(w, OSSLCMP_LIMIT_ITERATIONS, offset,
                            w->iterations > UINT32_MAX ? UINT32_MAX : (size_t)w->iterations, w->limits->iterations);
}

/* N * r * p is what scrypt takes; a step of it costs some thirty times what one of PBKDF2 does. */
static int osslcmp_check_scrypt(osslcmp_fields *f)
{
    osslcmp_tlv n, r, p;
    uint64_t work;

    if (!osslcmp_take(f, OSSLCMP_TAG_OCTET_STRING, NULL) || !osslcmp_take(f, OSSLCMP_TAG_INTEGER, &n)
            || !osslcmp_take(f, OSSLCMP_TAG_INTEGER, &r) || !osslcmp_take(f, OSSLCMP_TAG_INTEGER, &p))
        return 0;
    work = osslcmp_number(f->walk, &n);
    if (work <= UINT32_MAX && osslcmp_number(f->walk, &r) <= UINT16_MAX
            && osslcmp_number(f->walk, &p) <= UINT16_MAX)
        work *= osslcmp_number(f->walk, &r) * osslcmp_number(f->walk, &p);
    else
        work = UINT64_MAX;
    osslcmp_count_iterations(f->walk, work, n.start);
    return 1;
}

/* Whether parameters are what they must be; limits are told by the finding. */
static int osslcmp_check_parameters(osslcmp_walk *w, const osslcmp_algorithm *a, const osslcmp_tlv *value)
{
    osslcmp_fields f;
    osslcmp_tlv number;

    switch (a->parameters) {
    case OSSLCMP_OCTETS:
        return value != NULL && value->id == OSSLCMP_TAG_OCTET_STRING;
    case OSSLCMP_MAYBE:
        return value == NULL || value->id == OSSLCMP_TAG_NULL || value->id == OSSLCMP_TAG_SEQUENCE;
    case OSSLCMP_CURVE:
        if (value != NULL && value->id == OSSLCMP_TAG_SEQUENCE) {
            osslcmp_exceeds(w, OSSLCMP_LIMIT_CURVES, value->start, ++w->curves, w->limits->curves);
            return 1;
        }
        return value == NULL || value->id == OSSLCMP_TAG_NULL || value->id == OSSLCMP_TAG_OID;
    case OSSLCMP_DH_BASED_MAC:
    case OSSLCMP_AEAD:
        if (value == NULL || value->id == OSSLCMP_TAG_NULL)
            return 1;
        break;
    }
    if (value == NULL || value->id != OSSLCMP_TAG_SEQUENCE)
        return 0;
    osslcmp_fields_open(&f, w, value);
    switch (a->parameters) {
    case OSSLCMP_PBM:
        return osslcmp_take(&f, OSSLCMP_TAG_OCTET_STRING, NULL) && osslcmp_take_algorithm(&f)
            && osslcmp_take(&f, OSSLCMP_TAG_INTEGER, NULL) && osslcmp_take_algorithm(&f) && f.more == 0;
    case OSSLCMP_DH_BASED_MAC:
        return osslcmp_take_algorithm(&f) && osslcmp_take_algorithm(&f) && f.more == 0;
    case OSSLCMP_PBKDF2:
        if ((!osslcmp_take(&f, OSSLCMP_TAG_OCTET_STRING, NULL) && !osslcmp_take_algorithm(&f))
                || !osslcmp_take(&f, OSSLCMP_TAG_INTEGER, &number))
            return 0;
        osslcmp_count_iterations(w, osslcmp_number(w, &number), number.start);
        return 1;
    case OSSLCMP_PBES1:
        if (!osslcmp_take(&f, OSSLCMP_TAG_OCTET_STRING, NULL)
                || !osslcmp_take(&f, OSSLCMP_TAG_INTEGER, &number) || f.more != 0)
            return 0;
        osslcmp_count_iterations(w, osslcmp_number(w, &number), number.start);
        return 1;
    case OSSLCMP_SCRYPT:
        return osslcmp_check_scrypt(&f);
    case OSSLCMP_AEAD: /* no cipher of libcrypto takes a longer one into its buffer */
        return osslcmp_take(&f, OSSLCMP_TAG_OCTET_STRING, &number) && number.end - number.content <= 16;
    default:
        return 1;
    }
}

/* A constructed element that begins with an OBJECT IDENTIFIER: what this says of the next field. */
static int osslcmp_check_algorithm(osslcmp_walk *w, const osslcmp_tlv *tlv)
{
    osslcmp_fields f;
    osslcmp_tlv oid, value;
    const osslcmp_algorithm *a;
    int has_value;

    if (tlv->content >= tlv->end || w->der[tlv->content] != OSSLCMP_TAG_OID)
        return 1;
    osslcmp_fields_open(&f, w, tlv);
    if (!osslcmp_take(&f, OSSLCMP_TAG_OID, &oid))
        return 0;
    a = osslcmp_find_algorithm(w->der + oid.content, oid.end - oid.content);
    if (a == NULL)
        return 1;
    has_value = f.more > 0;
    value = f.next;
    if (!osslcmp_check_parameters(w, a, has_value ? &value : NULL)) {
        w->finding->what = a->name;
        return osslcmp_refuse(w, has_value ? OSSLCMP_BAD_PARAMETERS : OSSLCMP_NO_PARAMETERS, tlv->start);
    }
    return w->finding->violation == OSSLCMP_FINE;
}

/*
 * A SubjectPublicKeyInfo, under whatever tag: an RSA key's exponent. What a signature costs grows with its length, and
 * libcrypto bounds that of long moduli alone.
 */
static int osslcmp_check_public_key(osslcmp_walk *w, const osslcmp_tlv *tlv)
{
    static const unsigned char pkcs1[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01};
    osslcmp_fields f, inner;
    osslcmp_tlv algorithm, oid, bits, key, exponent;
    size_t length, at;
    unsigned top;

    if (tlv->content >= tlv->end || w->der[tlv->content] != OSSLCMP_TAG_SEQUENCE)
        return 1;
    osslcmp_fields_open(&f, w, tlv);
    if (!osslcmp_take(&f, OSSLCMP_TAG_SEQUENCE, &algorithm))
        return f.more >= 0;
    osslcmp_fields_open(&inner, w, &algorithm);
    if (!osslcmp_take(&inner, OSSLCMP_TAG_OID, &oid) || oid.end - oid.content != sizeof(pkcs1) + 1
            || memcmp(w->der + oid.content, pkcs1, sizeof(pkcs1)) != 0)
        return inner.more >= 0;
    if (osslcmp_take(&f, 0x20 | OSSLCMP_TAG_BIT_STRING, &bits)) /* libcrypto would put its parts together */
        return osslcmp_refuse(w, OSSLCMP_BAD_FORM, bits.start);
    if (!osslcmp_take(&f, OSSLCMP_TAG_BIT_STRING, &bits) || bits.end - bits.content < 2
            || w->der[bits.content + 1] != OSSLCMP_TAG_SEQUENCE)
        return f.more >= 0;
    if (!osslcmp_tlv_read(w, bits.content + 1, bits.end, &key)
            || (osslcmp_fields_open(&inner, w, &key), !osslcmp_take(&inner, OSSLCMP_TAG_INTEGER, NULL))
            || !osslcmp_take(&inner, OSSLCMP_TAG_INTEGER, &exponent)) {
        memset(w->finding, 0, sizeof(*w->finding)); /* no key; libcrypto takes a certificate without */
        return 1;
    }
    for (at = exponent.content; at < exponent.end && w->der[at] == 0; at++)
        ;
    length = (exponent.end - at) * 8;
    for (top = at < exponent.end ? w->der[at] : 0x80; (top & 0x80) == 0; top <<= 1)
        length--;
    return !osslcmp_exceeds(w, OSSLCMP_LIMIT_EXPONENT, exponent.start, length, w->limits->exponent);
}

/*
 * An EncryptedValue, found by its fields: [0] to [4], of which symmAlg [1] counts here, and a BIT STRING. libcrypto
 * reads the IV out of the parameters of symmAlg without a look whether there are any.
 */
static int osslcmp_check_encrypted_value(osslcmp_walk *w, const osslcmp_tlv *tlv)
{
    osslcmp_fields f, inner;
    osslcmp_tlv symmetric;

    if (tlv->content >= tlv->end
            || (w->der[tlv->content] != OSSLCMP_EXPLICIT(0) && w->der[tlv->content] != OSSLCMP_EXPLICIT(1)))
        return 1;
    osslcmp_fields_open(&f, w, tlv);
    osslcmp_take(&f, OSSLCMP_EXPLICIT(0), NULL);
    if (!osslcmp_take(&f, OSSLCMP_EXPLICIT(1), &symmetric))
        return 1;
    osslcmp_fields_open(&inner, w, &symmetric);
    if (!osslcmp_take(&inner, OSSLCMP_TAG_OID, NULL) || inner.more != 0)
        return 1;
    while (f.more > 0 && (f.next.id & 0xc0) == 0x80 && (f.next.id & 0x1f) >= 2 && (f.next.id & 0x1f) <= 4)
        osslcmp_fields_next(&f);
    if (f.more <= 0 || (f.next.id & ~0x20u) != OSSLCMP_TAG_BIT_STRING)
        return 1;
    w->finding->what = "EncryptedValue.symmAlg";
    return osslcmp_refuse(w, OSSLCMP_NO_PARAMETERS, symmetric.start);
}

/* -- certificates ---------------------------------------------------------------------------------------- */

/*
 * libcrypto prints a certificate of the extraCerts if it did not sign the message, some things each on one line. No octet of an
 * extension makes more than 14 characters (a registeredID of one octet that has a name), none of a name more than 6,
 * none of a serial number more than 3. What may make a longer line than this is measured.
 */
#define OSSLCMP_SHORT_EXTENSION 270
#define OSSLCMP_SHORT_NAME 600
#define OSSLCMP_SHORT_SERIAL 1200

/* The extensions behind tag [3]; whether one may print as a long line is added to *suspicious. */
static int osslcmp_check_extensions(osslcmp_walk *w, const osslcmp_tlv *tag, int *suspicious)
{
    osslcmp_fields wrapper, f;
    osslcmp_tlv list;

    osslcmp_fields_open(&wrapper, w, tag);
    if (!osslcmp_take(&wrapper, OSSLCMP_TAG_SEQUENCE, &list))
        return wrapper.more >= 0;
    for (osslcmp_fields_open(&f, w, &list); f.more > 0; osslcmp_fields_next(&f)) {
        size_t after;

        if (!osslcmp_tlv_skip(w, &f.next, &after)
                || osslcmp_exceeds(w, OSSLCMP_LIMIT_EXTENSION, f.next.start, after - f.next.start,
                                   w->limits->extension))
            return 0;
        if (after - f.next.start > OSSLCMP_SHORT_EXTENSION)
            *suspicious = 1;
    }
    return f.more == 0;
}

/* A Name: its size is limited. */
static int osslcmp_take_name(osslcmp_fields *f, int *suspicious)
{
    osslcmp_tlv name;
    size_t after;

    if (!osslcmp_take(f, OSSLCMP_TAG_SEQUENCE, &name) || !osslcmp_tlv_skip(f->walk, &name, &after)
            || osslcmp_exceeds(f->walk, OSSLCMP_LIMIT_NAME, name.start, after - name.start, f->walk->limits->name))
        return 0;
    if (after - name.start > OSSLCMP_SHORT_NAME)
        *suspicious = 1;
    return 1;
}

/* If a SEQUENCE is a certificate, wherever it stands: what is in it. */
static int osslcmp_check_certificate(osslcmp_walk *w, const osslcmp_tlv *tlv)
{
    osslcmp_fields outer, f;
    osslcmp_tlv tbs, serial, extensions;
    size_t after;
    int suspicious = 0, found;

    if (tlv->id != OSSLCMP_TAG_SEQUENCE || tlv->content >= tlv->end
            || w->der[tlv->content] != OSSLCMP_TAG_SEQUENCE)
        return 1;
    osslcmp_fields_open(&outer, w, tlv);
    if (!osslcmp_take(&outer, OSSLCMP_TAG_SEQUENCE, &tbs) || !osslcmp_take(&outer, OSSLCMP_TAG_SEQUENCE, NULL)
            || outer.more <= 0 || (outer.next.id & ~0x20u) != OSSLCMP_TAG_BIT_STRING)
        return outer.more >= 0;
    osslcmp_fields_open(&f, w, &tbs);
    osslcmp_take(&f, OSSLCMP_EXPLICIT(0), NULL);
    if (!osslcmp_take(&f, OSSLCMP_TAG_INTEGER, &serial) || !osslcmp_take(&f, OSSLCMP_TAG_SEQUENCE, NULL)
            || f.more <= 0 || f.next.id != OSSLCMP_TAG_SEQUENCE)
        return f.more >= 0; /* a request, for instance */
    if (osslcmp_exceeds(w, OSSLCMP_LIMIT_CERTIFICATES, tlv->start, ++w->certificates, w->limits->certificates)
            || osslcmp_exceeds(w, OSSLCMP_LIMIT_SERIAL, serial.start, serial.end - serial.content,
                               w->limits->serial))
        return 0;
    if (serial.end - serial.content > OSSLCMP_SHORT_SERIAL)
        suspicious = 1;
    found = osslcmp_take_name(&f, &suspicious) && osslcmp_take(&f, OSSLCMP_TAG_SEQUENCE, NULL)
        && osslcmp_take_name(&f, &suspicious);
    if (!found)
        return w->finding->violation == OSSLCMP_FINE;
    while (f.more > 0) {
        if (osslcmp_take(&f, OSSLCMP_EXPLICIT(3), &extensions)) {
            if (!osslcmp_check_extensions(w, &extensions, &suspicious))
                return 0;
        } else {
            osslcmp_fields_next(&f);
        }
    }
    if (f.more < 0)
        return 0;
    if (!suspicious || w->measure == NULL || tlv->start < w->extra_certs)
        return 1;
    if (!osslcmp_tlv_skip(w, tlv, &after))
        return 0;
    return !osslcmp_exceeds(w, OSSLCMP_LIMIT_LINE, tlv->start,
                            w->measure(w->der + tlv->start, after - tlv->start), w->limits->line);
}

/* -- the whole ------------------------------------------------------------------------------------------- */

static int osslcmp_check_primitive(osslcmp_walk *w, const osslcmp_tlv *tlv)
{
    size_t length = tlv->end - tlv->content;

    switch (tlv->id) {
    case OSSLCMP_TAG_OID:
        return !osslcmp_exceeds(w, OSSLCMP_LIMIT_OID, tlv->start, length, w->limits->oid);
    case OSSLCMP_TAG_INTEGER:
    case 0x0a: /* ENUMERATED */
        return !osslcmp_exceeds(w, OSSLCMP_LIMIT_INTEGER, tlv->start, length, w->limits->integer);
    case OSSLCMP_TAG_UTF8:
        return !osslcmp_exceeds(w, OSSLCMP_LIMIT_TEXT, tlv->start, length, w->limits->text);
    case 0x10: /* SEQUENCE and SET */
    case 0x11:
        return osslcmp_refuse(w, OSSLCMP_BAD_FORM, tlv->start);
    case 0:
        return osslcmp_refuse(w, OSSLCMP_STRAY_END, tlv->start);
    default:
        return 1;
    }
}

static int osslcmp_check_constructed(osslcmp_walk *w, const osslcmp_tlv *tlv)
{
    switch (tlv->id) {
    case 0x20:
    case 0x20 | 0x01: /* BOOLEAN */
    case 0x20 | OSSLCMP_TAG_INTEGER:
    case 0x20 | OSSLCMP_TAG_NULL:
    case 0x20 | OSSLCMP_TAG_OID:
    case 0x20 | 0x0a:
        return osslcmp_refuse(w, OSSLCMP_BAD_FORM, tlv->start);
    default:
        return osslcmp_check_algorithm(w, tlv) && osslcmp_check_public_key(w, tlv)
            && osslcmp_check_encrypted_value(w, tlv) && osslcmp_check_certificate(w, tlv);
    }
}

/* Every element inside the first one. */
static int osslcmp_check_elements(osslcmp_walk *w, const osslcmp_tlv *outermost)
{
    struct {
        size_t end;
        int indefinite;
    } open[OSSLCMP_MAX_DEPTH + 1];
    uint32_t depth = 0, deepest = w->limits->depth < OSSLCMP_MAX_DEPTH ? w->limits->depth : OSSLCMP_MAX_DEPTH;
    size_t at = outermost->content;
    osslcmp_tlv tlv;

    open[0].end = outermost->end;
    open[0].indefinite = outermost->indefinite;
    for (;;) {
        if (open[depth].indefinite && osslcmp_at_end_of_contents(w, at, open[depth].end)) {
            at += 2;
            if (depth-- == 0)
                return 1;
            continue;
        }
        if (at == open[depth].end) {
            if (open[depth].indefinite)
                return osslcmp_refuse(w, OSSLCMP_TRUNCATED, at);
            if (depth-- == 0)
                return 1;
            continue;
        }
        if (!osslcmp_tlv_read(w, at, open[depth].end, &tlv)
                || osslcmp_exceeds(w, OSSLCMP_LIMIT_ELEMENTS, at, ++w->elements, w->limits->elements))
            return 0;
        if ((tlv.id & 0x20) == 0) {
            if (!osslcmp_check_primitive(w, &tlv))
                return 0;
            at = tlv.end;
            continue;
        }
        if (osslcmp_exceeds(w, OSSLCMP_LIMIT_DEPTH, at, depth + 2, deepest) || !osslcmp_check_constructed(w, &tlv))
            return 0;
        depth++;
        open[depth].end = tlv.end;
        open[depth].indefinite = tlv.indefinite;
        at = tlv.content;
    }
}

/* What should be a GeneralName of the header, which libcrypto's decoder holds against its own description. */
static int osslcmp_take_general_name(osslcmp_fields *f)
{
    size_t start = f->next.start;

    if (f->more <= 0)
        return 0;
    osslcmp_fields_next(f);
    return f->more >= 0
        && !osslcmp_exceeds(f->walk, OSSLCMP_LIMIT_NAME, start, (f->more > 0 ? f->next.start : f->at) - start,
                            f->walk->limits->name);
}

static int osslcmp_check_message(osslcmp_walk *w, const osslcmp_tlv *message)
{
    osslcmp_fields f, h;
    osslcmp_tlv header, wrapped, algorithm;

    osslcmp_fields_open(&f, w, message);
    if (!osslcmp_take(&f, OSSLCMP_TAG_SEQUENCE, &header))
        return osslcmp_refuse(w, OSSLCMP_NO_HEADER, message->start);
    osslcmp_fields_open(&h, w, &header);
    if (!osslcmp_take(&h, OSSLCMP_TAG_INTEGER, NULL) || !osslcmp_take_general_name(&h)
            || !osslcmp_take_general_name(&h))
        return osslcmp_refuse(w, OSSLCMP_NO_HEADER, header.start);
    osslcmp_take(&h, OSSLCMP_EXPLICIT(0), NULL);
    if (osslcmp_take(&h, OSSLCMP_EXPLICIT(1), &wrapped)) {
        osslcmp_fields inner;

        osslcmp_fields_open(&inner, w, &wrapped);
        if (!osslcmp_take(&inner, OSSLCMP_TAG_SEQUENCE, &algorithm) || inner.more != 0
                || !osslcmp_is_algorithm(w, &algorithm)) {
            w->finding->what = "protectionAlg";
            return osslcmp_refuse(w, OSSLCMP_BAD_ALGORITHM, wrapped.start);
        }
    }
    if (f.more <= 0 || (f.next.id & 0xe0) != 0xa0)
        return osslcmp_refuse(w, OSSLCMP_NO_BODY, message->start);
    return h.more >= 0 && f.more >= 0;
}

/* Where the extraCerts begin, behind header, body and protection; at the message's end if there are none. */
static size_t osslcmp_find_extra_certs(osslcmp_walk *w, const osslcmp_tlv *message)
{
    osslcmp_fields f;
    int field = 0;

    for (osslcmp_fields_open(&f, w, message); f.more > 0; osslcmp_fields_next(&f))
        if (field++ > 1 && f.next.id == OSSLCMP_EXPLICIT(1))
            return f.next.start;
    return f.more == 0 ? f.at : 0;
}

/*
 * Look at a message.
 *
 * measure tells how long the longest line is as which libcrypto prints a certificate, and may be NULL. Returns 1 if
 * the message is fine; else finding says why not. What stands behind the message is not looked at.
 */
static int osslcmp_precheck(const unsigned char *der, size_t length, const osslcmp_limits *limits,
                            osslcmp_measure measure, osslcmp_finding *finding)
{
    osslcmp_walk w;
    osslcmp_tlv message;

    memset(finding, 0, sizeof(*finding));
    memset(&w, 0, sizeof(w));
    w.der = der;
    w.limits = limits == NULL ? &osslcmp_default_limits : limits;
    w.measure = measure;
    w.finding = finding;
    if (osslcmp_exceeds(&w, OSSLCMP_LIMIT_MESSAGE, 0, length, w.limits->message))
        return 0;
    if (length == 0 || der[0] != OSSLCMP_TAG_SEQUENCE)
        return osslcmp_refuse(&w, OSSLCMP_NO_MESSAGE, 0);
    if (!osslcmp_tlv_read(&w, 0, length, &message))
        return osslcmp_refuse(&w, OSSLCMP_NO_MESSAGE, 0);
    w.extra_certs = osslcmp_find_extra_certs(&w, &message);
    if (finding->violation != OSSLCMP_FINE || !osslcmp_check_elements(&w, &message)
            || !osslcmp_check_message(&w, &message))
        return osslcmp_refuse(&w, OSSLCMP_NO_MESSAGE, 0);
    return 1;
}

/*
 * Look at the certificates of a Certificate message of TLS (RFC 5246, section 7.4.2; RFC 8446, section 4.4.2), with the
 * limits of a message. Returns 1 if they are fine; else finding says why not. What is wrong with the list itself libssl
 * finds before it decodes the certificate in question.
 */
static int osslcmp_precheck_tls(const unsigned char *list, size_t length, int tls13, const osslcmp_limits *limits,
                                osslcmp_finding *finding)
{
    osslcmp_walk w;
    osslcmp_tlv certificate;
    size_t at = 3, size;

    memset(finding, 0, sizeof(*finding));
    memset(&w, 0, sizeof(w));
    w.der = list;
    w.limits = limits;
    w.finding = finding;
    if (tls13 && length > 0)
        at += 1 + (size_t)list[0];
    while (at < length && length - at >= 3) {
        size = (size_t)list[at] << 16 | (size_t)list[at + 1] << 8 | list[at + 2];
        at += 3;
        if (size > length - at)
            return 1;
        if (!osslcmp_tlv_read(&w, at, at + size, &certificate))
            return 0;
        if ((certificate.id & 0x20) != 0
                && (!osslcmp_check_constructed(&w, &certificate) || !osslcmp_check_elements(&w, &certificate)))
            return 0;
        at += size;
        if (tls13 && length - at >= 2)
            at += 2 + ((size_t)list[at] << 8 | list[at + 1]);
    }
    return 1;
}
