/* <openssl/http.h>: the HTTP client; what OpenSSL 3.3 added. */

/* Defaults */
#define OSSL_HTTP_DEFAULT_MAX_RESP_HDR_LINES ...

/* One request and its response, step by step */
void OSSL_HTTP_REQ_CTX_set_max_response_hdr_lines(OSSL_HTTP_REQ_CTX *, size_t);
