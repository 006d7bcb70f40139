/* <openssl/pem.h>: PEM; what OpenSSL 3.4 added. */

/* Labels */
static const char *const PEM_STRING_ACERT;
