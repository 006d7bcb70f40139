/* <openssl/core.h>: types of the core. */

/* Types */
typedef int OSSL_CALLBACK(const OSSL_PARAM[], void *);
