/*
 * The header of an HTTP answer, and the beginning of one that is no CMP message. OpenSSL's HTTP client gets to see only what
 * it needs of it. Below 3.5 it throws the body away when the status is 400 or
 * more, although RFC 9811 has CMP error messages come with such a status: so
 * it is told 200 if the content is CMP. If it is not, the error raised here
 * names the status and what came instead.
 */
#define OSSLCMP_HEAD_MAX 32768
#if OPENSSL_VERSION_NUMBER < 0x30000030L && !defined(OPENSSL_strcasecmp)
#include <strings.h>
#define OPENSSL_strcasecmp strcasecmp
#define OPENSSL_strncasecmp strncasecmp
#endif
#define OSSLCMP_CONTENT_TYPE "application/pkixcmp"

typedef struct osslcmp_head {
    char data[OSSLCMP_HEAD_MAX + 1];
    size_t length; /* octets read so far */
    size_t end;    /* octets of the header, 0 while it is incomplete */
    int status;
    const char *line; /* status and reason, "503 Service Unavailable" */
    const char *type, *size, *connection, *location, *encoding, *compression;
} osslcmp_head;

static void osslcmp_printable(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f)
            *text = *text == '\t' ? ' ' : '?';
}

static int osslcmp_no_http(osslcmp_head *head)
{
    static const char alert[] = {0x15, 0x03};
    char *start = head->data;

    if (head->length >= 2 && memcmp(start, alert, 2) == 0) {
        ERR_raise_data(ERR_LIB_HTTP, HTTP_R_HEADER_PARSE_ERROR,
                       "the server answers in TLS: use https");
        return 0;
    }
    start[head->length < 60 ? head->length : 60] = '\0';
    osslcmp_printable(start);
    ERR_raise_data(ERR_LIB_HTTP, HTTP_R_HEADER_PARSE_ERROR, "content=%s", start);
    return 0;
}

/* Read until the empty line; octets that came behind it stay in head->data. */
static int osslcmp_read_head(osslcmp_session *s, osslcmp_head *head, int64_t deadline)
{
    static const char http[] = "HTTP/1.";

    head->end = 0;
    for (;;) {
        char *end;
        int n;
        size_t known = head->length < sizeof(http) - 1 ? head->length : sizeof(http) - 1;

        if (known > 0 && memcmp(head->data, http, known) != 0)
            return osslcmp_no_http(head);
        head->data[head->length] = '\0';
        for (end = head->data; (end = strchr(end, '\n')) != NULL;) {
            end++;
            if (*end == '\n' || (*end == '\r' && end[1] == '\n')) {
                head->end = (size_t)(end - head->data) + (*end == '\r' ? 2 : 1);
                return 1;
            }
        }
        if (head->length == OSSLCMP_HEAD_MAX || strlen(head->data) != head->length) {
            ERR_raise_data(ERR_LIB_HTTP, HTTP_R_RESPONSE_LINE_TOO_LONG,
                           "the header of the answer has a NUL or more than %d octets",
                           OSSLCMP_HEAD_MAX);
            return 0;
        }
        n = osslcmp_read(s, head->data + head->length, (int)(OSSLCMP_HEAD_MAX - head->length),
                         deadline);
        if (n <= 0)
            return 0;
        head->length += (size_t)n;
    }
}

static const char *osslcmp_field(char *line, const char *name)
{
    size_t length = strlen(name);

    if (OPENSSL_strncasecmp(line, name, length) != 0 || line[length] != ':')
        return NULL;
    for (line += length + 1; *line == ' '; line++)
        continue;
    return line;
}

/* Cut the header into lines and find what matters. */
static int osslcmp_parse_head(osslcmp_head *head)
{
    char *line = head->data, *next, *end;

    head->line = head->type = head->size = head->connection = NULL;
    head->location = head->encoding = head->compression = NULL;
    for (; line < head->data + head->end; line = next) {
        const char *value;

        next = strchr(line, '\n') + 1;
        /* A line that is folded, of which RFC 9112 (5.2) has who receives it make spaces. */
        for (; next < head->data + head->end && (*next == ' ' || *next == '\t'); next = strchr(next, '\n') + 1) {
            next[-1] = ' ';
            if (next[-2] == '\r')
                next[-2] = ' ';
        }
        for (end = next - 1; end > line && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t');)
            end--;
        *end = '\0';
        osslcmp_printable(line);
        if (head->line == NULL) {
            if ((end = strchr(line, ' ')) == NULL || (head->status = atoi(end)) < 100) {
                ERR_raise_data(ERR_LIB_HTTP, HTTP_R_HEADER_PARSE_ERROR, "content=%.60s", line);
                return 0;
            }
            head->line = end + 1;
        } else if ((value = osslcmp_field(line, "Content-Type")) != NULL) {
            head->type = value;
        } else if ((value = osslcmp_field(line, "Content-Length")) != NULL) {
            head->size = value;
        } else if ((value = osslcmp_field(line, "Connection")) != NULL) {
            head->connection = value;
        } else if ((value = osslcmp_field(line, "Transfer-Encoding")) != NULL) {
            head->encoding = value;
        } else if ((value = osslcmp_field(line, "Content-Encoding")) != NULL) {
            head->compression = value;
        } else if ((value = osslcmp_field(line, "Location")) != NULL) {
            head->location = value;
        }
    }
    return 1;
}

/* OpenSSL's HTTP client takes a size of 0 for one that is not known, and waits for octets. */
static int osslcmp_empty(const osslcmp_head *head)
{
    return head->size != NULL && *head->size == '0' && head->size[strspn(head->size, "0")] == '\0';
}

/* Proxies put a field that comes twice into one line. */
static int osslcmp_is_our_type(const char *type)
{
    size_t length = sizeof(OSSLCMP_CONTENT_TYPE) - 1;
    const char *after;

    if (OPENSSL_strncasecmp(type, OSSLCMP_CONTENT_TYPE, length) != 0)
        return 0;
    after = type + length + strspn(type + length, " \t");
    return *after == '\0' || *after == ';'
        || (*after == ',' && osslcmp_is_our_type(after + 1 + strspn(after + 1, " \t")));
}

static int osslcmp_is_cmp(const osslcmp_head *head)
{
    return !osslcmp_empty(head) && head->type != NULL && osslcmp_is_our_type(head->type);
}

static void osslcmp_no_cmp(const osslcmp_head *head)
{
    int reason = HTTP_R_UNEXPECTED_CONTENT_TYPE;

    if (head->status >= 400)
        reason = HTTP_R_RECEIVED_ERROR;
    else if (head->status >= 300)
        reason = HTTP_R_REDIRECTION_NOT_ENABLED;
    else if (head->status != 200)
        reason = HTTP_R_STATUS_CODE_UNSUPPORTED;
    else if (head->type == NULL)
        reason = HTTP_R_MISSING_CONTENT_TYPE;
    else if (osslcmp_empty(head))
        reason = HTTP_R_RESPONSE_PARSE_ERROR;
    ERR_raise_data(ERR_LIB_HTTP, reason, "HTTP status %.100s, content type %.100s%s%s%.200s", head->line,
                   head->type == NULL ? "missing" : head->type, osslcmp_empty(head) ? ", no content" : "",
                   head->location == NULL ? "" : ", location ",
                   head->location == NULL ? "" : head->location);
}

/* Octets of an answer that is no CMP message, and how long to wait for them. */
#define OSSLCMP_BODY_MAX 16384
#define OSSLCMP_BODY_MS 2000

static void osslcmp_keep_body(osslcmp_session *s, const void *data, size_t length)
{
    osslcmp_drop(&s->http_body);
    s->http_body.length = (long)(length < OSSLCMP_BODY_MAX ? length : OSSLCMP_BODY_MAX);
    if (length == 0 || (s->http_body.der = OPENSSL_memdup(data, (size_t)s->http_body.length)) == NULL)
        s->http_body.length = 0;
}

/* Behind a header that says it is no CMP message, which has been told: what comes of it, for the exception. */
static void osslcmp_read_body(osslcmp_session *s, const osslcmp_head *head, int64_t deadline)
{
    char *body = OPENSSL_malloc(OSSLCMP_BODY_MAX);
    size_t length = head->length - head->end, size = OSSLCMP_BODY_MAX;
    int64_t limit = osslcmp_now_ms() + OSSLCMP_BODY_MS;
    long declared = head->size == NULL ? -1 : atol(head->size);
    int n;

    if (body == NULL)
        return;
    if (declared >= 0 && declared < OSSLCMP_BODY_MAX)
        size = (size_t)declared;
    if (length > size)
        length = size;
    if (deadline != 0 && deadline < limit)
        limit = deadline;
    memcpy(body, head->data + head->end, length);
    ERR_set_mark();
    while (length < size && (n = osslcmp_read(s, body + length, (int)(size - length), limit)) > 0)
        length += (size_t)n;
    if (s->stopped)
        ERR_clear_last_mark();
    else
        ERR_pop_to_mark();
    osslcmp_keep_body(s, body, length);
    OPENSSL_free(body);
}

static int osslcmp_coded(const char *coding)
{
    return coding != NULL && *coding != '\0' && OPENSSL_strcasecmp(coding, "identity") != 0;
}

/* Pass on to OpenSSL's HTTP client what it needs of a header, and what came behind it. */
static int osslcmp_pass_head(osslcmp_session *s, const osslcmp_head *head, int64_t deadline)
{
    int extra = (int)(head->length - head->end);

    if (!osslcmp_is_cmp(head) || (head->status >= 300 && head->status < 400)) {
        osslcmp_no_cmp(head);
        osslcmp_read_body(s, head, deadline);
        return 0;
    }
    if (osslcmp_coded(head->encoding) || osslcmp_coded(head->compression)) {
        int chunked = osslcmp_coded(head->encoding);

        ERR_raise_data(ERR_LIB_HTTP, HTTP_R_RESPONSE_PARSE_ERROR,
                       "the answer has %s %.60s, which OpenSSL's HTTP/1.0 client does "
                       "not read: use a transport= that speaks HTTP/1.1",
                       chunked ? "Transfer-Encoding" : "Content-Encoding",
                       chunked ? head->encoding : head->compression);
        return 0;
    }
    if (BIO_printf(s->feed, "HTTP/1.%c 200 OK\r\nContent-Type: " OSSLCMP_CONTENT_TYPE "\r\n",
                   head->data[7]) <= 0)
        return 0;
    if (head->size != NULL && BIO_printf(s->feed, "Content-Length: %.100s\r\n", head->size) <= 0)
        return 0;
    if (head->connection != NULL
            && BIO_printf(s->feed, "Connection: %.100s\r\n", head->connection) <= 0)
        return 0;
    return BIO_puts(s->feed, "\r\n") > 0
        && (extra == 0 || BIO_write(s->feed, head->data + head->end, extra) == extra);
}

#define OSSLCMP_INTERIM_MAX 100

/* The header of the final answer, after some interim ones. */
static int osslcmp_receive_head(osslcmp_session *s, osslcmp_head *head, int64_t deadline)
{
    int interim = -1;

    do {
        if (++interim > OSSLCMP_INTERIM_MAX) {
            ERR_raise_data(ERR_LIB_HTTP, HTTP_R_RESPONSE_PARSE_ERROR,
                           "more than %d interim answers, the last with HTTP status %.100s", OSSLCMP_INTERIM_MAX,
                           head->line);
            return 0;
        }
        if (!osslcmp_may_go_on(s, deadline, BIO_R_TRANSFER_TIMEOUT))
            return 0;
        if (head->end != 0) {
            head->length -= head->end;
            memmove(head->data, head->data + head->end, head->length);
        }
        if (!osslcmp_read_head(s, head, deadline) || !osslcmp_parse_head(head))
            return 0;
    } while (head->status < 200);
    s->http_status = head->status;
    return 1;
}
