/* <openssl/trace.h>: tracing; what OpenSSL 3.1 added. */

/* Categories */
#define OSSL_TRACE_CATEGORY_HTTP ...
