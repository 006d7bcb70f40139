/* OSSL_PARAM is built with functions that return structures: easier said in C. */
#include <openssl/core_names.h>
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

struct osslcmp_text {
    char *at;
    size_t left;
};

static int osslcmp_add_provider(OSSL_PROVIDER *provider, void *arg)
{
    struct osslcmp_text *out = arg;
    const char *version = "";
    int status = -1, length;
    OSSL_PARAM params[3];

    params[0] = OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_VERSION, (char **)&version, 0);
    params[1] = OSSL_PARAM_construct_int(OSSL_PROV_PARAM_STATUS, &status);
    params[2] = OSSL_PARAM_construct_end();
    if (!OSSL_PROVIDER_get_params(provider, params) || version == NULL)
        version = "";
    length = snprintf(out->at, out->left, "%s\t%s\t%d\n", OSSL_PROVIDER_get0_name(provider), version, status);
    if (length < 0 || (size_t)length >= out->left) {
        *out->at = '\0';
        return 0;
    }
    out->at += length;
    out->left -= (size_t)length;
    return 1;
}

/* Loaded providers: name, version and status (1: works), tabs between, a line for each. */
static int osslcmp_provider_list(OSSL_LIB_CTX *libctx, char *buffer, size_t size)
{
    struct osslcmp_text out;

    out.at = buffer;
    out.left = size;
    *buffer = '\0';
    return OSSL_PROVIDER_do_all(libctx, osslcmp_add_provider, &out);
}
