/*
 * A certificate that stands below two roots, or whose CA has several certificates (cross certificates, or two CAs of one
 * name), is good if one of its paths is. libcrypto builds a single path: of several issuers it takes the first that is
 * valid by now, and never looks back. So where there are several, the paths are tried beforehand, each by libcrypto's
 * own verification, and the good one is what libcrypto then finds: an X509_STORE_CTX_check_issued_fn accepts no other
 * issuers. If none is good, libcrypto goes its way, and says in its words what is wrong with what it finds there.
 *
 * Whoever sends many certificates of one name costs a few signatures, not more.
 */
#define OSSLCMP_PATH_LENGTH 16
#define OSSLCMP_PATH_SIGNATURES 16
#define OSSLCMP_PATHS 4

#if OPENSSL_VERSION_NUMBER >= 0x40000000L
# define OSSLCMP_CONST_4 const
#else
# define OSSLCMP_CONST_4
#endif

static CRYPTO_ONCE osslcmp_path_once = CRYPTO_ONCE_STATIC_INIT;
static int osslcmp_path_index = -1; /* of the path among the extra data of an X509_STORE_CTX */
static STACK_OF(X509) *osslcmp_no_path;
static X509_STORE_CTX_check_issued_fn osslcmp_likely_issued; /* libcrypto's own */

static void osslcmp_path_free(void *parent, void *path, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    if (path != osslcmp_no_path)
        sk_X509_pop_free(path, X509_free);
}

static void osslcmp_path_begin(void)
{
    X509_STORE_CTX *fresh = X509_STORE_CTX_new();

    osslcmp_no_path = sk_X509_new_null();
    if (fresh != NULL && osslcmp_no_path != NULL && X509_STORE_CTX_init(fresh, NULL, NULL, NULL)
            && (osslcmp_likely_issued = X509_STORE_CTX_get_check_issued(fresh)) != NULL)
        osslcmp_path_index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE_CTX, 0, NULL, NULL, NULL,
                                                     osslcmp_path_free);
    X509_STORE_CTX_free(fresh);
}

typedef struct osslcmp_search {
    X509_STORE_CTX *ctx;
    STACK_OF(X509) *path; /* from the certificate upwards; not owned */
    int signatures, paths; /* that may still be verified */
} osslcmp_search;

static int osslcmp_has(const STACK_OF(X509) *certs, const X509 *cert)
{
    int i;

    for (i = 0; i < sk_X509_num(certs); i++)
        if (X509_cmp(sk_X509_value(certs, i), cert) == 0)
            return 1;
    return 0;
}

/* What may have issued x: first those of the store, of which there are *trusted. */
static STACK_OF(X509) *osslcmp_issuers(X509_STORE_CTX *ctx, X509 *x, int *trusted)
{
    STACK_OF(X509) *stored = X509_STORE_CTX_get1_certs(ctx, X509_get_issuer_name(x));
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(ctx), *found = sk_X509_new_null();
    int i, in_store = stored == NULL ? 0 : sk_X509_num(stored), in_all = in_store + (sent == NULL ? 0 : sk_X509_num(sent));
    int failed = found == NULL;

    *trusted = 0;
    for (i = 0; !failed && i < in_all; i++) {
        int own = i < in_store;
        X509 *cert = own ? sk_X509_value(stored, i) : sk_X509_value(sent, i - in_store);

        if (osslcmp_likely_issued(ctx, x, cert) && !osslcmp_has(found, cert)) {
            failed = !X509_add_cert(found, cert, X509_ADD_FLAG_UP_REF);
            *trusted += own;
        }
    }
    sk_X509_pop_free(stored, X509_free);
    if (failed) {
        sk_X509_pop_free(found, X509_free);
        return NULL;
    }
    return found;
}

/* Whether there is any choice on the way up. */
static int osslcmp_has_choice(X509_STORE_CTX *ctx, X509 *x)
{
    int i, trusted, several = 0;

    if (!X509_up_ref(x))
        return 0;
    for (i = 0; i < OSSLCMP_PATH_LENGTH && !several && X509_self_signed(x, 0) == 0; i++) {
        STACK_OF(X509) *issuers = osslcmp_issuers(ctx, x, &trusted);
        X509 *above = issuers == NULL ? NULL : sk_X509_shift(issuers);

        several = above != NULL && sk_X509_num(issuers) > 0;
        sk_X509_pop_free(issuers, X509_free);
        if (above == NULL)
            break;
        X509_free(x);
        x = above;
    }
    X509_free(x);
    return several;
}

static int osslcmp_quiet_verify_cb(int ok, X509_STORE_CTX *ctx)
{
    (void)ctx;
    return ok;
}

/* Whether libcrypto finds nothing wrong with this path. */
static int osslcmp_path_verifies(osslcmp_search *s)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int good = 0;

    if (ctx != NULL && s->paths-- > 0
            && X509_STORE_CTX_init(ctx, X509_STORE_CTX_get0_store(s->ctx), sk_X509_value(s->path, 0), s->path)
            && X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(ctx), X509_STORE_CTX_get0_param(s->ctx))
            && X509_STORE_CTX_set_ex_data(ctx, osslcmp_path_index, s->path)) {
        X509_STORE_CTX_set_verify_cb(ctx, osslcmp_quiet_verify_cb);
        good = X509_verify_cert(ctx) > 0;
        (void)X509_STORE_CTX_set_ex_data(ctx, osslcmp_path_index, NULL);
    }
    X509_STORE_CTX_free(ctx);
    return good;
}

/* Go on with the path that ends at x. */
static int osslcmp_climb(osslcmp_search *s, X509 *x)
{
    int i, trusted, done = 0;
    STACK_OF(X509) *issuers = NULL;

    if (sk_X509_num(s->path) < OSSLCMP_PATH_LENGTH)
        issuers = osslcmp_issuers(s->ctx, x, &trusted);
    for (i = 0; issuers != NULL && !done && i < sk_X509_num(issuers); i++) {
        X509 *issuer = sk_X509_value(issuers, i);
        int own = i < trusted, top = X509_self_signed(issuer, 0) != 0;

        if (osslcmp_has(s->path, issuer) || (top && !own) || s->signatures-- <= 0
                || X509_verify(x, X509_get0_pubkey(issuer)) <= 0 || sk_X509_push(s->path, issuer) <= 0)
            continue;
        if (own && (top || (X509_VERIFY_PARAM_get_flags(X509_STORE_CTX_get0_param(s->ctx)) & X509_V_FLAG_PARTIAL_CHAIN)))
            done = osslcmp_path_verifies(s);
        if (!done && !top)
            done = osslcmp_climb(s, issuer);
        if (!done)
            (void)sk_X509_pop(s->path);
        else
            X509_up_ref(issuer);
    }
    sk_X509_pop_free(issuers, X509_free);
    return done;
}

/* The good path, osslcmp_no_path if there is no choice or none is good. */
static STACK_OF(X509) *osslcmp_find_path(X509_STORE_CTX *ctx)
{
    osslcmp_search s = {ctx, NULL, OSSLCMP_PATH_SIGNATURES, OSSLCMP_PATHS};
    X509 *cert = X509_STORE_CTX_get0_cert(ctx);
    int found = 0;

    ERR_set_mark();
    if (cert != NULL && osslcmp_has_choice(ctx, cert) && (s.path = sk_X509_new_null()) != NULL
            && sk_X509_push(s.path, cert) > 0) {
        found = osslcmp_climb(&s, cert);
        if (found)
            X509_up_ref(cert);
    }
    ERR_pop_to_mark();
    if (!found)
        sk_X509_free(s.path);
    return found ? s.path : osslcmp_no_path;
}

static int osslcmp_check_issued(X509_STORE_CTX *ctx, OSSLCMP_CONST_4 X509 *x, OSSLCMP_CONST_4 X509 *issuer)
{
    STACK_OF(X509) *path = X509_STORE_CTX_get_ex_data(ctx, osslcmp_path_index);
    int i;

    /* Before all else: later libcrypto may have locked the store, the first time it has not. */
    if (path == NULL && X509_STORE_CTX_get0_parent_ctx(ctx) == NULL) {
        path = osslcmp_find_path(ctx);
        if (!X509_STORE_CTX_set_ex_data(ctx, osslcmp_path_index, path)) {
            osslcmp_path_free(NULL, path, NULL, 0, 0, NULL);
            path = NULL;
        }
    }
    if (!osslcmp_likely_issued(ctx, x, issuer))
        return 0;
    for (i = 0; i + 1 < sk_X509_num(path); i++)
        if (X509_cmp(sk_X509_value(path, i), x) == 0)
            return X509_cmp(sk_X509_value(path, i + 1), issuer) == 0;
    return 1;
}

/* Let whoever is verified with this store be good if one of his paths is. */
static int osslcmp_take_any_good_path(X509_STORE *store)
{
    if (!CRYPTO_THREAD_run_once(&osslcmp_path_once, osslcmp_path_begin) || osslcmp_path_index < 0)
        return 0;
    X509_STORE_set_check_issued(store, osslcmp_check_issued);
    return 1;
}

static STACK_OF(X509_CRL) *osslcmp_all_crls(const X509_STORE_CTX *ctx, const X509_NAME *issuer)
{
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(X509_STORE_CTX_get0_store(ctx));
    STACK_OF(X509_CRL) *found = sk_X509_CRL_new_null();
    int i;

    (void)issuer;
    for (i = 0; found != NULL && i < sk_X509_OBJECT_num(objects); i++) {
        X509_CRL *crl = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(objects, i));

        if (crl != NULL && X509_CRL_up_ref(crl) && sk_X509_CRL_push(found, crl) <= 0)
            X509_CRL_free(crl);
    }
    return found;
}

/* No lock is needed: nothing is put into a store that verifies. */
static void osslcmp_take_any_crl(X509_STORE *store)
{
    X509_STORE_set_lookup_crls(store, osslcmp_all_crls);
}
