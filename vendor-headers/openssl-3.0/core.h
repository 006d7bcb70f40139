/* Types */
typedef int OSSL_CALLBACK(const OSSL_PARAM[], void *);
