/* Opening and reading */
int OSSL_STORE_delete(const char *, OSSL_LIB_CTX *, const char *, const UI_METHOD *, void *, const OSSL_PARAM[]);
