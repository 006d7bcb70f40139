"""Whether a message can be the next one of an open transaction."""

from __future__ import annotations

from ...enums import BodyType, FailureInfo
from .. import bodies, wire
from .. import messages as answers
from ..authority import Issued, Rejected, Waiting
from ..state import Transaction


def check(transaction: Transaction, message: wire.RawMessage, *, strict: bool) -> Rejected | None:
    """What is wrong with a message as the next one of a transaction, as far as that can be seen from the outside.

    Args:
        transaction: the open transaction.
        message: has its transactionID.
        strict: else what libcrypto checks is left to it, and the failure is always ``badRequest``.
    """
    problem = _whose(transaction, message, strict) or _which(transaction, message, strict)
    if problem is None or strict:
        return problem
    return Rejected(FailureInfo.badRequest, problem.text)


def _whose(transaction: Transaction, message: wire.RawMessage, strict: bool) -> Rejected | None:
    """Whether it comes from the client of the transaction."""
    first, header = transaction.message.header, message.header
    if (header.protection_alg is None, header.uses_mac) != (first.protection_alg is None, first.uses_mac):
        return Rejected(FailureInfo.wrongIntegrity, "not protected like the request")
    if header.sender != first.sender or header.sender_kid != first.sender_kid:
        return Rejected(FailureInfo.badRequest, "not from the sender of the request")
    # libcrypto takes an error message for a new transaction, so it does not look at the nonce.
    if (strict or message.body_type == BodyType.ERROR) and header.recip_nonce != transaction.sent_nonce:
        return Rejected(FailureInfo.badRecipientNonce, "recipNonce does not match")
    return None


def _which(transaction: Transaction, message: wire.RawMessage, strict: bool) -> Rejected | None:
    """Whether it is one that the transaction waits for."""
    outcome, held = transaction.outcome, transaction.held
    request_id = bodies.request_id(transaction.message)
    try:
        if message.body_type == BodyType.POLLREQ:
            if held is not None:
                request_id = answers.WHOLE_ANSWER
            elif not isinstance(outcome, Waiting):
                return Rejected(FailureInfo.badRequest, "nothing to wait for")
            if strict and bodies.poll_ids(message) != [request_id]:
                return Rejected(FailureInfo.badRequest, "certReqId does not match")
        elif message.body_type == BodyType.CERTCONF:
            if not isinstance(outcome, Issued) or held is not None:
                return Rejected(FailureInfo.badRequest, "nothing to confirm")
            statuses = bodies.cert_statuses(message)
            if strict and len(statuses) > 1:
                return Rejected(FailureInfo.badRequest, "more than one CertStatus")
            if strict and statuses and statuses[0].request_id != request_id:
                return Rejected(FailureInfo.badCertId, "certReqId does not match")
    except bodies.MALFORMED:
        return Rejected(FailureInfo.badDataFormat, f"malformed {BodyType(message.body_type).name}")
    return None
