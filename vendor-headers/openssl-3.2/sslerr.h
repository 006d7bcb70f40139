/* <openssl/sslerr.h>: reason codes of SSL; what OpenSSL 3.2 added. */

/* Reason codes */
#define SSL_R_RECORD_LAYER_FAILURE ...
