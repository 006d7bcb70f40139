/* <openssl/tls1.h>: TLS extensions. */

/* Constants */
#define TLS_MAX_VERSION ...
#define TLSEXT_NAMETYPE_host_name ...

/* TLS extensions */
const char *SSL_get_servername(const SSL *, int);
int SSL_get_servername_type(const SSL *);
int SSL_export_keying_material(SSL *, unsigned char *, size_t, const char *, size_t, const unsigned char *, size_t, int);
MACRO long SSL_set_tlsext_host_name(SSL *, const char *);
MACRO long SSL_CTX_set_tlsext_servername_callback(SSL_CTX *, int (*)(SSL *, int *, void *));
MACRO long SSL_CTX_set_tlsext_servername_arg(SSL_CTX *, void *);
