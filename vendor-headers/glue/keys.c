/* OSSL_PARAM is built with functions that return structures: easier said in C. */
#include <openssl/params.h>
#include <openssl/provider.h>

#define OSSLCMP_MAX_PARAMS 32

static OSSL_PROVIDER *osslcmp_provider_load(OSSL_LIB_CTX *libctx, const char *name,
                                            const char **keys, const char **values, int count)
{
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
    OSSL_PARAM params[OSSLCMP_MAX_PARAMS + 1];
    int i;

    if (count > 0) {
        for (i = 0; i < count && i < OSSLCMP_MAX_PARAMS; i++)
            params[i] = OSSL_PARAM_construct_utf8_string(keys[i], (char *)values[i], 0);
        params[i] = OSSL_PARAM_construct_end();
        return OSSL_PROVIDER_try_load_ex(libctx, name, params, 1);
    }
#else
    (void)keys;
    (void)values;
    (void)count;
#endif
    return OSSL_PROVIDER_try_load(libctx, name, 1 /* keep what loads by itself */);
}
