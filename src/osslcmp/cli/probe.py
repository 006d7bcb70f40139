"""``osslcmp probe``: what a CMP server is, and what it can do."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from .._text import json_text, one_line
from . import EXIT_USAGE
from ._common import Parser, complain, emit, heading, seconds

if TYPE_CHECKING:
    from ..client import Client
    from ..message import Message

_EPILOG = """\
Sends general messages (genm), a few of them wrong on purpose, and a revocation request for a certificate that does not
exist, and tells what comes back. Nothing of that issues or revokes anything. A request for a certificate is sent only
where --request asks for it: each kind gets you one certificate, which is confirmed, and written nowhere.

Without credentials only little is told: most servers answer nobody whom they do not know.

Exit status: 0 if a CMP server answers, 1 if none does, 2 for wrong options.

Examples:
  osslcmp probe http://ca.example/.well-known/cmp
  osslcmp probe https://ca.example/cmp --ref 4711 --secret-file secret --json
"""

_WRONG = "Wrong on purpose"
_REQUESTS = ("ir", "cr", "p10cr", "kur")
_STYLES = {"yes": "green", "no": "yellow", "refused": "yellow", "no answer": "red", "not understood": "red"}


@dataclass(frozen=True)
class _Finding:
    """What came of one try."""

    about: str
    tried: str
    result: str
    """``yes``, ``no``, ``refused``, ``no answer``, ``not understood`` or ``not tried``."""
    detail: str = ""
    status: str | None = None
    failure_info: tuple[str, ...] = ()
    answer: dict[str, Any] | None = None
    """Of the message that came: its type, pvno, sender, protection and number of certificates."""


def parser() -> Parser:
    """The options."""
    made = Parser("probe", "Tell what a CMP server is and can do.", _EPILOG)
    made.add_argument("url", metavar="URL", help="of the server: http[s]://HOST[:PORT]/PATH")
    made.add_argument("--ref", metavar="R", help="reference of a shared secret")
    made.add_argument("--secret-file", metavar="FILE", help="file with it, its first line")
    made.add_argument("--cert", metavar="FILE", help="certificate (and chain) to sign with")
    made.add_argument("--key", metavar="FILE", help="its private key, or a key URI")
    made.add_argument(
        "--trusted", metavar="FILE", action="append", help="trust anchors for signed answers; repeatable"
    )
    made.add_argument(
        "--tls-trusted", metavar="FILE", action="append", help="trust anchors for https; repeatable"
    )
    made.add_argument(
        "--request", metavar="TYPE", action="append", choices=_REQUESTS, default=[],
        help="ask for a certificate by ir, cr, p10cr or kur (of --cert); repeatable",
    )  # fmt: skip
    made.add_argument(
        "--subject",
        metavar="NAME",
        default="CN=osslcmp probe",
        help="name in such requests (CN=osslcmp probe)",
    )
    made.add_argument(
        "--timeout", metavar="S", type=seconds, default=20, help="seconds for each message (20)"
    )
    made.add_argument("--json", action="store_true", help="as JSON: an object with a list of findings")
    return made


def run(options: Namespace) -> int:
    """Probe. Returns the exit status."""
    try:
        probe = _Probe(options)
    except (OSError, ValueError) as error:
        complain("probe", error)
        return EXIT_USAGE
    findings = probe.findings()
    answered = any(finding.answer is not None for finding in findings)
    if options.json:
        print(
            json_text(
                {"url": options.url, "cmp": answered, "findings": list(map(asdict, findings))}, indent=1
            )
        )
    else:
        _show(options.url, answered, findings)
    return 0 if answered else 1


def _show(url: str, answered: bool, findings: list[_Finding]) -> None:
    emit((url, "bold"), (": a CMP server" if answered else ": no CMP server", "green" if answered else "red"))
    widest = max(len(finding.tried) for finding in findings)
    for about, group in groupby(findings, lambda finding: finding.about):
        heading(about)
        for finding in group:
            style = "" if about == _WRONG else _STYLES.get(finding.result, "")
            detail = " ".join(filter(None, [",".join(finding.failure_info), finding.detail]))
            emit(
                (f"  {finding.tried:<{widest}}  ", ""), (f"{finding.result:<14}", style), (f"  {detail}", "")
            )


class _Probe:
    """Asks a server."""

    def __init__(self, options: Namespace) -> None:
        from .. import general
        from .._openssl import inputs as _inputs
        from .._openssl.name_texts import parse_name
        from ..transport.address import parse_url

        address = parse_url(options.url, "URL")
        if options.tls_trusted and not address.tls:
            raise ValueError("--tls-trusted: is of no use without https")
        self._subject = parse_name(options.subject, "--subject")
        self._trusted = _inputs.any_certificates("--trusted", options.trusted)
        self._tls_trusted = _inputs.any_certificates("--tls-trusted", options.tls_trusted)
        if (options.secret_file is None) != (options.ref is None):
            raise ValueError("--ref and --secret-file go together")
        if (options.cert is None) != (options.key is None):
            raise ValueError("--cert and --key go together")
        if "kur" in options.request and options.cert is None:
            raise ValueError("--request kur: needs --cert and --key")
        self._options = options
        self._credentials: dict[str, Any] = {}
        if options.secret_file is not None:
            secret, _ = _inputs.read_secret("--secret-file", options.secret_file)
            self._credentials = {"reference": options.ref, "secret": secret}
        elif options.cert is not None:
            certificate, *chain = _inputs.any_certificates("--cert", options.cert)
            self._credentials = {"certificate": certificate, "key": options.key, "chain": chain or None}
        self._kinds = {
            "caCerts": general.CA_CERTS,
            "rootCaCert": general.ROOT_CA_CERT,
            "currentCRL": general.CURRENT_CRL,
            "crlStatusList": general.CRL_STATUS_LIST,
            "certReqTemplate": general.CERT_REQ_TEMPLATE,
            "signKeyPairTypes": general.SIGN_KEY_PAIR_TYPES,
            "encKeyPairTypes": general.ENC_KEY_PAIR_TYPES,
            "preferredSymmAlg": general.PREFERRED_SYMM_ALG,
            "caProtEncCert": general.CA_PROT_ENC_CERT,
            "caKeyUpdateInfo": general.CA_KEY_UPDATE_INFO,
        }
        self._client(self._credentials or _nobody())  # what cannot work is told now

    def _client(self, credentials: dict[str, Any], **more: Any) -> Client:
        from ..client import Client
        from ..trace import Trace

        options = self._options
        if self._tls_trusted:
            more["tls"] = self._tls_trusted
        return Client(
            options.url,
            trusted=self._trusted or None,
            message_timeout=options.timeout,
            total_timeout=2 * options.timeout,
            unprotected_errors=True,
            trace=Trace(),
            **credentials,
            **more,
        )

    def findings(self) -> list[_Finding]:
        """All of them. When nobody answers the first message, no further one is sent."""
        first = self._try(_WRONG, "genm without protection", _nobody(), _ask())
        if first.result == "no answer":
            return [first]
        found = [first, self._try(_WRONG, "genm under an unknown secret", _unknown(), _ask())]
        if self._options.secret_file is not None:
            wrong = {**self._credentials, "secret": os.urandom(16)}
            found.append(self._try(_WRONG, "genm under a wrong secret", wrong, _ask()))
        if not self._credentials:
            return found
        for name, oid in self._kinds.items():
            found.append(self._try("General messages", name, self._credentials, _ask(oid)))
        found.append(self._revocation())
        for kind in _REQUESTS:
            if kind in self._options.request:
                found.append(self._try("Requests", kind, self._credentials, self._request(kind)))
            else:
                found.append(
                    _Finding("Requests", kind, "not tried", f"--request {kind} asks for a certificate")
                )
        return found

    def _revocation(self) -> _Finding:
        serial = int.from_bytes(os.urandom(18), "big") | 1

        def ask(client: Client) -> str:
            client.rr(issuer="CN=osslcmp probe: nobody", serial=serial)
            return "a certificate that does not exist"

        return self._try("Requests", "rr (of no certificate)", self._credentials, ask)

    def _request(self, kind: str) -> Callable[[Client], str]:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        def ask(client: Client) -> str:
            key = ec.generate_private_key(ec.SECP256R1())
            if kind == "p10cr":
                builder = x509.CertificateSigningRequestBuilder().subject_name(self._subject)
                enrollment = client.p10cr(builder.sign(key, hashes.SHA256()))
            elif kind == "kur":
                enrollment = client.kur(key)
            else:
                enrollment = getattr(client, kind)(key, subject=self._subject)
            return f"{enrollment.status.name}, {len(enrollment.certificate_der)} octets of certificate"

        return ask

    def _try(
        self, about: str, tried: str, credentials: dict[str, Any], ask: Callable[[Client], str]
    ) -> _Finding:
        from ..errors import CMPError, RejectedError, TransferError
        from .openssl_cmp.report import failure_names

        client = self._client(credentials)
        more: dict[str, Any] = {}
        try:
            result, detail = "yes", ask(client)
            if not detail:
                result = "no"
        except RejectedError as error:
            result, detail = "refused", error.text
            more = {"status": error.status.name, "failure_info": tuple(failure_names(error.failure_info))}
        except TransferError as error:
            result, detail = "no answer", str(error)
        except (CMPError, ValueError) as error:
            result, detail = "not understood", str(error)
        assert client.trace is not None
        answers = client.trace.messages[1::2]
        answer = _about(answers[0]) if answers else None
        return _Finding(about, tried, result, one_line(detail), answer=answer, **more)


def _nobody() -> dict[str, Any]:
    return {"unprotected_requests": True, "sender": "CN=osslcmp probe"}


def _unknown() -> dict[str, Any]:
    return {"reference": f"osslcmp-probe-{os.urandom(4).hex()}", "secret": os.urandom(16)}


def _ask(oid: Any = None) -> Callable[[Client], str]:
    """A genm that asks for one kind, or an empty one; tells what came."""

    def ask(client: Client) -> str:
        from .. import InfoTypeAndValue

        items = client.genm([InfoTypeAndValue(oid)] if oid is not None else [])
        if oid is None:
            return f"{len(items)} values"
        values = [len(item.value) for item in items if item.oid == oid and item.value]
        return f"{values[0]} octets" if values else ""

    return ask


def _about(message: Message) -> dict[str, Any]:
    """``None`` for what cannot be read."""
    from ..message.data import data

    found = data(message)
    header, certificates = found["header"] or {}, found["extra_certs"]
    algorithm = message.header.protection_alg if header else None
    return {
        "type": message.type.name,
        "pvno": header.get("pvno"),
        "sender": header.get("sender"),
        "protection": None if algorithm is None else algorithm.name,
        "certificates": None if certificates is None else len(certificates),
    }
