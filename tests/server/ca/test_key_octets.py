"""Keys of CAs and clients of every kind: what is signed and certified is what the keys say, octet by octet."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from support import openssl
from support.forge import RR, Forger, read
from support.persistent import ca_in
from support.pki import make_key, make_name

import osslcmp
from osslcmp import FailureInfo, PKIStatus, RevocationReason
from osslcmp._asn1 import der, oids, x509_parts
from osslcmp.server import EmbeddedCA, Grants, MalformedMessageError, Server, token_key
from osslcmp.server.ca import general

PSS = ("RSA-PSS", "rsa_keygen_bits:2048")
BOUND = ("rsa_pss_keygen_md:sha384", "rsa_pss_keygen_mgf1_md:sha384", "rsa_pss_keygen_saltlen:48")
CAS: dict[str, tuple[str, ...]] = {
    "rsa": ("RSA", "rsa_keygen_bits:2048"),
    "pss": PSS,
    "pss-sha384": (*PSS, *BOUND),
    "p-256": ("EC", "ec_paramgen_curve:P-256"),
    "p-384": ("EC", "ec_paramgen_curve:P-384"),
    "p-521": ("EC", "ec_paramgen_curve:P-521"),
    "brainpool": ("EC", "ec_paramgen_curve:brainpoolP384r1"),
    "ed25519": ("ED25519",),
    "ed448": ("ED448",),
}
#: Kinds that libcrypto certifies and ``cryptography`` does not know, or not as keys of CAs.
DEVICES = {
    **CAS,
    **{
        curve: ("EC", f"ec_paramgen_curve:{curve}")
        for curve in (
            "secp224k1", "prime239v2", "brainpoolP256t1", "brainpoolP512t1", "sect233k1", "sect283r1", "c2pnb272w1",
            "wap-wsg-idm-ecid-wtls12", "SM2",
        )
    },
}  # fmt: skip
if osslcmp.openssl_version >= (3, 5):
    DEVICES |= {"ml-dsa": ("ML-DSA-65",), "slh-dsa": ("SLH-DSA-SHA2-128f",)}


def run(*words: str) -> openssl.Run:
    return openssl.run(words)


def new_key(directory: Path, kind: str, name: str) -> Path:
    algorithm, *options = DEVICES[kind]
    file = directory / f"{name}.key"
    more = [word for option in options for word in ("-pkeyopt", option)]
    run("genpkey", "-algorithm", algorithm, *more, "-out", str(file)).must()
    return file


def new_ca(directory: Path, kind: str) -> tuple[x509.Certificate, object]:
    key, file = new_key(directory, kind, "root"), directory / "root.pem"
    run(
        "req",
        "-x509",
        "-new",
        "-key",
        str(key),
        "-subj",
        f"/CN=CA with {kind}",
        "-days",
        "9",
        "-out",
        str(file),
        "-addext",
        "keyUsage=critical,digitalSignature,keyCertSign,cRLSign",
    ).must()
    return x509.load_pem_x509_certificate(file.read_bytes()), load_pem_private_key(key.read_bytes(), None)


def csr(directory: Path, key: Path, *options: str) -> bytes:
    file = directory / "csr.der"
    run(
        "req", "-new", "-key", str(key), "-subj", "/CN=device", "-outform", "DER", "-out", str(file), *options
    ).must()
    return file.read_bytes()


def client(ca: EmbeddedCA) -> osslcmp.Client:
    return osslcmp.Client(transport=ca.server(strictness="rfc9810"), reference="ref", secret="secret")


@pytest.mark.parametrize("place", ["object", "store"])
@pytest.mark.parametrize("kind", CAS)
def test_signed_as_the_key_of_the_ca_says(kind: str, place: str, tmp_path: Path) -> None:
    """Certificates, CRLs and the certificate of the CMP server are good for ``openssl``."""
    pair = new_ca(tmp_path, kind)
    if place == "store":  # as if it were in a token
        pair = (pair[0], token_key(f"file:{tmp_path / 'root.key'}"))
    ca = EmbeddedCA({"ref": "secret"}, root=pair, issuer=pair)  # type: ignore[arg-type]
    request = csr(tmp_path, new_key(tmp_path, "p-256", "device"))
    try:
        enrollment = client(ca).p10cr(request)
    except osslcmp.ConfirmError as error:
        # Since SHAKE256 has no default length (3.4), libcrypto makes no certConf for a signature by Ed448.
        assert (kind, osslcmp.openssl_version >= (3, 4)) == ("ed448", True)
        enrollment = error.enrollment
    client(ca).rr(enrollment.certificate, reason=RevocationReason.superseded)
    own = ca.server().certificate
    assert own is not None
    leaf, server, crl = tmp_path / "leaf.pem", tmp_path / "server.pem", tmp_path / "crl.pem"
    leaf.write_bytes(enrollment.certificate.public_bytes(Encoding.PEM))
    server.write_bytes(own.public_bytes(Encoding.PEM))
    crl.write_bytes(ca.crl().public_bytes(Encoding.PEM))
    root = str(tmp_path / "root.pem")
    run("verify", "-CAfile", root, str(leaf), str(server)).must()
    assert "verify OK" in run("crl", "-in", str(crl), "-CAfile", root, "-noout").must().text
    checked = run("verify", "-CAfile", root, "-CRLfile", str(crl), "-crl_check", str(leaf))
    assert "certificate revoked" in checked.must(2).text
    run("verify", "-CAfile", root, "-CRLfile", str(crl), "-crl_check", str(server)).must()
    if kind == "pss-sha384":
        assert "Salt Length: 0x30" in openssl.x509_text(leaf)


@pytest.mark.parametrize("kind", ["p-256", "pss"])
@pytest.mark.parametrize("device", [*DEVICES, "compressed"])
def test_certified_octet_by_octet(kind: str, device: str, tmp_path: Path) -> None:
    """By a CA whose key is of another kind, too; our own client takes the certificate."""
    pair = new_ca(tmp_path, kind)
    key = new_key(tmp_path, "p-256" if device == "compressed" else device, "device")
    if device == "compressed":
        run("ec", "-in", str(key), "-conv_form", "compressed", "-out", str(key)).must()
    request = csr(tmp_path, key)
    ca = EmbeddedCA({"ref": "secret"}, root=pair, issuer=pair)  # type: ignore[arg-type]
    certificate = client(ca).p10cr(request).certificate
    info = x509_parts.public_key_info(certificate)
    assert info in request
    leaf = tmp_path / "leaf.pem"
    leaf.write_bytes(certificate.public_bytes(Encoding.PEM))
    run("verify", "-x509_strict", "-CAfile", str(tmp_path / "root.pem"), str(leaf)).must()
    if device.startswith("pss"):
        assert "rsassaPss" in openssl.x509_text(leaf)
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        assert not usage.key_encipherment


def test_explicit_parameters_are_refused(tmp_path: Path) -> None:
    """Before they are decoded; where a limit lets them in, too: libcrypto validates no path with them."""
    key = tmp_path / "device.key"
    run(
        "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit",
        "-out", str(key),
    ).must()  # fmt: skip
    ca, request = EmbeddedCA({"ref": "secret"}), csr(tmp_path, key)
    with pytest.raises(MalformedMessageError, match="explicit_curves"):
        client(ca).p10cr(request)
    lenient = ca.server(strictness="rfc9810", limits=osslcmp.Limits(explicit_curves=1))
    with pytest.raises(osslcmp.RejectedError, match="name its curve") as caught:
        osslcmp.Client(transport=lenient, reference="ref", secret="secret").p10cr(request)
    assert caught.value.failure_info == FailureInfo.badCertTemplate


def test_a_key_that_cannot_sign_is_refused_when_the_ca_is_made(tmp_path: Path) -> None:
    root, key = new_ca(tmp_path, "rsa")
    _, other = new_ca(tmp_path, "p-256")
    with pytest.raises(ValueError, match="does not match"):
        EmbeddedCA(root=(root, other), issuer=(root, other))  # type: ignore[arg-type]
    EmbeddedCA(root=(root, key), issuer=(root, key))  # type: ignore[arg-type]


def _info(key: Any) -> bytes:
    info: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return info


def _point(form: str) -> Callable[[Any, Path], bytes]:
    def write(key: Any, directory: Path) -> bytes:
        file = directory / "info.der"
        (directory / "point.pem").write_bytes(
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        run(
            "ec", "-pubin", "-in", str(directory / "point.pem"), *form.split(), "-outform", "DER", "-out", str(file)
        ).must()  # fmt: skip
        return file.read_bytes()

    return write


def _rsa(oid: str, *parameters: bytes) -> Callable[[Any, Path], bytes]:
    identifier = der.encode(der.SEQUENCE, der.encode_oid(oid), *parameters)
    return lambda key, _: der.encode(der.SEQUENCE, identifier, der.sequence(_info(key))[1].encoding)


#: Other SubjectPublicKeyInfos of a key.
FORMS: dict[str, Callable[[Any, Path], bytes]] = {
    "compressed": _point("-conv_form compressed"),
    "hybrid": _point("-conv_form hybrid"),
    "explicit": _point("-param_enc explicit"),
    "explicit, compressed": _point("-param_enc explicit -conv_form compressed"),
    "explicit, hybrid": _point("-param_enc explicit -conv_form hybrid"),
    "no parameters": _rsa(oids.RSA),
    "pss": _rsa(oids.RSA_PSS),
}


def _csr_with(key: Any, info: bytes) -> bytes:
    """A CSR for a key, whose SubjectPublicKeyInfo is as given."""
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if der.encode_oid(oids.RSA_PSS) in info else None
    builder = x509.CertificateSigningRequestBuilder().subject_name(make_name("device"))
    made = builder.sign(key, hashes.SHA256(), rsa_padding=pss)
    asked = made.tbs_certrequest_bytes
    version, subject, _, attributes = (part.encoding for part in der.sequence(asked))
    asked = der.encode(der.SEQUENCE, version, subject, info, attributes)
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(asked, pss or padding.PKCS1v15(), hashes.SHA256())
    else:
        signature = key.sign(asked, ec.ECDSA(hashes.SHA256()))
    algorithm = der.sequence(made.public_bytes(Encoding.DER))[1].encoding
    return der.encode(der.SEQUENCE, asked, algorithm, der.encode(der.BIT_STRING, b"\0" + signature))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("where", ["memory", "sqlite"])
def test_the_same_key_written_otherwise(
    where: str, form: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """It is no other key: not for duplicates, revocation by CSR, nor after a compromise."""
    key = make_key("rsa" if FORMS[form].__qualname__.startswith("_rsa") else "ec")
    info = FORMS[form](key, tmp_path)
    plain, other = _csr_with(key, _info(key)), _csr_with(key, info)
    assert info != _info(key)
    with ca_in(where, tmp_path / "state", request, secrets={"ref": "secret"}, duplicate_keys="refuse") as ca:
        server = ca.server(strictness="rfc9810", limits=osslcmp.Limits(explicit_curves=9))
        cmp = osslcmp.Client(transport=server, reference="ref", secret="secret")
        assert cmp.p10cr(plain)
        with pytest.raises(osslcmp.RejectedError) as caught:
            cmp.p10cr(other)
        assert caught.value.failure_info == FailureInfo.badCertTemplate
        cmp.rr(csr=other, reason=RevocationReason.keyCompromise)
        with pytest.raises(osslcmp.RejectedError, match=r"compromised|name its curve"):
            cmp.p10cr(other)


@pytest.mark.parametrize(
    "form", ["-conv_form compressed", "-conv_form hybrid", "-param_enc explicit -conv_form compressed"]
)
@pytest.mark.parametrize("curve", ["brainpoolP384t1", "secp224k1", "sect283k1"])
def test_a_key_on_a_curve_that_only_openssl_knows(curve: str, form: str, tmp_path: Path) -> None:
    """It is the same however it is written, and shown by its name."""
    key, other = tmp_path / "device.key", tmp_path / "other.key"
    run("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", str(key)).must()
    run("ec", "-in", str(key), *form.split(), "-out", str(other)).must()
    ca = EmbeddedCA({"ref": "secret"}, duplicate_keys="refuse")
    server = ca.server(strictness="rfc9810", limits=osslcmp.Limits(explicit_curves=9))
    trace = osslcmp.Trace()
    cmp = osslcmp.Client(transport=server, reference="ref", secret="secret", trace=trace)
    assert cmp.p10cr(csr(tmp_path, key))
    with pytest.raises(osslcmp.RejectedError, match="valid certificate for this key"):
        cmp.p10cr(csr(tmp_path, other))
    assert sum(f"EC {curve}" in one.summary for one in trace.entries) == 2
    cmp.rr(csr=csr(tmp_path, other), reason=RevocationReason.keyCompromise)
    with pytest.raises(osslcmp.RejectedError, match="compromised"):
        cmp.p10cr(csr(tmp_path, key))


#: Keys that sign nothing, and what they are good for.
SIGNLESS = {
    "X25519": "Key Agreement",
    "X448": "Key Agreement",
    "DH": "Key Agreement",
    "DHX": "Key Agreement",
    "ML-KEM-768": "Key Encipherment",
}


@pytest.mark.parametrize("kind", SIGNLESS)
def test_a_key_that_signs_nothing(kind: str, tmp_path: Path) -> None:
    """An RA vouches for its possession; it is certified for what it can do, once."""
    key, leaf = tmp_path / "device.key", tmp_path / "leaf.pem"
    group = (
        ["-pkeyopt", "group:ffdhe2048"]
        if kind == "DH"
        else ["-pkeyopt", "dh_rfc5114:2"]
        if kind == "DHX"
        else []
    )
    if run("genpkey", "-algorithm", kind, *group, "-out", str(key)).code:
        assert (kind, osslcmp.openssl_version >= (3, 5)) == ("ML-KEM-768", False)
        return
    ca = EmbeddedCA({"ref": "secret"}, duplicate_keys="refuse", grants=Grants(raverified_by_anybody=True))
    server = ca.server(strictness="rfc9810", accept_raverified=True)
    cmp = osslcmp.Client(transport=server, reference="ref", secret="secret")
    certificate = cmp.ir(key, subject="CN=device", popo=osslcmp.POPOMethod.RAVERIFIED).certificate
    leaf.write_bytes(certificate.public_bytes(Encoding.PEM))
    assert f"Key Usage: critical\n                {SIGNLESS[kind]}\n" in openssl.x509_text(leaf)
    public = run("pkey", "-in", str(key), "-pubout").must().out
    assert run("x509", "-in", str(leaf), "-noout", "-pubkey").must().out == public
    with pytest.raises(osslcmp.RejectedError, match="valid certificate for this key"):
        cmp.ir(key, subject="CN=device", popo=osslcmp.POPOMethod.RAVERIFIED)


@pytest.mark.parametrize("where", ["memory", "sqlite"])
def test_names_of_other_string_types(where: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """In PrintableString, as RFC 5280 compares them, with other case and spaces: whose a name is, and which CA is meant."""
    secrets = {"ref": "secret", "other": "secret"}
    with ca_in(where, tmp_path / "state", request, secrets=secrets, name="A CA", grants=Grants()) as ca:
        certificate = client(ca).ir(make_key(), subject="CN=A device").certificate
        subject = _printable(certificate.subject)
        stranger = osslcmp.Client(transport=ca.server(), reference="other", secret="secret")
        with pytest.raises(osslcmp.RejectedError, match="of another client"):
            stranger.ir(make_key(), subject=subject)
        new = client(ca).kur(make_key(), certificate=certificate, subject=subject).certificate
        client(ca).rr(issuer=_printable(certificate.issuer), serial=new.serial_number)
        assert [record.revoked is None for record in ca.records] == [True, False]


def _other(oid: str, tag: int, text: str) -> list[x509.GeneralName]:
    return [x509.OtherName(x509.ObjectIdentifier(oid), der.encode(tag, text.encode()))]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"sans": ["a@b.example"]}, {"sans": _other(oids.SMTP_UTF8_MAILBOX, 0x0C, "a@b.example")}),
        ({"sans": _other("1.2.3.4", 0x0C, "X")}, {"sans": _other("1.2.3.4", 0x13, "x")}),
        ({"subject": "CN=b\u00fccher.example"}, {"sans": ["xn--bcher-kva.example"]}),
    ],
    ids=["SmtpUTF8Mailbox", "string types of an otherName", "internationalised host"],
)
def test_a_name_of_another_client_in_another_form(first: dict[str, Any], second: dict[str, Any]) -> None:
    server = EmbeddedCA({"ref": "secret", "other": "secret"}, grants=Grants()).server()
    subjects = {"subject": "CN=one"}, {"subject": "CN=two"}
    one, other = (
        osslcmp.Client(transport=server, reference=ref, secret="secret") for ref in ("ref", "other")
    )
    one.ir(make_key(), **(subjects[0] | first))
    with pytest.raises(osslcmp.RejectedError, match="of another client"):
        other.ir(make_key(), **(subjects[1] | second))


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("detail", ["notBefore", "notAfter", "signingAlg"])
def test_details_of_another_certificate_revoke_nothing(detail: str, right: bool) -> None:
    ca = EmbeddedCA({"ref": "secret"})
    server = ca.server(strictness="rfc9810")
    certificate = read(server.process(Forger().request())).certificate
    assert certificate is not None
    moments = {"notBefore": certificate.not_valid_before_utc, "notAfter": certificate.not_valid_after_utc}
    algorithm = certificate.signature_algorithm_oid.dotted_string if right else oids.ED25519
    field = der.encode(der.explicit(2), der.encode_oid(algorithm))
    if detail in moments:
        moment = moments[detail] + datetime.timedelta(days=0 if right else 1)
        number = int(detail == "notAfter")
        field = der.encode(der.explicit(4), der.encode(der.explicit(number), der.encode_moment(moment)))
    number_ = der.read(der.encode_integer(certificate.serial_number)).content
    parts = [der.encode(0x81, number_), field, der.encode(der.explicit(3), certificate.issuer.public_bytes())]
    template = der.encode(der.SEQUENCE, *sorted(parts, key=lambda part: part[0] & 0x1F))
    details = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, template))
    answer = read(server.process(Forger().message(RR, details)))
    assert (answer.status == PKIStatus.accepted) is right
    assert (ca.records[0].revoked is not None) is right


def test_a_crl_is_asked_for_with_other_string_types() -> None:
    """Whoever names the CA otherwise and has its CRL learns nothing new."""
    ca = EmbeddedCA({"ref": "secret"}, name="A CA")
    crl = ca.crl()
    name = der.encode(der.explicit(4), _printable(crl.issuer).public_bytes())
    source = der.encode(der.explicit(1), der.encode(der.SEQUENCE, name))
    status = der.encode(der.SEQUENCE, source, der.encode_moment(crl.last_update_utc))
    info = osslcmp.InfoTypeAndValue(osslcmp.general.CRL_STATUS_LIST, der.encode(der.SEQUENCE, status))
    answer = general.answer(ca, info)
    assert answer is not None
    assert answer.value is None


def _printable(name: x509.Name) -> x509.Name:
    parts = [x509.NameAttribute(part.oid, str(part.value).upper().replace(" ", "  ")) for part in name]
    encoding = x509.Name(parts).public_bytes()
    return x509_parts.read_name(encoding.replace(b"\x0c", b"\x13"))


@pytest.mark.parametrize("kind", CAS)
def test_a_server_that_cannot_sign_is_not_made(kind: str, tmp_path: Path) -> None:
    """Before a certificate is issued to nobody: which keys can depends on the release."""
    new_ca(tmp_path, kind)
    certificate = tmp_path / "root.pem"
    ca = EmbeddedCA({"ref": "secret"})
    refused = ""
    try:
        server = Server(ca, certificate=certificate, key=tmp_path / "root.key", sign_always=True)
    except ValueError as error:
        refused = str(error)
    if refused:
        assert "cannot protect messages" in refused
        assert kind not in ("rsa", "p-256")
        pytest.skip(f"this OpenSSL refuses it, and the server says so: {refused}")
    signing = osslcmp.Client(
        transport=server, reference="ref", secret="secret", server_certificate=certificate
    )
    signing.ir(make_key(), subject="CN=device")
