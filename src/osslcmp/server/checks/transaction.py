"""Checks whether a message can be the next one of its transaction, as far as that can be seen from the outside."""

from __future__ import annotations

from .. import bodies, messages, wire
from ..authority import Issued, Waiting
from ..transactions import Transaction
from .subject import Subject


def _transaction(subject: Subject) -> Transaction:
    assert subject.transaction is not None
    return subject.transaction


def _request(subject: Subject) -> wire.Header:
    """The header of the message that opened the transaction."""
    return _transaction(subject).message.header


def same_protection(subject: Subject) -> str | None:
    """It is protected by a MAC if the request was, by a signature if that was, and else not."""
    kinds = [(one.protection_alg is None, one.uses_mac) for one in (_request(subject), subject.header)]
    return None if kinds[0] == kinds[1] else "not protected like the request"


def same_algorithm(subject: Subject) -> str | None:
    """It is protected with the algorithm of the request."""
    same = subject.header.protection_oid == _request(subject).protection_oid
    return None if same else "not protected with the algorithm of the request"


def same_sender(subject: Subject) -> str | None:
    """It comes from the sender of the request."""
    first, header = _request(subject), subject.header
    same = header.sender == first.sender and header.sender_kid == first.sender_kid
    return None if same else "not from the sender of the request"


def fresh_sender_nonce(subject: Subject) -> str | None:
    """senderNonce is another one in each message."""
    used = _transaction(subject).has_nonce(subject.message)
    return "senderNonce was used before in this transaction" if used else None


def recip_nonce(subject: Subject) -> str | None:
    """recipNonce is the senderNonce of the last answer."""
    same = subject.header.recip_nonce == _transaction(subject).sent_nonce
    return None if same else "recipNonce does not match"


def poll_expected(subject: Subject) -> str | None:
    """A pollReq asks for an answer that is delayed."""
    transaction = _transaction(subject)
    waits = transaction.delayed is not None or isinstance(transaction.outcome, Waiting)
    return None if waits else "nothing to wait for"


def poll_readable(subject: Subject) -> str | None:
    """The body of a pollReq is one."""
    return "malformed POLLREQ" if bodies.poll_ids(subject.message) is None else None


def poll_request_id(subject: Subject) -> str | None:
    """A pollReq names the request whose answer is delayed."""
    transaction = _transaction(subject)
    wanted = bodies.request_id(transaction.message) if transaction.delayed is None else messages.WHOLE_ANSWER
    return None if bodies.poll_ids(subject.message) == [wanted] else "certReqId does not match"


def confirm_expected(subject: Subject) -> str | None:
    """A certConf confirms a certificate that was handed out."""
    transaction = _transaction(subject)
    waits = isinstance(transaction.outcome, Issued) and transaction.delayed is None
    return None if waits else "nothing to confirm"


def confirm_readable(subject: Subject) -> str | None:
    """The body of a certConf is one."""
    return "malformed CERTCONF" if subject.statuses is None else None


def one_status(subject: Subject) -> str | None:
    """A certConf speaks of one certificate at most."""
    return "more than one CertStatus" if len(subject.statuses or ()) > 1 else None


def confirm_request_id(subject: Subject) -> str | None:
    """A certConf names the request that was answered."""
    statuses = subject.statuses
    wanted = bodies.request_id(_transaction(subject).message)
    return "certReqId does not match" if statuses and statuses[0].request_id != wanted else None


def hash_alg(subject: Subject) -> str | None:
    """hashAlg is there only since pvno 3."""
    odd = subject.header.pvno < 3 and any(one.hash_algorithm for one in subject.statuses or ())
    return "hashAlg needs pvno 3" if odd else None
