/* <openssl/bio.h>: input and output; what OpenSSL 3.3 added. */

/* Kinds of BIO */
#define BIO_TYPE_MASK ...
