/* A provider with settings of its own (from 3.2; before, count must be 0), besides those that load by themselves. */
OSSL_PROVIDER *osslcmp_provider_load(OSSL_LIB_CTX *, const char *, const char **, const char **, int);
/* Name, version and status of each loaded one, tabs between, lines; 0 if they do not fit. */
int osslcmp_provider_list(OSSL_LIB_CTX *, char *, size_t);

extern "Python" int osslcmp_py_password(char *, int, int, void *);
