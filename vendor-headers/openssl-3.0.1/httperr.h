/* <openssl/httperr.h>: reason codes of HTTP; what OpenSSL 3.0.1 added. */

/* Reason codes */
#define HTTP_R_RETRY_TIMEOUT ...
