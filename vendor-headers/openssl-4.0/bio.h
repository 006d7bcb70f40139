/* <openssl/bio.h>: input and output; what OpenSSL 4.0 added. */

/* Controls */
#define BIO_C_SET_SEND_FLAGS ...
