/* <openssl/httperr.h>: reason codes of HTTP; what OpenSSL 3.5.7 added. */

/* Reason codes */
#define HTTP_R_CONTENT_TYPE_MISMATCH ...
