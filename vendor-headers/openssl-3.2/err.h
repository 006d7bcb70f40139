/* <openssl/err.h>: the error queue; what OpenSSL 3.2 added. */

/* The error queue */
int ERR_count_to_mark(void);
