/*
 * libFuzzer on the glue's own reading. What stands before this file is the C of build_cffi.py: OpenSSL's headers and
 * vendor-headers/glue, compiled with AddressSanitizer and UBSan; libcrypto is the system's.
 *
 * HARNESS 1: the header of an HTTP answer. 2: a whole answer, through OpenSSL's HTTP client. 3: the check of a message
 * before libcrypto sees it. 4: the same, and what passes is decoded and verified by libcrypto.
 */

/* What is written in Python. */
static int osslcmp_py_tick(void *handle)
{
    (void)handle;
    return 1;
}

static int osslcmp_py_resolve(void *handle, const osslcmp_session *s, const char *host, double left, char *out, int size)
{
    (void)handle, (void)s, (void)host, (void)left, (void)out, (void)size;
    return 0;
}

static void osslcmp_py_log(void *handle, const char *function, const char *file, int line, int level, const char *text)
{
    (void)handle, (void)function, (void)file, (void)line, (void)level, (void)text;
}

static void osslcmp_py_message(void *handle, int sent, const OSSL_CMP_MSG *message)
{
    (void)handle, (void)sent, (void)message;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

#if HARNESS == 1 || HARNESS == 2

/* A connection that has the input to read, in pieces, and takes whatever is written. */
static const uint8_t *input;
static size_t input_left, piece;

static int connection_read(BIO *bio, char *out, int size)
{
    size_t n = input_left < piece ? input_left : piece;

    BIO_clear_retry_flags(bio);
    if (n > (size_t)size)
        n = (size_t)size;
    memcpy(out, input, n);
    input += n;
    input_left -= n;
    return (int)n;
}

static int connection_write(BIO *bio, const char *in, int size)
{
    (void)in;
    BIO_clear_retry_flags(bio);
    return size;
}

static long connection_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO *connection(void)
{
    static BIO_METHOD *method;
    BIO *bio;

    if (method == NULL) {
        CHECK((method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | 99, "input")) != NULL);
        BIO_meth_set_read(method, connection_read);
        BIO_meth_set_write(method, connection_write);
        BIO_meth_set_ctrl(method, connection_ctrl);
    }
    CHECK((bio = BIO_new(method)) != NULL);
    BIO_set_init(bio, 1);
    return bio;
}

/* A message without contents: pvno 2, two NULL-DNs, pkiConf. */
static OSSL_CMP_MSG *request(void)
{
    static const unsigned char der[] = {0x30, 0x11, 0x30, 0x0b, 0x02, 0x01, 0x02, 0xa4, 0x02, 0x30,
                                        0x00, 0xa4, 0x02, 0x30, 0x00, 0xb3, 0x02, 0x05, 0x00};
    const unsigned char *p = der;

    return (OSSL_CMP_MSG *)ASN1_item_d2i(NULL, &p, sizeof(der), ASN1_ITEM_rptr(OSSL_CMP_MSG));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    OSSL_CMP_MSG *message = request();

    (void)argc, (void)argv;
    CHECK(message != NULL);
    OSSL_CMP_MSG_free(message);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    osslcmp_session *s;
# if HARNESS == 1
    osslcmp_head *head;
# else
    static const osslcmp_proxy direct;
    OSSL_CMP_MSG *message, *answer = NULL;
# endif

    if (size == 0)
        return 0;
    piece = (size_t)data[0] * data[0] / 4 + 1;
    input = data + 1;
    input_left = size - 1;
    CHECK((s = osslcmp_session_new(NULL)) != NULL);
    CHECK(osslcmp_session_set_server(s, "localhost", "80") && osslcmp_session_set_path(s, "/"));
    s->bio = connection();
    CHECK(BIO_new_bio_pair(&s->feed, 2 * OSSLCMP_HEAD_MAX, &s->source, 2 * OSSLCMP_HEAD_MAX));
    CHECK((s->http = OSSL_HTTP_REQ_CTX_new(s->source, s->source, 0)) != NULL);
    ERR_clear_error();
# if HARNESS == 1
    CHECK((head = OPENSSL_zalloc(sizeof(*head))) != NULL);
    if (osslcmp_receive_head(s, head, 0)) {
        CHECK(head->status >= 200 && head->line != NULL && head->end <= head->length && head->length <= OSSLCMP_HEAD_MAX);
        if (osslcmp_pass_head(s, head, INT64_MAX))
            CHECK(BIO_pending(s->source) > 0);
        else
            CHECK(ERR_peek_error() != 0);
    } else {
        CHECK(ERR_peek_error() != 0);
    }
    OPENSSL_free(head);
# else
    CHECK((message = request()) != NULL);
    if (osslcmp_set_request(s, message, &direct, 1))
        answer = osslcmp_exchange(s, 0);
    if (answer == NULL)
        CHECK(ERR_peek_error() != 0);
    OSSL_CMP_MSG_free(answer);
    OSSL_CMP_MSG_free(message);
# endif
    osslcmp_hang_up(s, 0);
    osslcmp_session_free(s);
    ERR_clear_error();
    return 0;
}

#else

# if HARNESS == 4
static OSSL_CMP_CTX *ctx;

static int quiet(const char *function, const char *file, int line, OSSL_CMP_severity level, const char *text)
{
    (void)function, (void)file, (void)line, (void)level, (void)text;
    return 1;
}
# endif

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
# if HARNESS == 4
    X509_STORE *store = X509_STORE_new();

    CHECK(store != NULL && (ctx = OSSL_CMP_CTX_new(NULL, NULL)) != NULL && OSSL_CMP_CTX_set_log_cb(ctx, quiet));
    X509_STORE_set_verify_cb(store, osslcmp_validate_cb);
    CHECK(OSSL_CMP_CTX_set1_secretValue(ctx, (const unsigned char *)"the shared secret", 17));
    CHECK(OSSL_CMP_CTX_set0_trustedStore(ctx, store));
# endif
    (void)argc, (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    osslcmp_finding finding;
# if HARNESS == 3
    int fine = osslcmp_check_msg(data, (long)size, NULL, &finding), i;
    osslcmp_spans spans;
    osslcmp_finding outline;

    CHECK(fine == (finding.violation == OSSLCMP_FINE));
    CHECK(osslcmp_outline(data, (long)size, &spans, &outline) == (outline.violation == OSSLCMP_FINE));
    for (i = 0; i < OSSLCMP_SPANS; i++)
        CHECK(spans.at[2 * i] <= spans.at[2 * i + 1] && spans.at[2 * i + 1] <= size);
    CHECK(outline.violation != OSSLCMP_FINE || (spans.body_type >= 0 && spans.body_type <= 26));
    CHECK(ERR_peek_error() == 0);
    (void)osslcmp_precheck_tls(data, size, size > 0 && data[0] < 0x30, &osslcmp_default_limits, &finding);
# else
    OSSL_CMP_MSG *message = osslcmp_d2i_msg(data, (long)size, NULL, &finding);

    if (message != NULL)
        (void)OSSL_CMP_validate_msg(ctx, message);
    else
        CHECK(ERR_peek_error() != 0);
    OSSL_CMP_MSG_free(message);
    CHECK(OSSL_CMP_CTX_reinit(ctx) && OSSL_CMP_CTX_set1_untrusted(ctx, NULL));
    ERR_clear_error();
# endif
    CHECK(finding.offset <= size);
    CHECK(finding.violation == OSSLCMP_FINE || osslcmp_violation_text(finding.violation)[0] != '\0');
    CHECK(!osslcmp_violation_is_limit(finding.violation) || finding.found > finding.limit);
    return 0;
}

#endif
