/*
 * Around every transfer of a Context, whoever does it: what makes waiting
 * interruptible, bounded and able to outlive the process. docs/internals.md
 * has the states of a context that waits.
 *
 * - It saves the DER of the answers that a waiting request would need in a
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
    OSSLCMP_OTHER    /* the last answer if it is none of these: for an exception that has the answer */
};

static void osslcmp_drop(osslcmp_der *message)
{
    OPENSSL_free(message->der);
    message->der = NULL;
    message->length = 0;
}

static void osslcmp_save(osslcmp_der *message, const OSSL_CMP_MSG *msg)
{
    osslcmp_drop(message);
    message->length = i2d_OSSL_CMP_MSG(msg, &message->der);
    if (message->length <= 0)
        osslcmp_drop(message);
}

static void osslcmp_drop_saved(osslcmp_session *s)
{
    int i;

    for (i = 0; i < OSSLCMP_SLOTS; i++)
        osslcmp_drop(&s->saved[i]);
}

static void osslcmp_session_forget(osslcmp_session *s)
{
    osslcmp_drop_saved(s);
    osslcmp_drop(&s->unanswered);
}

static void osslcmp_session_clear_replay(osslcmp_session *s)
{
    int i;

    for (i = 0; i < OSSLCMP_REPLAYS; i++)
        osslcmp_drop(&s->replay[i]);
}

/* Add an answer to give out instead of sending. */
static int osslcmp_session_push_replay(osslcmp_session *s, const unsigned char *der, long length)
{
    osslcmp_der *free_slot = s->replay;

    while (free_slot < s->replay + OSSLCMP_REPLAYS && free_slot->der != NULL)
        free_slot++;
    if (free_slot == s->replay + OSSLCMP_REPLAYS || length <= 0
            || (free_slot->der = OPENSSL_memdup(der, (size_t)length)) == NULL)
        return 0;
    free_slot->length = length;
    return 1;
}

/* What is saved in a slot, NULL for nothing. Valid until the next message. */
static const unsigned char *osslcmp_session_saved(const osslcmp_session *s, int slot, long *length)
{
    *length = s->saved[slot].length;
    return s->saved[slot].der;
}

/* After a call: the type of the message whose answer is to be polled for by Python, -1 for none. */
static int osslcmp_session_poll_left_to_us(const osslcmp_session *s)
{
    return s->poll == OSSLCMP_POLL_LEFT_TO_US ? s->asked : -1;
}

/* After a call: whether a poll got no answer. */
static int osslcmp_session_poll_unanswered(const osslcmp_session *s)
{
    return s->poll == OSSLCMP_POLL_UNANSWERED;
}

/* The last answer, NULL for none. */
static const unsigned char *osslcmp_session_last(const osslcmp_session *s, long *length)
{
    *length = 0;
    return s->last < 0 ? NULL : osslcmp_session_saved(s, s->last, length);
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

static void osslcmp_save_answer(osslcmp_session *s, int sent, const OSSL_CMP_MSG *answer)
{
    int type = OSSL_CMP_MSG_get_bodytype(answer);
    int slot;

    if (sent == OSSLCMP_POLLREQ) {
        slot = type == OSSLCMP_POLLREP ? OSSLCMP_POLL : OSSLCMP_FINAL;
    } else if (sent == OSSLCMP_CERTCONF) {
        slot = type == OSSLCMP_ERROR ? OSSLCMP_CONFIRM : OSSLCMP_OTHER;
    } else if (sent == OSSLCMP_ERROR) {
        if (s->last >= 0) /* the error message says what is wrong with that one */
            return;
        slot = OSSLCMP_OTHER;
    } else {
        osslcmp_drop_saved(s);
        slot = type == OSSLCMP_ERROR || osslcmp_asks_for_certificate(sent) ? OSSLCMP_ANSWER : OSSLCMP_OTHER;
    }
    osslcmp_save(&s->saved[slot], answer);
    if (s->saved[slot].der != NULL)
        s->last = slot;
}

/* Give out the first answer to be replayed, of which there is one. */
static OSSL_CMP_MSG *osslcmp_replay(osslcmp_session *s, OSSL_CMP_CTX *ctx)
{
    OSSL_CMP_MSG *answer = osslcmp_session_receive(s, s->replay[0].der, s->replay[0].length);
    const ASN1_OCTET_STRING *nonce;

    osslcmp_drop(&s->replay[0]);
    memmove(s->replay, s->replay + 1, sizeof(s->replay) - sizeof(s->replay[0]));
    memset(&s->replay[OSSLCMP_REPLAYS - 1], 0, sizeof(s->replay[0]));
    if (answer == NULL)
        return NULL;
    nonce = OSSL_CMP_HDR_get0_recipNonce(OSSL_CMP_MSG_get0_header(answer));
    if (nonce == NULL || !OSSL_CMP_CTX_set1_senderNonce(ctx, nonce)) {
        ERR_raise(ERR_LIB_CMP, CMP_R_RECIPNONCE_UNMATCHED);
        OSSL_CMP_MSG_free(answer);
        return NULL;
    }
    /* What is made from here on is sent. */
    if (s->replay[0].der == NULL)
        OSSL_CMP_CTX_set_option(ctx, OSSL_CMP_OPT_UNPROTECTED_SEND, s->unprotected);
    return answer;
}

/* Whether a poll would lead into a sleep or a loop inside libcrypto. */
static int osslcmp_must_not_poll(osslcmp_session *s)
{
    if (!osslcmp_asks_for_certificate(s->asked))
        return 1;
    if (s->saved[OSSLCMP_FINAL].der == NULL)
        return 0;
    /* It says "waiting" again: that is what the next poll answers. */
    osslcmp_drop(&s->saved[OSSLCMP_ANSWER]);
    osslcmp_drop(&s->saved[OSSLCMP_POLL]);
    s->saved[OSSLCMP_ANSWER] = s->saved[OSSLCMP_FINAL];
    memset(&s->saved[OSSLCMP_FINAL], 0, sizeof(s->saved[OSSLCMP_FINAL]));
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

/* Milliseconds for which an unanswered poll is sent again as it was: later its messageTime may be too old. */
#define OSSLCMP_SAME_POLL 120000

/* A poll; or, if the one before got no answer, that one, with whose nonce the answer must fit. */
static OSSL_CMP_MSG *osslcmp_carry_poll(osslcmp_session *s, OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *req)
{
    OSSL_CMP_MSG *earlier = NULL, *answer;
    const ASN1_OCTET_STRING *nonce = NULL;

    if (s->unanswered.der != NULL && osslcmp_now_ms() - s->unanswered_since < OSSLCMP_SAME_POLL
            && (earlier = osslcmp_own_msg(s->unanswered.der, s->unanswered.length)) != NULL
            && osslcmp_same_transaction(earlier, req))
        nonce = osslcmp_sender_nonce(earlier);
    answer = osslcmp_carry(s, ctx, nonce == NULL ? req : earlier);
    if (answer != NULL) {
        osslcmp_drop(&s->unanswered);
        if (nonce != NULL && !OSSL_CMP_CTX_set1_senderNonce(ctx, nonce)) {
            OSSL_CMP_MSG_free(answer);
            answer = NULL;
        }
    } else if (nonce == NULL) {
        osslcmp_save(&s->unanswered, req);
        s->unanswered_since = osslcmp_now_ms();
    }
    s->poll = answer == NULL ? OSSLCMP_POLL_UNANSWERED : OSSLCMP_POLL_ANSWERED;
    OSSL_CMP_MSG_free(earlier);
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
    if (s->replay[0].der != NULL) {
        answer = osslcmp_replay(s, ctx);
    } else if (type == OSSLCMP_POLLREQ && osslcmp_must_not_poll(s)) {
        s->poll = OSSLCMP_POLL_LEFT_TO_US;
        return NULL;
    } else if (type == OSSLCMP_POLLREQ) {
        answer = osslcmp_carry_poll(s, ctx, req);
    } else {
        osslcmp_drop(&s->unanswered);
        answer = osslcmp_carry(s, ctx, req);
    }
    if (answer != NULL)
        osslcmp_save_answer(s, type, answer);
    return answer;
}
