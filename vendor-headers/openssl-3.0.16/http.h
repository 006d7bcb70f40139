/* <openssl/http.h>: the HTTP client; what OpenSSL 3.0.16 added. */

/* Defaults */
#define OSSL_HTTP_DEFAULT_MAX_CRL_LEN ...
