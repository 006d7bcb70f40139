"""General messages whose contents have a type."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.authorities import Scripted
from support.clients import secret_context
from support.lies import LyingTransport
from support.rogue import seq

import osslcmp
from osslcmp import Client, InfoTypeAndValue, general
from osslcmp._asn1 import der
from osslcmp.server import EmbeddedCA, Server

SHA256_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
ED25519 = bytes.fromhex("300506032b6570")


@pytest.fixture
def client(ca: EmbeddedCA) -> Client:
    """A client of it."""
    return Client(transport=ca.server().process, reference="ref", secret="secret")


def answering(*items: InfoTypeAndValue) -> tuple[Client, Scripted]:
    """A client whose server answers general messages with these items."""
    authority = Scripted(general=list(items))
    return Client(transport=Server(authority).process, reference="ref", secret="secret"), authority


def item(kind: x509.ObjectIdentifier, value: bytes | None) -> InfoTypeAndValue:
    """Shorter to write."""
    return InfoTypeAndValue(kind, value)


def test_ca_certs(client: Client, ca: EmbeddedCA) -> None:
    """By a plain general message and, from 3.2, by OpenSSL's own function."""
    certs = client.ca_certs()
    assert ca.issuer in certs
    context = secret_context(ca.server())
    if osslcmp.features["ca_certs"]:
        assert context.get_ca_certs() == certs
    else:
        with pytest.raises(osslcmp.UnsupportedError, match=r"3\.2"):
            context.get_ca_certs()


def test_current_crl(client: Client, ca: EmbeddedCA) -> None:
    """The CA's CRL."""
    crl = client.current_crl()
    assert crl is not None
    assert crl.issuer == ca.issuer.subject


def test_algorithms() -> None:
    """Lists of algorithms, a preferred one, and parameters for one."""
    both = b"\x30" + bytes([len(SHA256_RSA + ED25519)]) + SHA256_RSA + ED25519
    client, _ = answering(item(general.SIGN_KEY_PAIR_TYPES, both))
    rsa, ed25519 = client.sign_key_pair_types()
    assert (rsa.oid.dotted_string, rsa.parameters) == ("1.2.840.113549.1.1.11", b"\x05\x00")
    assert (ed25519.oid.dotted_string, ed25519.parameters) == ("1.3.101.112", None)
    client, _ = answering(item(general.ENC_KEY_PAIR_TYPES, both))
    assert len(client.enc_key_pair_types()) == 2
    client, _ = answering(item(general.PREFERRED_SYMM_ALG, ED25519))
    assert client.preferred_symm_alg() == ed25519
    client, authority = answering(item(general.KEY_PAIR_PARAM_REP, SHA256_RSA))
    assert client.key_pair_params("1.2.840.113549.1.1.1") == rsa
    assert authority.asked[-1].infos[0].value == bytes.fromhex("06092a864886f70d010101")


def test_certificates(ca: EmbeddedCA) -> None:
    """One certificate, and the three of a key update."""
    der = ca.root.public_bytes(Encoding.DER)
    client, _ = answering(item(general.CA_PROT_ENC_CERT, der))
    assert client.ca_prot_enc_cert() == ca.root
    three = b"\x30\x82" + (3 * len(der)).to_bytes(2, "big") + 3 * der
    client, _ = answering(item(general.CA_KEY_UPDATE_INFO, three))
    assert client.ca_key_update_info() == (ca.root, ca.root, ca.root)


def test_languages() -> None:
    """Tags go there, a choice comes back."""
    client, authority = answering(item(general.SUPP_LANG_TAGS, b"\x30\x04\x0c\x02de"))
    assert client.supported_languages(["de", "en"]) == ["de"]
    assert authority.asked[-1].infos[0].value == b"\x30\x08\x0c\x02de\x0c\x02en"
    with pytest.raises(ValueError, match="tags"):
        client.supported_languages([])


def test_unsupported_oids(ca: EmbeddedCA) -> None:
    """A server may tell which of several questions it does not know."""
    oids = [x509.ObjectIdentifier("1.2.3.4"), x509.ObjectIdentifier("1.3.6.1.5.5.7.4.99")]
    told = item(general.UNSUPPORTED_OIDS, seq(*(der.encode_oid(oid.dotted_string) for oid in oids)))
    client, _ = answering(item(general.CURRENT_CRL, None), told)
    answer = client.genm([item(general.CURRENT_CRL, None), *(item(oid, None) for oid in oids)])
    assert general.unsupported_oids_of(answer) == oids
    assert general.unsupported_oids_of(answer[:1]) == []
    with pytest.raises(osslcmp.ResponseError, match="decode"):
        general.unsupported_oids_of([item(general.UNSUPPORTED_OIDS, b"\x02\x01\x07")])


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        ("ca_certs", general.CA_CERTS),
        ("sign_key_pair_types", general.SIGN_KEY_PAIR_TYPES),
        ("enc_key_pair_types", general.ENC_KEY_PAIR_TYPES),
        ("preferred_symm_alg", general.PREFERRED_SYMM_ALG),
        ("ca_prot_enc_cert", general.CA_PROT_ENC_CERT),
        ("ca_key_update_info", general.CA_KEY_UPDATE_INFO),
        ("current_crl", general.CURRENT_CRL),
    ],
)
def test_nothing_and_something_else(ask: str, kind: x509.ObjectIdentifier) -> None:
    """No value is None or empty; an answer to another question is a ResponseError."""
    client, _ = answering(item(kind, None))
    assert not getattr(client, ask)()
    client, _ = answering(item(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"))
    with pytest.raises(osslcmp.ResponseError, match="no item"):
        getattr(client, ask)()


def test_any_kind_by_oid() -> None:
    """What nobody knows goes there and comes back, with a value of any type or none."""
    authority = Scripted(general=lambda request: list(request.infos))
    echo = Client(transport=Server(authority).process, reference="ref", secret="secret")
    sent = [
        InfoTypeAndValue("1.3.6.1.4.1.99999.1", b"\x0c\x03abc"),
        InfoTypeAndValue("1.3.6.1.4.1.99999.2", b"\x30\x03\x02\x01\x07"),
        InfoTypeAndValue("1.3.6.1.4.1.99999.3"),
    ]
    assert echo.genm(sent) == sent
    assert echo.genm(sent[0]) == sent[:1]


@pytest.mark.parametrize("octets", [63, 64, 127, 128, 200, 5000])
def test_long_oid(octets: int, ca: EmbeddedCA) -> None:
    """As long as ``cryptography`` takes them; a longer one is told, and no other read instead."""
    oid = der.encode(der.OID, b"\x2a" + b"\x83\x01" * ((octets - 1) // 2) + b"\x03" * (1 - octets % 2))
    item = seq(oid, b"\x0c\x03abc")
    body = der.encode(der.explicit(22), seq(item, item))
    transport = LyingTransport(ca.server().process, b"secret", [body])
    client = Client(transport=transport, reference="ref", secret="secret")
    if octets <= 63:
        assert [item.value for item in client.genm()] == [b"\x0c\x03abc"] * 2
        return
    with pytest.raises(osslcmp.ResponseError, match=r"OID|oid_length"):
        client.genm()


@pytest.mark.parametrize("number", range(1, 24))
def test_known_kind_with_a_value_of_another_type(number: int) -> None:
    """Where OpenSSL knows the type, another is a ValueError, not type confusion; else it travels."""
    authority = Scripted(general=lambda request: list(request.infos))
    server = Server(
        authority, strictness="openssl"
    )  # the Lightweight profile refuses values where none belong
    echo = Client(transport=server.process, reference="ref", secret="secret")
    odd = InfoTypeAndValue(f"1.3.6.1.5.5.7.4.{number}", b"\x13\x03abc")
    refused = "not DER of the type"
    try:
        back = echo.genm(odd)
    except ValueError as error:
        told = str(error)
    else:
        told = refused if back == [odd] else repr(back)
    assert refused in told


@pytest.mark.parametrize("value", [b"", b"\x30", b"\x30\x05abc", b"\x05\x00\x05\x00"])
def test_value_that_is_not_der(value: bytes, client: Client) -> None:
    """Told before anything is sent."""
    if not value:
        assert client.genm(InfoTypeAndValue("1.2.3.4", value)) is not None
        return
    with pytest.raises(ValueError, match="not DER"):
        client.genm(InfoTypeAndValue("1.2.3.4", value))


@pytest.mark.parametrize("wrong", [7, "x", [b"x"]])
def test_what_is_no_item(wrong: Any, client: Client) -> None:
    """Told by type."""
    with pytest.raises(TypeError):
        client.genm(wrong)


def test_root_ca_update(client: Client, ca: EmbeddedCA) -> None:
    """Needs a decision of the caller, and 3.2."""
    with pytest.raises(TypeError, match="accept"):
        client.root_ca_update(ca.root, accept=True)  # type: ignore[arg-type]
    if not osslcmp.features["root_ca_update"]:
        with pytest.raises(osslcmp.UnsupportedError) as caught:
            client.root_ca_update(ca.root, accept=lambda update: True)
        assert caught.value.needed in ("3.2", "3.2.2", "3.3.1")
        return
    assert client.root_ca_update(ca.root, accept=lambda update: True) is None
