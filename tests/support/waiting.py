"""A CA that waits for a person, its server, and clients for both protections."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import osslcmp
from osslcmp.server import CertificateRequest, EmbeddedCA, Rejected, Waiting

from .pki import make_csr

TYPES = {"ir": osslcmp.IR, "cr": osslcmp.CR, "p10cr": osslcmp.P10CR, "kur": osslcmp.KUR}
SECRET = b"a secret that stands nowhere"


class Site:
    """While ``released`` is false, whoever asks for a certificate is told to wait ``check_after`` seconds."""

    def __init__(self) -> None:
        self.check_after = 0
        self.polls = 0
        self.waiting: set[bytes] = set()
        self.refusal: Rejected | None = None
        self.ca = EmbeddedCA({"ref": SECRET}, policy=self._policy)
        self.server = self.ca.server(strictness="rfc9810")
        self.released = True
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.own = self._enrol()
        self.released = False
        self.new_key = ec.generate_private_key(ec.SECP256R1())

    def _enrol(self) -> osslcmp.Enrollment:
        client = osslcmp.Client(transport=self.server, reference="ref", secret=SECRET)
        return client.ir(self.key, subject="CN=device")

    def _policy(self, request: CertificateRequest) -> Waiting | Rejected | None:
        self.polls = request.polls
        if self.released:
            return self.refusal
        self.waiting.add(request.transaction_id)
        return Waiting(self.check_after)

    def reset(self) -> None:
        """As it was at the start."""
        self.released, self.check_after, self.refusal = True, 0, None
        if any(record.updates for record in self.ca.records):
            self.own = self._enrol()  # what has been updated enrols no more
        self.released = False
        self.waiting.clear()

    def credentials(self, protection: str) -> dict[str, str]:
        """The arguments of a client, as text."""
        if protection == "mac":
            return {"reference": "ref", "secret": SECRET.decode()}
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return {
            "certificate": self.own.certificate.public_bytes(Encoding.PEM).decode(),
            "key": pem.decode(),
            "chain": "".join(c.public_bytes(Encoding.PEM).decode() for c in self.own.chain),
            "trusted": self.ca.root.public_bytes(Encoding.PEM).decode(),
        }

    def arguments(self, protection: str = "mac", url: str | None = None, **options: Any) -> dict[str, Any]:
        """The arguments of a client; without a URL the server is its transport."""
        given = {
            name: value.encode() if value.startswith("-----BEGIN") else value
            for name, value in self.credentials(protection).items()
        }
        where = {"transport": self.server} if url is None else {"server": url}
        return {**where, **given, **options}

    def client(self, protection: str = "mac", url: str | None = None, **options: Any) -> osslcmp.Client:
        """Such a client."""
        return osslcmp.Client(**self.arguments(protection, url, **options))

    def request(self, kind: str) -> dict[str, Any]:
        """The arguments of a request."""
        if kind == "p10cr":
            return {"csr": make_csr(self.new_key, "CN=by CSR")}
        if kind == "kur":
            return {"key": self.new_key, "certificate": self.own.certificate}
        return {"key": self.new_key, "subject": "CN=new"}

    def begin(self, kind: str = "ir", protection: str = "mac", **request: Any) -> osslcmp.Transaction:
        """A request that waits."""
        return self.client(protection).begin(TYPES[kind], **self.request(kind), **request)
