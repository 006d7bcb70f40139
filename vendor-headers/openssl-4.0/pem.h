/* <openssl/pem.h>: PEM; what OpenSSL 4.0 added. */

/* Labels */
static const char *const PEM_STRING_ECHCONFIG;
