/* Constants */
#define X509_PURPOSE_DEFAULT_ANY ...

/* Purposes */
int X509_PURPOSE_get_unused_id(OSSL_LIB_CTX *);
