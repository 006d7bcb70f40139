/* <openssl/err.h>: the error queue; what OpenSSL 3.3 added. */

/* The error queue */
int ERR_pop(void);
