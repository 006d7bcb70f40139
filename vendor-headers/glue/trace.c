/*
 * Lets Python see each message that goes over the wire and what comes back,
 * however it travels, when somebody has asked for it.
 */
static OSSL_CMP_MSG *osslcmp_traced(OSSL_CMP_transfer_cb_t transfer, OSSL_CMP_CTX *ctx,
                                    const OSSL_CMP_MSG *req)
{
    osslcmp_session *s = osslcmp_current;
    OSSL_CMP_MSG *answer;

    if (s == NULL || s->self == NULL || !s->traced)
        return transfer(ctx, req);
    osslcmp_py_message(s->self, 1, req);
    answer = transfer(ctx, req);
    osslcmp_py_message(s->self, 0, answer);
    return answer;
}
