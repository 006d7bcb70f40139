/* <openssl/x509v3.h>: extensions; what OpenSSL 3.4 added. */

/* General names */
int GENERAL_NAME_set1_X509_NAME(GENERAL_NAME **, const X509_NAME *);

/* Values of extensions */
DIST_POINT_NAME *DIST_POINT_NAME_dup(const DIST_POINT_NAME *);
