"""Clients whose certificates, names and CSRs libcrypto takes and ``cryptography`` does not read."""

from __future__ import annotations

import datetime
import json
import ssl
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support import openssl
from support.forge import CR, Forger, read
from support.odd import FIELDS, KINDS, NAME, PLAIN, odd_csr, odd_identity, with_field
from support.pki import DAY, PKI, Identity, make_name

import osslcmp
from osslcmp import BodyType, Client, InfoTypeAndValue, Message, PKIStatus, RejectedError, Trace, general
from osslcmp._asn1 import der
from osslcmp._asn1.x509_parts import read_extensions, read_name
from osslcmp.message.data import data
from osslcmp.server import Authority, EmbeddedCA, Issued, Server, ServerTLS
from osslcmp.server.ca import issuing
from osslcmp.server.ca.store import Store
from osslcmp.server.http.events import Answered
from osslcmp.server.http.tls import context
from osslcmp.server.persistent import PersistentServer


class Asked(EmbeddedCA):
    """Keeps what it was asked."""

    request: Any

    def issue(self, request: Any) -> Any:
        self.request = request
        return super().issue(request)


@pytest.mark.parametrize("kind", KINDS)
def test_device_of_a_factory(kind: str, pki: PKI) -> None:
    """It enrols, updates and revokes by the certificate of its factory; of a path that libcrypto refuses it tells why."""
    name = make_name(PLAIN if kind == "printable" else NAME)
    root = pki.issue("server_odd_root", subject=name, ca=True)
    me = pki.issue("server_odd", root, subject=name)
    anchor, own = odd_identity(kind, root, root), odd_identity(kind, me, root)
    ca = Asked()
    client = Client(
        transport=ca.server(trusted=anchor), certificate=own, key=me.key, chain=[anchor], trusted=ca.root
    )
    key = ec.generate_private_key(ec.SECP256R1())
    if kind == "seconds":
        with pytest.raises(Exception, match=r"time|notBefore"):
            client.ir(key, subject=name)
        return
    first = client.ir(key, subject=name)
    assert Server(ca, certificate=own, key=me.key).certificate_der == own
    assert ca.request.signer_der == own
    assert ca.request.signer.subject == name
    assert ca.request.signer.serial_number == me.certificate.serial_number
    assert ca.request.signer.public_key() == me.certificate.public_key()
    assert first.certificate.subject == name
    second = Client(transport=ca.server(), certificate=first.certificate, key=key, trusted=ca.root).kur()
    Client(transport=ca.server(), certificate=second.certificate, key=key, trusted=ca.root).rr()


class Issuing(Authority):
    """A CA that hands out a certificate that is odd, and is above it itself."""

    confirmed: Any = None

    def __init__(self, *issued: bytes) -> None:
        self.issued, self.root = issued

    def shared_secret(self, reference: bytes) -> bytes:
        return reference

    def issue(self, request: Any) -> Issued:
        self.asked = request
        return Issued(self.issued, [self.root], [self.root])

    def confirm(self, confirmation: Any) -> None:
        self.confirmed = confirmation


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_odd_certificates_are_issued(kind: str, implicit: bool, pki: PKI, tmp_path: Path) -> None:
    """And confirmed, by a server that forgets all but its database, too."""
    name = make_name(PLAIN if kind == "printable" else NAME)
    root = pki.issue("issuing_odd_root", subject=name, ca=True)
    me = pki.issue("issuing_odd", root, subject=name)
    anchor, own = odd_identity(kind, root, root), odd_identity(kind, me, root)
    authority = Issuing(own, anchor)
    with closing(Store.in_file(tmp_path / "ca.db")) as store:
        servers: list[Any] = [Server(authority), PersistentServer(authority, store)]
        for server in servers:
            trace = Trace()
            client = Client(transport=server, reference="ref", secret="ref", trace=trace)
            enrollment = client.ir(me.key, subject=name, implicit_confirm=implicit)
            assert enrollment.certificate_der == own
            assert enrollment.ca_pubs_der == [anchor]
            asked, answer = (entry.der or b"" for entry in trace.entries[:2])
            (event,) = Answered("::1", asked, answer, HTTPStatus.OK, b"", 0.1).events
            assert (event.event, event.serial) == ("issued", f"{me.certificate.serial_number:x}")
            assert (authority.confirmed.accepted, authority.confirmed.implicit) == (True, implicit)
            assert authority.confirmed.certificate.serial_number == me.certificate.serial_number
            assert authority.confirmed.certificate.public_key() == me.key.public_key()


@pytest.mark.parametrize("kind", FIELDS)
def test_certificates_that_make_no_sense_are_issued(kind: str, pki: PKI, tmp_path: Path) -> None:
    """What libcrypto reads is the authority's affair: it goes out as DER, and its confirmation comes back."""
    own = with_field(kind, pki.enrolled.certificate)
    authority, output = Issuing(own, pki.root.certificate.public_bytes(Encoding.DER)), tmp_path / "out.der"
    trace = Trace()
    client = Client(transport=Server(authority), reference="ref", secret="ref", trace=trace)
    csr = odd_csr(pki.enrolled)
    enrollment = client.p10cr(csr)
    assert enrollment.certificate_der == own
    assert authority.confirmed.accepted
    assert authority.confirmed.certificate.serial_number == pki.enrolled.certificate.serial_number
    answer = trace.entries[1].der or b""
    told = json.loads(json.dumps(data(Message.from_der(answer))))["body"]["responses"][0]["certificate"]
    if kind in ("30 February", "leap second", "no zone", "no time"):
        assert told["not_before"] is None
    else:
        assert datetime.datetime.fromisoformat(told["not_before"].replace("Z", "+00:00"))
    output.write_bytes(own)
    openssl.run(["x509", "-inform", "DER", "-in", str(output), "-noout", "-serial"]).must()


@pytest.mark.parametrize("where", ["memory", "database"])
@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"seconds"}))  # with those libcrypto validates no path
def test_odd_ca(kind: str, where: str, pki: PKI, tmp_path: Path) -> None:
    """Its own certificates go out as they are; what it issues is good for ``openssl``."""
    name = make_name(PLAIN if kind == "printable" else NAME)
    root = pki.issue("ca_odd_root", subject=name, ca=True)
    issuing_ca = pki.issue(
        "ca_odd", root, subject=make_name(PLAIN if kind == "printable" else NAME, "x"), ca=True
    )
    anchor, own = odd_identity(kind, root, root), odd_identity(kind, issuing_ca, root)
    pairs: Any = {"root": (anchor, root.key), "issuer": (ssl.DER_cert_to_PEM_cert(own), issuing_ca.key)}
    secrets = {"ref": "secret"}
    ca = EmbeddedCA(secrets, **pairs) if where == "memory" else EmbeddedCA.open(tmp_path, secrets, **pairs)
    client = Client(transport=ca.server(), reference="ref", secret="secret")
    key = ec.generate_private_key(ec.SECP256R1())
    enrollment = client.ir(key, subject="CN=x")
    assert (enrollment.chain_der[0], enrollment.ca_pubs_der) == (own, [anchor])
    assert ca.root.subject == name
    assert client.genm([InfoTypeAndValue(general.CA_CERTS)])[0].value == der.encode(der.SEQUENCE, own, anchor)
    member = Client(
        transport=ca.server(), certificate=enrollment.certificate_der, key=key, chain=own, trusted=anchor
    )
    member.rr(member.kur(ec.generate_private_key(ec.SECP256R1())).certificate)
    files = {"leaf": enrollment.certificate_der, "own": own, "anchor": anchor}
    for file, contents in files.items():
        (tmp_path / file).write_text(ssl.DER_cert_to_PEM_cert(contents))
    openssl.verify(tmp_path / "leaf", trusted=tmp_path / "anchor", untrusted=tmp_path / "own").must()
    if where == "database":
        assert ssl.PEM_cert_to_DER_cert((tmp_path / "root.pem").read_text()) == anchor
        ca.close()  # type: ignore[attr-defined]


def test_ca_since_the_year_0(pki: PKI, tmp_path: Path) -> None:
    """``openssl`` takes it, and what it issues; Python knows no such year."""
    root = changed(pki.root, None, validity=moments("00000101000000Z", "20400101000000Z"))
    pairs: Any = dict.fromkeys(("root", "issuer"), (root, pki.root.key))
    ca = EmbeddedCA({"ref": "secret"}, **pairs)
    enrollment = Client(transport=ca.server(), reference="ref", secret="secret").ir(
        pki.root.key, subject="CN=x"
    )
    for name, contents in (("root", root), ("leaf", enrollment.certificate_der)):
        (tmp_path / name).write_text(ssl.DER_cert_to_PEM_cert(contents))
    openssl.verify(tmp_path / "leaf", trusted=tmp_path / "root").must()


@pytest.mark.parametrize("protection", ["mac", "signature"])
def test_signer_without_key_identifier(protection: str, pki: PKI) -> None:
    """The server signs with it as OpenSSL does, and does not name the client's secret as its key."""
    builder = x509.CertificateBuilder().subject_name(make_name("no identifier")).issuer_name(pki.root.subject)
    builder = builder.public_key(pki.server.key.public_key()).serial_number(5)
    builder = builder.not_valid_before(pki.root.certificate.not_valid_before_utc)
    builder = builder.not_valid_after(pki.root.certificate.not_valid_after_utc)
    signer = builder.sign(pki.root.key, hashes.SHA256())
    server = EmbeddedCA({"ref": "secret"}).server(
        certificate=signer, key=pki.server.key, trusted=pki.root.certificate, sign_always=True
    )
    mine: dict[str, Any] = {"reference": "ref", "secret": "secret"}
    if protection == "signature":
        mine = {"certificate": pki.client.certificate, "key": pki.client.key, "chain": pki.client.chain}
    client = Client(transport=server, trusted=pki.root.certificate, **mine)
    client.ir(pki.enrolled.key, subject="CN=x")
    with pytest.raises(RejectedError, match="EC keys"):
        client.ir(ec.generate_private_key(ec.SECP192R1()), subject="CN=x")


def test_ca_that_has_expired(pki: PKI) -> None:
    """Is told by its name when its server is made; while it runs, what is asked for is refused."""
    root = pki.issue("expired_ca", ca=True, starts=-9 * DAY, ends=-DAY)
    ca = EmbeddedCA({"ref": "secret"}, root=(root.certificate, root.key), issuer=(root.certificate, root.key))
    with pytest.raises(ValueError, match="of the CA has expired: CN=expired_ca"):
        ca.server()
    server = ca.server(certificate=pki.server.certificate, key=pki.server.key)
    client = Client(transport=server, reference="ref", secret="secret")
    with pytest.raises(RejectedError, match="certificate of the CA ends before"):
        client.ir(pki.enrolled.key, subject="CN=x")


def moments(begin: str, end: str) -> bytes:
    """A Validity of GeneralizedTimes."""
    return der.encode(der.SEQUENCE, *(der.encode(der.GENERALIZED_TIME, one.encode()) for one in (begin, end)))


def changed(who: Identity, signer: Identity | None = None, /, **fields: bytes) -> bytes:
    """Its certificate, signed by itself if by nobody else, with other fields, as DER."""
    names = ("version", "serial", "algorithm", "issuer", "validity", "subject", "key", "extensions")
    tbs, algorithm, _ = der.sequence(who.certificate.public_bytes(Encoding.DER))
    whole = dict(zip(names, (one.encoding for one in der.children(tbs.content)), strict=True)) | fields
    new = der.encode(der.SEQUENCE, *whole.values())
    key = (signer or who).key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signature = key.sign(new, ec.ECDSA(hashes.SHA256()))
    return der.encode(der.SEQUENCE, new, algorithm.encoding, der.encode(der.BIT_STRING, b"\0" + signature))


def extensions(*pairs: tuple[str, bytes]) -> bytes:
    """Critical extensions: OIDs below 2.5.29 with their values."""
    made = (
        der.encode(
            der.SEQUENCE, der.encode_oid(f"2.5.29.{oid}"), b"\1\1\xff", der.encode(der.OCTET_STRING, value)
        )
        for oid, value in pairs
    )
    return der.encode(der.explicit(3), der.encode(der.SEQUENCE, *made))


def common_name(value: bytes) -> bytes:
    """A Name with this common name as DER."""
    attribute = der.encode(der.SEQUENCE, der.encode_oid("2.5.4.3"), value)
    return der.encode(der.SEQUENCE, der.encode(0x31, attribute))


CA, SIGNS = ("19", b"\x30\3\1\1\xff"), ("15", b"\3\2\1\6")


@pytest.mark.parametrize("where", ["memory", "database"])
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"validity": moments("00010101000000+0100", "20400101000000Z")},
            "format error",
        ),
        (
            {"validity": moments("20250101000000Z", "99991231235959-0100")},
            "format error",
        ),
        ({"validity": moments("20250101000000.5Z", "20400101000000Z")}, "format error|does not decode"),
        ({"validity": moments("20250101000000Z", "20240101000000Z")}, "validity ends before it begins"),
        ({"extensions": extensions(("19", b"\x30\0"))}, "invalid CA certificate"),
        ({"extensions": extensions(CA, ("15", b"\3\2\7\x80"))}, "invalid CA certificate"),
        ({"extensions": extensions(CA, SIGNS, ("99", b"\5\0"))}, "unhandled critical extension"),
        ({"extensions": extensions(CA, CA)}, "OpenSSL does not take what is issued"),
        ({"extensions": extensions(CA, SIGNS, ("14", b"\2\1\1"))}, "extension 2.5.29.14 cannot be read"),
        (
            dict.fromkeys(("subject", "issuer"), common_name(b"\x30\0")),
            "attribute 2.5.4.3 is no string: 3000",
        ),
    ],
)
def test_ca_that_nobody_would_trust(
    fields: dict[str, bytes], reason: str, where: str, pki: PKI, tmp_path: Path
) -> None:
    """Is refused when it is made, not by the first client's path validation."""
    root = changed(pki.root, None, **fields)
    pairs: Any = dict.fromkeys(("root", "issuer"), (root, pki.root.key))
    with pytest.raises(ValueError, match=f"^(root, issuer|certificate of the CA): .*({reason})"):
        EmbeddedCA(**pairs) if where == "memory" else EmbeddedCA.open(tmp_path, **pairs)
    assert not list(tmp_path.glob("*.pem"))


@pytest.mark.parametrize(
    "fields",
    [
        {"validity": moments("00010101000000Z", "99991231235959Z")},
        dict.fromkeys(("subject", "issuer"), der.encode(der.SEQUENCE)),
        # Names that cryptography does not know.
        {"extensions": extensions(CA, SIGNS, ("17", b"\x30\4\xa3\2\x30\0"))},
        {"extensions": extensions(CA, SIGNS, ("17", b"\x30\7\xa5\5\xa1\3\x0c\1a"))},
        {"extensions": extensions(CA, SIGNS, ("30", b"\x30\x0d\xa0\x0b\x30\x09\x82\7example"))},
    ],
)
def test_odd_ca_that_libcrypto_trusts(fields: dict[str, bytes], pki: PKI, tmp_path: Path) -> None:
    root = changed(pki.root, None, **fields)
    pair: Any = root, pki.root.key
    ca = EmbeddedCA({"ref": "secret"}, root=pair, issuer=pair)
    issued = Client(transport=ca.server(), reference="ref", secret="secret").ir(
        pki.enrolled.key, subject="O=x"
    )
    assert issued.ca_pubs_der == [root]
    (tmp_path / "root").write_text(ssl.DER_cert_to_PEM_cert(root))
    (tmp_path / "leaf").write_text(ssl.DER_cert_to_PEM_cert(issued.certificate_der))
    openssl.verify(tmp_path / "leaf", trusted=tmp_path / "root").must()


def test_ca_whose_validity_has_not_begun(pki: PKI) -> None:
    """It issues for later, and tells who asks for now."""
    pair: Any = changed(pki.root, validity=moments("20700101000000Z", "20900101000000Z")), pki.root.key
    ca = EmbeddedCA({"ref": "secret"}, root=pair, issuer=pair)
    client = Client(transport=ca.server(), reference="ref", secret="secret")
    with pytest.raises(RejectedError, match="validity ends before that of the CA begins"):
        client.ir(pki.enrolled.key, subject="CN=x")


@pytest.mark.parametrize("value", [b"\x30\0", b"\x30\3\2\1\1", b"\3\2\0\xaa", b"\x09\1\x40"])
def test_names_that_are_no_strings(value: bytes, pki: PKI) -> None:
    """Devices with them enrol, and get certificates with them from who has them; the embedded CA cannot certify them."""
    name = common_name(value)
    text = f"CN=\\#{value.hex()}"
    anchor = changed(pki.root, subject=name, issuer=name)
    own = changed(pki.issuing, pki.root, subject=name, issuer=name)
    ca = Asked({"ref": "secret"})
    client = Client(
        transport=ca.server(trusted=anchor), certificate=own, key=pki.issuing.key, trusted=ca.root
    )
    client.ir(pki.enrolled.key, subject="CN=x")
    assert ca.request.signer_der == own
    assert ca.request.signer.subject.rfc4514_string() == text
    authority = Issuing(x509.load_der_x509_certificate(anchor), anchor)  # type: ignore[arg-type]
    issued = Client(transport=Server(authority), reference="ref", secret="ref").ir(
        pki.root.key, subject="CN=x"
    )
    assert issued.certificate_der == anchor
    assert authority.confirmed.certificate.subject.rfc4514_string() == text
    key = ec.generate_private_key(ec.SECP256R1())
    answer = read(ca.server().process(Forger().request(CR, key=key, name=name)))
    assert answer.text == f"malformed template: subject: attribute 2.5.4.3 is no string: {value.hex()}"


def test_what_is_no_certificate_is_not_issued() -> None:
    with pytest.raises(ValueError, match="certificate: no certificate in PEM, DER"):
        Issued(b"none")
    with pytest.raises(ValueError, match="chain: no certificate in PEM, DER"):
        Issued(EmbeddedCA().root, [b"none"])


def test_odd_names() -> None:
    """They are those with the same texts: of who sends, of what is asked for, of what is updated and revoked."""
    ca = Asked({"ref": "secret"})
    key = ec.generate_private_key(ec.SECP256R1())
    odd = b"\x30\x0f1\x0d0\x0b\x06\x03U\x04\x03\x13\x04a@!*"
    assert read_name(odd) == x509.Name.from_rfc4514_string("CN=a@!*")
    assert read_name(b"\x30\x0d1\x0b0\x09\x06\x03U\x04\x03\x14\x02\xe4b").rfc4514_string() == "CN=\u00e4b"
    server = ca.server()
    forger = Forger(sender=der.encode(der.explicit(4), odd))
    answer = read(server.process(forger.request(CR, key=key, name=odd)))
    assert (answer.kind, answer.status) == (BodyType.CP, PKIStatus.accepted)


def test_csr_of_windows(pki: PKI) -> None:
    """Its attributes are in no order."""
    client = Client(transport=EmbeddedCA({"ref": "secret"}).server(), reference="ref", secret="secret")
    issued = client.p10cr(odd_csr(pki.enrolled)).certificate
    assert issued.public_key() == pki.enrolled.key.public_key()
    assert issued.subject == pki.enrolled.subject


def asking(oid: str, *names: bytes) -> bytes:
    """An attribute that asks for alternative names."""
    value = der.encode(der.OCTET_STRING, der.encode(der.SEQUENCE, *names))
    extension = der.encode(der.SEQUENCE, der.encode_oid("2.5.29.17"), value)
    return der.encode(
        der.SEQUENCE, der.encode_oid(oid), der.encode(0x31, der.encode(der.SEQUENCE, extension))
    )


DNS = der.encode(0x82, b"a.example")
PLAIN_NAME = b"\x30\x0f1\x0d0\x0b\x06\x03U\x04\x03\x0c\x04a.a."
PKCS9, MICROSOFT = "1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14"


@pytest.mark.parametrize(
    ("version", "attributes", "parameters", "names"),
    [
        (0, None, b"", ()),
        (2, b"", b"", ()),
        (0, b"", b"\x05\x00", ()),
        (0, asking(MICROSOFT, DNS), b"", ("a.example",)),
        (0, asking(PKCS9, DNS) + asking(MICROSOFT, DNS), b"", ("a.example",)),
    ],
    ids=["no attributes", "version 3", "ECDSA with NULL", "of Microsoft", "of both"],
)
def test_other_csr(version: int, attributes: bytes | None, parameters: bytes, names: tuple[str, ...]) -> None:
    """What libcrypto reads is certified, with all that is asked for."""
    if version and osslcmp.openssl_version >= (3, 1, 0):
        pytest.skip("X509_REQ_verify of this OpenSSL verifies version 1 only")
    key = ec.generate_private_key(ec.SECP256R1())
    info = der.encode(
        der.SEQUENCE,
        der.encode_integer(version),
        PLAIN_NAME,
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        b"" if attributes is None else der.encode(der.explicit(0), attributes),
    )
    signature = key.sign(info, ec.ECDSA(hashes.SHA256()))
    algorithm = der.encode(der.SEQUENCE, der.encode_oid("1.2.840.10045.4.3.2"), parameters)
    csr = der.encode(der.SEQUENCE, info, algorithm, der.encode(der.BIT_STRING, b"\0" + signature))
    server = EmbeddedCA({"ref": "secret"}).server(strictness="openssl")  # the profile wants version 1
    issued = Client(transport=server, reference="ref", secret="secret").p10cr(csr).certificate
    assert issued.public_key() == key.public_key()
    if names:
        found = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert tuple(found.get_values_for_type(x509.DNSName)) == names


def test_reason_is_told(pki: PKI) -> None:
    """Of what cannot be certified the client hears more than that it is malformed."""
    san = x509.UnrecognizedExtension(
        x509.SubjectAlternativeName.oid, der.encode(der.SEQUENCE, der.encode(0x87, b"abc"))
    )
    client = Client(transport=EmbeddedCA({"ref": "secret"}).server(), reference="ref", secret="secret")
    extension = x509.Extension(oid=san.oid, critical=False, value=san)
    with pytest.raises(
        RejectedError, match=r"malformed template: extension 2\.5\.29\.17: .* does not appear to be an IPv4"
    ):
        client.ir(pki.enrolled.key, subject="CN=x", extensions=[extension])


def test_one_odd_extension_hides_no_other(pki: PKI) -> None:
    """Who is a registration authority is one, whatever else its certificate says."""
    san = x509.UnrecognizedExtension(
        x509.SubjectAlternativeName.oid, der.encode(der.SEQUENCE, der.encode(0xA3, b""))
    )
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(pki.root.subject).issuer_name(pki.root.subject)
    builder = builder.public_key(pki.root.key.public_key()).serial_number(1)
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(san, critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([issuing.CMC_RA]), critical=False)
    certificate = builder.sign(pki.root.key, hashes.SHA256())
    with pytest.raises(x509.UnsupportedGeneralNameType):
        certificate.extensions  # noqa: B018
    assert issuing.is_ra(certificate)
    assert issuing.path_length(certificate) is None


def test_defaults_written_out() -> None:
    """Extensions with critical FALSE, and with a cA that is FALSE."""
    oid, false = der.encode_oid("2.5.29.19"), b"\x01\x01\x00"
    value = der.encode(der.OCTET_STRING, der.encode(der.SEQUENCE, false))
    extensions = read_extensions(der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, oid, false, value)))
    (found,) = extensions
    assert found == x509.Extension(oid=found.oid, critical=False, value=x509.BasicConstraints(False, None))


def test_https(pki: PKI) -> None:
    """The certificates of a server and of the CAs of its clients are Python's ``ssl`` to read."""
    name = make_name(NAME)
    root = pki.issue("tls_odd_root", subject=name, ca=True)
    me = pki.issue("tls_odd", root, subject=name)
    own, anchor = odd_identity("t61", me, root), odd_identity("t61", root, root)
    made = context(ServerTLS(certificate=own, key=me.key, chain=anchor, trusted=anchor))
    assert made.get_ca_certs(binary_form=True) == [anchor]
