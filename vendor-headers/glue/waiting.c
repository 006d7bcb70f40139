/*
 * Around every transfer of a Context, whoever does it: what makes waiting
 * interruptible, bounded and able to outlive the process.
 *
 * - It keeps the DER of the answers that a waiting request would need in a
 *   context that knows nothing of it, and gives such answers out again instead
 *   of sending: libcrypto then verifies them once more and stands where it
 *   stood. A replayed request never leaves, so that it needs no protection.
 * - From 3.3 on libcrypto sleeps by itself, deaf to signals, when the answer
 *   to rr, genm, certConf or error is delayed. Such a poll is not sent: the
 *   call fails, and Python polls by OSSL_CMP_try_certreq(), which never sleeps.
 * - A poll that got no answer may have reached the server, whose answer had a
 *   nonce that we do not know: a new poll would be refused, or find nothing to
 *   wait for. The same poll once more is answered by a careful server as it was.
 * - Before 3.3 "waiting" in answer to a poll makes libcrypto poll again at
 *   once, without end. That is left to Python, too.
 */
enum osslcmp_slot {
    OSSLCMP_ANSWER,  /* to the request */
    OSSLCMP_CONFIRM, /* to certConf, if it is an error message */
    OSSLCMP_POLL,    /* the last pollRep */
    OSSLCMP_FINAL,   /* what ended the polling */
    OSSLCMP_OTHER    /* the last answer if it is none of these: for whoever tells why it was refused */
};

static void osslcmp_drop(osslcmp_der *kept)
{
    OPENSSL_free(kept->der);
    kept->der = NULL;
    kept->length = 0;
}

static void osslcmp_forget_answers(osslcmp_session *s)
{
    int i;

    for (i = 0; i < OSSLCMP_SLOTS; i++)
        osslcmp_drop(&s->kept[i]);
}

static void osslcmp_session_forget(osslcmp_session *s)
{
    osslcmp_forget_answers(s);
    osslcmp_drop(&s->again);
}

static void osslcmp_session_clear_replay(osslcmp_session *s)
{
    int i;

    for (i = 0; i < OSSLCMP_REPLAYS; i++)
        osslcmp_drop(&s->replay[i]);
    s->replays = s->replayed = 0;
}

/* Add an answer to give out instead of sending. */
static int osslcmp_session_push_replay(osslcmp_session *s, const unsigned char *der, long length)
{
    osslcmp_der *entry = &s->replay[s->replays];

    if (s->replays == OSSLCMP_REPLAYS || length <= 0
            || (entry->der = OPENSSL_memdup(der, (size_t)length)) == NULL)
        return 0;
    entry->length = length;
    s->replays++;
    return 1;
}

/* What is kept, NULL for nothing. Valid until the next message. */
static const unsigned char *osslcmp_session_kept(const osslcmp_session *s, int slot, long *length)
{
    *length = s->kept[slot].length;
    return s->kept[slot].der;
}

/* After a call: the type of the message whose answer is to be polled for by Python, -1 for none. */
static int osslcmp_session_unsent(const osslcmp_session *s)
{
    return s->unsent ? s->asked : -1;
}

static int osslcmp_session_lost(const osslcmp_session *s)
{
    return s->lost;
}

/* The last answer, NULL for none. */
static const unsigned char *osslcmp_session_last(const osslcmp_session *s, long *length)
{
    *length = 0;
    return s->last < 0 ? NULL : osslcmp_session_kept(s, s->last, length);
}

static void osslcmp_session_set_unprotected(osslcmp_session *s, int unprotected)
{
    s->unprotected = unprotected;
}

static void osslcmp_session_set_deadline(osslcmp_session *s, int64_t milliseconds)
{
    s->deadline = milliseconds < 0 ? 0 : osslcmp_now_ms() + milliseconds;
}

static void osslcmp_session_set_transfer(osslcmp_session *s, OSSL_CMP_transfer_cb_t transfer)
{
    s->transfer = transfer;
}

static void osslcmp_keep(osslcmp_session *s, int sent, const OSSL_CMP_MSG *answer)
{
    int type = OSSL_CMP_MSG_get_bodytype(answer);
    int slot;
    osslcmp_der *kept;

    if (sent == OSSLCMP_POLLREQ) {
        slot = type == OSSLCMP_POLLREP ? OSSLCMP_POLL : OSSLCMP_FINAL;
    } else if (sent == OSSLCMP_CERTCONF) {
        slot = type == OSSLCMP_ERROR ? OSSLCMP_CONFIRM : OSSLCMP_OTHER;
    } else if (sent == OSSLCMP_ERROR) {
        if (s->last >= 0) /* the error message says what is wrong with that one */
            return;
        slot = OSSLCMP_OTHER;
    } else {
        osslcmp_forget_answers(s);
        slot = type == OSSLCMP_ERROR || osslcmp_asks_for_certificate(sent) ? OSSLCMP_ANSWER : OSSLCMP_OTHER;
    }
    kept = &s->kept[slot];
    osslcmp_drop(kept);
    kept->length = i2d_OSSL_CMP_MSG(answer, &kept->der);
    if (kept->length <= 0)
        osslcmp_drop(kept);
    else
        s->last = slot;
}

static OSSL_CMP_MSG *osslcmp_replay(osslcmp_session *s, OSSL_CMP_CTX *ctx)
{
    osslcmp_der *entry = &s->replay[s->replayed++];
    OSSL_CMP_MSG *answer = osslcmp_session_receive(s, entry->der, entry->length);
    const ASN1_OCTET_STRING *nonce;

    if (answer == NULL)
        return NULL;
    nonce = OSSL_CMP_HDR_get0_recipNonce(OSSL_CMP_MSG_get0_header(answer));
    if (nonce == NULL || !OSSL_CMP_CTX_set1_senderNonce(ctx, nonce)) {
        ERR_raise(ERR_LIB_CMP, CMP_R_RECIPNONCE_UNMATCHED);
        OSSL_CMP_MSG_free(answer);
        return NULL;
    }
    /* What is made from here on is sent. */
    if (s->replayed == s->replays)
        OSSL_CMP_CTX_set_option(ctx, OSSL_CMP_OPT_UNPROTECTED_SEND, s->unprotected);
    return answer;
}

/* Whether a poll would lead into a sleep or a loop inside libcrypto. */
static int osslcmp_must_not_poll(osslcmp_session *s)
{
    if (!osslcmp_asks_for_certificate(s->asked))
        return 1;
    if (s->kept[OSSLCMP_FINAL].der == NULL)
        return 0;
    /* It says "waiting" again: that is what the next poll answers. */
    osslcmp_drop(&s->kept[OSSLCMP_ANSWER]);
    osslcmp_drop(&s->kept[OSSLCMP_POLL]);
    s->kept[OSSLCMP_ANSWER] = s->kept[OSSLCMP_FINAL];
    s->kept[OSSLCMP_FINAL].der = NULL;
    s->kept[OSSLCMP_FINAL].length = 0;
    return 1;
}

static OSSL_CMP_MSG *osslcmp_carry(osslcmp_session *s, OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *req)
{
    if (s->deadline != 0 && osslcmp_now_ms() >= s->deadline)
        ERR_raise(ERR_LIB_CMP, CMP_R_TOTAL_TIMEOUT);
    else if (osslcmp_flag_get(&s->cancelled))
        ERR_raise_data(ERR_LIB_CMP, CMP_R_TRANSFER_ERROR, "cancelled");
    else
        return osslcmp_traced(s->transfer, ctx, req);
    return NULL;
}

/* Milliseconds for which a lost poll is sent again as it was: later its messageTime may be too old. */
#define OSSLCMP_AGAIN 120000

/* A poll; or, if the one before got no answer, that one, with whose nonce the answer must fit. */
static OSSL_CMP_MSG *osslcmp_carry_poll(osslcmp_session *s, OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *req)
{
    OSSL_CMP_MSG *again = NULL, *answer;
    const ASN1_OCTET_STRING *nonce = NULL;

    if (s->again.der != NULL && osslcmp_now_ms() - s->lost_at < OSSLCMP_AGAIN
            && (again = osslcmp_own_msg(s->again.der, s->again.length)) != NULL
            && osslcmp_same_transaction(again, req))
        nonce = osslcmp_sender_nonce(again);
    answer = osslcmp_carry(s, ctx, nonce == NULL ? req : again);
    if (answer != NULL) {
        osslcmp_drop(&s->again);
        if (nonce != NULL && !OSSL_CMP_CTX_set1_senderNonce(ctx, nonce)) {
            OSSL_CMP_MSG_free(answer);
            answer = NULL;
        }
    } else if (nonce == NULL) {
        osslcmp_drop(&s->again);
        s->again.length = i2d_OSSL_CMP_MSG(req, &s->again.der);
        s->lost_at = osslcmp_now_ms();
        if (s->again.length <= 0)
            osslcmp_drop(&s->again);
    }
    s->lost = answer == NULL;
    OSSL_CMP_MSG_free(again);
    return answer;
}

static OSSL_CMP_MSG *osslcmp_transfer(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *req)
{
    osslcmp_session *s = osslcmp_current;
    int type = OSSL_CMP_MSG_get_bodytype(req);
    OSSL_CMP_MSG *answer;

    if (s == NULL) /* called from outside a Context */
        return OSSL_CMP_MSG_http_perform(ctx, req);
    osslcmp_validate(s, ctx);
    if (type != OSSLCMP_POLLREQ)
        s->asked = type;
    if (type != OSSLCMP_ERROR)
        s->last = -1;
    if (s->replayed < s->replays) {
        answer = osslcmp_replay(s, ctx);
    } else if (type == OSSLCMP_POLLREQ && osslcmp_must_not_poll(s)) {
        s->unsent = 1;
        return NULL;
    } else if (type == OSSLCMP_POLLREQ) {
        answer = osslcmp_carry_poll(s, ctx, req);
    } else {
        osslcmp_drop(&s->again);
        answer = osslcmp_carry(s, ctx, req);
    }
    if (answer != NULL)
        osslcmp_keep(s, type, answer);
    return answer;
}
