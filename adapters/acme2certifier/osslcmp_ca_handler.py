"""A CA handler for acme2certifier: ACME clients get certificates from a CMP server.

In acme_srv.cfg::

    [CAhandler]
    handler_file: /path/to/osslcmp_ca_handler.py
    cmp_server: https://cmp.example/.well-known/cmp
    cmp_trusted: /etc/osslcmp/root.pem
    cmp_certificate: /etc/osslcmp/ra.pem        # of a registration authority (id-kp-cmcRA), and its chain
    cmp_key: /etc/osslcmp/ra.key

Instead of certificate and key, ``cmp_reference`` and ``cmp_secret_file`` enrol under a shared secret; a server that
follows RFC 9483 takes no revocation under one. A request that has to wait is kept as the poll identifier, in
acme2certifier's database: it holds no secret.
"""

from __future__ import annotations

import base64
import binascii
import logging
from pathlib import Path
from typing import Any

from acme2certifier.acme_srv.helper import load_config
from cryptography import x509

import osslcmp

_SERVER_ERROR = "urn:ietf:params:acme:error:serverInternal"
_TIMEOUT = 20  # seconds for each message


class CAhandler:
    """What acme2certifier makes for each operation."""

    def __init__(self, _debug: bool | None = None, logger: logging.Logger | None = None) -> None:
        self.logger = logger or logging.getLogger(__name__)
        self._client: osslcmp.Client | None = None
        self._problem = ""

    def __enter__(self) -> CAhandler:  # noqa: PYI034
        if self._client is None:
            try:
                self._client = _client(load_config(self.logger, "CAhandler")["CAhandler"])
            except (LookupError, OSError, ValueError) as error:  # the secret's file may be empty
                self._problem = f"CAhandler configuration: {error}"
                self.logger.error("%s", self._problem)
        return self

    def __exit__(self, *_: object) -> None:
        self._client = None

    def handler_check(self) -> str | None:
        """What is wrong with the configuration, if anything."""
        return self._problem or None

    def enroll(self, csr: str) -> tuple[str | None, str | None, str | None, str | None]:
        """Ask for the certificate of a CSR (base64): error, bundle, certificate, poll identifier."""
        if self._client is None:
            return self._problem, None, None, None
        try:
            transaction = self._client.begin("p10cr", csr=_decoded(csr))
            return None, *_outcome(transaction)
        except (osslcmp.CMPError, ValueError) as error:
            return self._failed("enrolment", error), None, None, None

    def poll(
        self, _cert_name: str, poll_identifier: str, _csr: str
    ) -> tuple[str | None, str | None, str | None, str | None, bool]:
        """Ask again: error, bundle, certificate, poll identifier, whether it is refused for good."""
        if self._client is None:
            return self._problem, None, None, poll_identifier, False
        try:
            transaction = self._client.resume(base64.b64decode(poll_identifier))
            transaction.poll()
            return None, *_outcome(transaction), False
        except osslcmp.RejectedError as error:
            return self._failed("enrolment", error), None, None, poll_identifier, True
        except (osslcmp.CMPError, ValueError) as error:
            return self._failed("poll", error), None, None, poll_identifier, False

    def revoke(
        self, cert: str, rev_reason: str = "unspecified", _rev_date: str = ""
    ) -> tuple[int, str | None, str | None]:
        """Revoke a certificate (base64): status, ACME error, its text."""
        if self._client is None:
            return 500, _SERVER_ERROR, self._problem
        try:
            reason = osslcmp.RevocationReason(rev_reason)
            self._client.rr(_decoded(cert), reason=reason)
        except (osslcmp.CMPError, ValueError) as error:
            return 500, _SERVER_ERROR, self._failed("revocation", error)
        return 200, None, None

    def trigger(self, _payload: str) -> tuple[str, None, None]:
        """CMP servers trigger nothing."""
        return "not supported: requests that wait are polled", None, None

    def _failed(self, what: str, error: Exception) -> str:
        self.logger.error("%s failed: %s", what, error)
        return str(error)


def _client(section: Any) -> osslcmp.Client:
    credentials: dict[str, Any]
    if "cmp_certificate" in section:
        certificate, *chain = x509.load_pem_x509_certificates(Path(section["cmp_certificate"]).read_bytes())
        credentials = {"certificate": certificate, "chain": chain, "key": section["cmp_key"]}
    else:
        secret = Path(section["cmp_secret_file"]).read_bytes().splitlines()[0]
        credentials = {"reference": section["cmp_reference"], "secret": secret}
    return osslcmp.Client(
        section["cmp_server"], trusted=section["cmp_trusted"], message_timeout=_TIMEOUT, **credentials
    )


def _decoded(text: str) -> bytes:
    """base64 as ACME has it or with the other alphabet, with or without padding."""
    plain = "".join(text.split()).translate(str.maketrans("+/", "-_")).rstrip("=")
    try:
        return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except binascii.Error as error:
        raise ValueError(f"no base64: {error}") from None


def _outcome(transaction: osslcmp.Transaction) -> tuple[str | None, str | None, str | None]:
    if not transaction.done:
        return None, None, base64.b64encode(transaction.dump()).decode()
    enrollment = transaction.result
    return enrollment.fullchain_pem.decode(), base64.b64encode(enrollment.certificate_der).decode(), None
