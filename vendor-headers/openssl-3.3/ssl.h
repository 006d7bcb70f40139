/* <openssl/ssl.h>: TLS; what OpenSSL 3.3 added. */

/* Options */
#define SSL_OP_PREFER_NO_DHE_KEX ...
