/* <openssl/x509_vfy.h>: trust stores and verification; what OpenSSL 3.3 added. */

/* Trust stores */
struct stack_st_X509_OBJECT *X509_STORE_get1_objects(X509_STORE *);
