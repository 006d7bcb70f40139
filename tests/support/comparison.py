"""One command line for ``openssl cmp`` and for ``osslcmp cmp``: what each makes of it, in a form that can be compared.

``Inputs`` makes the files that command lines name; ``expand`` puts their paths, and the usual groups of options,
into a line; ``outcome`` takes the files that a run wrote apart.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from osslcmp.message import CertReqMessages, GeneralMessage, Message, PKCS10Request, RevReq

from . import openssl
from .pki import DAY, PKI

PASSWORD = "12345"

_CONFIG = """
name = /CN=from the configuration
[default]
batch = 1
ref = ref
[cmp]
cmd = ir
secret = pass:wrong
[a]
secret = pass:secret
subject = $name
certout = a.pem
oldcert =
server = 192.0.2.1
path = $ENV::NOWHERE
[b]
server =
path =
cmd = ir
[sans]
subjectAltName = @alt
keyUsage = critical, digitalSignature
[alt]
DNS.0 = one.example
IP.0 = 127.0.0.1
[wrong]
keyUsage = nonsense
[policies]
certificatePolicies = critical, @policy
[policy]
policyIdentifier = 1.2.3.4
[reference]
ref_cert = REFERENCE
"""


class Inputs:
    """Files for command lines, in a folder; ``paths`` has them by name."""

    def __init__(self, folder: Path, pki: PKI) -> None:
        self.folder = folder
        self.paths: dict[str, Path] = {
            "root": pki.root.cert_file,
            "issuing": pki.issuing.cert_file,
            "server": pki.server.cert_file,
            "server_key": pki.server.key_file,
            "client": pki.client.full_chain_file,
            "client_only": pki.client.cert_file,
            "client_key": pki.client.key_file,
            "new": pki.enrolled.cert_file,
            "key": pki.enrolled.key_file,
            "csr": pki.enrolled.csr_file(),
            "other_root": pki.other_root.cert_file,
            "second": pki.second_server.cert_file,
            "unusable": pki.unusable_server.cert_file,
            "unusable_key": pki.unusable_server.key_file,
            "expired": pki.expired_server.cert_file,
            "expired_key": pki.expired_server.key_file,
            "maker": pki.key_maker.cert_file,
            "maker_key": pki.key_maker.key_file,
            "rsa": pki.rsa_client.full_chain_file,
            "rsa_key": pki.rsa_client.key_file,
        }
        self.serial = str(pki.enrolled.certificate.serial_number)
        self.issuer = pki.issuing.slash_subject
        self._keys(pki)
        self._crls(pki)
        self._add("conf", _CONFIG.replace("REFERENCE", str(pki.enrolled.cert_file)).encode())
        self._add("password", f"{PASSWORD}\nnot this\n".encode())
        self._add("secret", b"secret\n")
        self._add("random", bytes(range(256)) * 8)

    def _add(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.write_bytes(data)
        self.paths[name] = path

    def _keys(self, pki: PKI) -> None:
        key, cert = pki.client.key, pki.client.certificate
        secret = serialization.BestAvailableEncryption(PASSWORD.encode())
        form = serialization.PrivateFormat.PKCS8
        self._add("encrypted", key.private_bytes(serialization.Encoding.PEM, form, secret))
        plain = serialization.NoEncryption()
        self._add("key_der", key.private_bytes(serialization.Encoding.DER, form, plain))
        self._add("p12", pkcs12.serialize_key_and_certificates(b"x", key, cert, pki.client.chain, secret))
        self._add("cert_der", cert.public_bytes(serialization.Encoding.DER))
        public = pki.enrolled.key.public_key()
        self._add(
            "public",
            public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        )
        csr = x509.load_pem_x509_csr(self.paths["csr"].read_bytes())
        self._add("csr_der", csr.public_bytes(serialization.Encoding.DER))

    def _crls(self, pki: PKI) -> None:
        """Two CRLs of the issuing CA, one a day older than the other."""
        for name, age in (("old_crl", 2), ("crl", 1)):
            start = pki.issuing.certificate.not_valid_before_utc - age * DAY
            builder = x509.CertificateRevocationListBuilder(pki.issuing.subject, start, start + 60 * DAY)
            signed = builder.sign(pki.issuing.key, hashes.SHA256())
            self._add(name, signed.public_bytes(serialization.Encoding.PEM))

    def messages(self) -> None:
        """Requests and answers of an enrolment, by ``openssl cmp`` with its own mock server."""
        line = "{mock} {mac} {ir} -reqout req1,req2 -rspout rsp1,rsp2"
        openssl.run(["cmp", *self.expand(line)], cwd=self.folder).must()
        for name in ("req1", "req2", "rsp1", "rsp2"):
            self.paths[name] = self.folder / name

    def expand(self, line: str) -> list[str]:
        """The words of a line."""
        line = unfold(line)
        words = [
            word.format(serial=self.serial, issuer=self.issuer, **self.paths)
            for word in shlex.split(line, posix=True)
        ]
        return words if "-config" in words else ["-config", "", "-batch", *words]


def unfold(line: str) -> str:
    """A line with its groups of options written out."""
    groups = {
        "mock": "-use_mock_srv {srv}",
        "srv": "-srv_ref ref -srv_secret pass:secret -srv_cert {server} -srv_key {server_key} "
        "-srv_trusted {root} -srv_untrusted {issuing} {rsp}",
        "rsp": "-rsp_cert {new} -rsp_extracerts {issuing} -rsp_capubs {root}",
        "mac": "-ref ref -secret pass:secret",
        "sig": "-cert {client} -key {client_key} -trusted {root} -untrusted {issuing}",
        "ir": "-cmd ir {ask}",
        "ask": "-newkey {key} -subject /CN=x -certout new.pem",
    }
    for name, options in groups.items():
        line = line.replace("{" + name + "}", options)
    return line


def outcome(folder: Path) -> dict[str, Any]:
    """What the files in a folder say, by name."""
    return {path.name: _content(path) for path in sorted(folder.iterdir())}


def _content(path: Path) -> Any:
    data = path.read_bytes()
    if b"PRIVATE KEY" in data:
        return "encrypted key" if b"ENCRYPTED" in data else "key"
    if path.suffix == ".rnd":
        return len(data)
    try:
        return _message(Message.from_der(data))
    except ValueError:
        return data


def _message(message: Message) -> list[Any]:
    """What does not change from one run to the next."""
    header, body = message.header, message.body
    protection = header.protection_alg
    pbm = header.pbm
    told: list[Any] = [
        message.type,
        header.sender_der,
        header.recipient_der,
        header.sender_kid,
        sorted((item.oid.dotted_string, item.value or b"") for item in header.general_info),
        protection and protection.oid,
        pbm and (pbm.owf.oid, pbm.mac.oid),
    ]
    if isinstance(body, CertReqMessages):
        for request in body.requests:
            template = request.template
            told += [template.subject_der, template.issuer_der, template.public_key_der]
            told += [template.extensions_der, (template.not_before, template.not_after).count(None)]
            told += [control.oid for control in request.controls]
    elif isinstance(body, RevReq):
        told += [(item.template.issuer_der, item.template.serial_number) for item in body.details]
        told += [item.crl_entry_extensions_der for item in body.details]
    elif isinstance(body, GeneralMessage):
        told += [(item.oid.dotted_string, item.value) for item in body.items]
    elif isinstance(body, PKCS10Request):
        told.append(body.csr_der)
    return told
