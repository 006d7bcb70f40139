/* <openssl/httperr.h>: reason codes of HTTP; what OpenSSL 3.3 added. */

/* Reason codes */
#define HTTP_R_RESPONSE_TOO_MANY_HDRLINES ...
