"""General messages at OpenSSL's own mock server and at ours: what they bring, and what an older OpenSSL does instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from support import openssl
from support.inprocess import new_context
from support.mock_server import MockServer
from support.pki import DAY, PKI, Identity, make_crl, make_name

import osslcmp
from osslcmp import Client, InfoTypeAndValue, RootCAUpdate, general
from osslcmp.server import EmbeddedCA, Profile
from osslcmp.server.ca.general import RootUpdate
from osslcmp.transport.address import parse_url

FEATURES = osslcmp.features
ROOT_CA_CERT = "1.3.6.1.5.5.7.4.20"


def signing(server: str, pki: PKI) -> Client:
    """A client of a mock server, protected by signatures."""
    me = pki.client
    return Client(
        server, certificate=me.certificate, key=me.key, chain=me.chain[:1], trusted=pki.root.certificate
    )


def with_secret(server: str) -> Client:
    """The same by shared secret."""
    return Client(server, reference="ref", secret="secret")


def unsupported(needed: str, call: Callable[[Client], object]) -> None:
    """It is an UnsupportedError that names the release, before anything is sent."""
    with pytest.raises(osslcmp.UnsupportedError) as caught:
        call(with_secret("http://127.0.0.1:1"))
    assert caught.value.needed == needed
    assert caught.value.found in str(caught.value)


# -- root CA update -----------------------------------------------------------------------------------------


class Rollover:
    """A root, the next one, and the two certificates that link them."""

    def __init__(self, pki: PKI) -> None:
        name = make_name("rolling root")
        self.old = pki.issue("old_root", ca=True, subject=name, ends=30 * DAY)
        self.new = pki.issue("new_root", ca=True, subject=name, ends=300 * DAY)
        self.new_with_old = pki.issue("new_with_old", self.old, ca=True, subject=name, key=self.new.key)
        self.old_with_new = pki.issue("old_with_new", self.new, ca=True, subject=name, key=self.old.key)

    def options(self, **replaced: Identity) -> dict[str, Path]:
        """What the mock server hands out."""
        found = {"newwithnew": self.new, "newwithold": self.new_with_old, "oldwithnew": self.old_with_new}
        return {f"rsp_{name}": identity.cert_file for name, identity in {**found, **replaced}.items()}

    def update(self) -> RootUpdate:
        """The same at our server."""
        return RootUpdate(self.new.certificate, self.new_with_old.certificate, self.old_with_new.certificate)


@pytest.fixture(scope="module")
def rollover(pki: PKI) -> Rollover:
    """One for all tests here."""
    return Rollover(pki)


def accepting(seen: list[RootCAUpdate]) -> Callable[[RootCAUpdate], object]:
    """The caller's decision: yes."""

    def accept(update: RootCAUpdate) -> bool:
        seen.append(update)
        return True

    return accept


@pytest.mark.peer
@pytest.mark.parametrize("protection", ["mac", "signature"])
def test_root_ca_update(protection: str, rollover: Rollover, pki: PKI, mock_server: Any) -> None:
    """The new root comes, verified with the old one by OpenSSL, and accepted by the caller."""
    if not FEATURES["root_ca_update"]:
        unsupported("3.2", lambda client: client.root_ca_update(rollover.old.certificate, accept=bool))
        return
    server = mock_server(**rollover.options())
    client = with_secret(server.url) if protection == "mac" else signing(server.url, pki)
    seen: list[RootCAUpdate] = []
    update = client.root_ca_update(rollover.old.certificate, accept=accepting(seen))
    assert update == RootCAUpdate(
        rollover.new.certificate, rollover.new_with_old.certificate, rollover.old_with_new.certificate
    )
    assert seen == [update]
    with pytest.raises(osslcmp.ProtectionError, match="not accepted"):
        client.root_ca_update(rollover.old.certificate, accept=lambda _: None)


@pytest.mark.peer
@pytest.mark.parametrize("wrong", ["newwithold", "oldwithnew", "newwithnew"])
def test_root_ca_update_that_does_not_fit(wrong: str, rollover: Rollover, pki: PKI, mock_server: Any) -> None:
    """OpenSSL verifies the links: a stranger's certificate in one of the places is refused; nobody is asked."""
    if not FEATURES["root_ca_update"]:
        unsupported("3.2", lambda client: client.root_ca_update(None, accept=bool))
        return
    stranger = pki.issue("stranger", ca=True, subject=rollover.old.subject)
    server = mock_server(**rollover.options(**{wrong: stranger}))
    seen: list[RootCAUpdate] = []
    with pytest.raises(osslcmp.OpenSSLError):
        with_secret(server.url).root_ca_update(rollover.old.certificate, accept=accepting(seen))
    assert seen == []


def test_root_ca_update_of_our_server(rollover: Rollover) -> None:
    """Over HTTP; a plain genm brings it to every release, where OpenSSL verifies nothing."""

    class CA(EmbeddedCA):
        def root_update(self, known: x509.Certificate | None) -> RootUpdate | None:
            return rollover.update() if known == rollover.old.certificate else None

    with CA({"ref": "secret"}).server().serve() as running:
        client = with_secret(running.url)
        old = rollover.old.certificate
        items = client.genm(InfoTypeAndValue(ROOT_CA_CERT, old.public_bytes(Encoding.DER)))
        assert [item.oid.dotted_string for item in items] == ["1.3.6.1.5.5.7.4.18"]
        assert items[0].value is not None
        assert rollover.new.certificate.public_bytes(Encoding.DER) in items[0].value
        if not FEATURES["root_ca_update"]:
            unsupported("3.2", lambda client: client.root_ca_update(old, accept=bool))
            return
        update = client.root_ca_update(old, accept=lambda _: True)
        assert update is not None
        assert update.new_with_new == rollover.new.certificate


# -- CRL update ---------------------------------------------------------------------------------------------


@pytest.mark.peer
def test_crl_update(pki: PKI, mock_server: Any, tmp_path: Path) -> None:
    """For a certificate, for an older CRL; nothing for whoever has the newest."""
    if not FEATURES["crl_update"]:
        unsupported("3.4", lambda client: client.crl_update(certificate=pki.client.certificate))
        return
    now = make_crl(pki.issuing)
    file = tmp_path / "crl.pem"
    file.write_bytes(now.public_bytes(Encoding.PEM))
    client = signing(mock_server(rsp_crl=file).url, pki)
    assert client.crl_update(last_crl=make_crl(pki.issuing, age=5 * DAY)) == now
    assert client.crl_update(last_crl=now) is None
    assert client.crl_update(certificate=pki.client.certificate) in (
        now,
        None,
    )  # the mock looks at names only
    with pytest.raises(ValueError, match="CRL"):
        client.crl_update()


def test_crl_update_of_our_server() -> None:
    """Verified here with the CA's key; currentCRL brings it to every release."""
    ca = EmbeddedCA({"ref": "secret"})
    with ca.server().serve() as running:
        client = with_secret(running.url)
        current = client.current_crl()
        assert current is not None
        assert current.is_signature_valid(ca.issuer.public_key())  # type: ignore[arg-type]
        if not FEATURES["crl_update"]:
            unsupported("3.4", lambda client: client.crl_update(certificate=ca.issuer))
            return
        certificate = client.ir(ec.generate_private_key(ec.SECP256R1()), subject="CN=x").certificate
        crl = client.crl_update(certificate=certificate)
        assert crl is not None
        assert crl.issuer == ca.issuer.subject
        assert client.crl_update(last_crl=crl) is None


# -- request template ---------------------------------------------------------------------------------------


@pytest.mark.peer
def test_cert_req_template(pki: PKI, mock_server: Any, tmp_path: Path) -> None:
    """What the mock server wants: its issuer, an EC key or RSA with 4096 bits."""
    if not FEATURES["cert_req_template"]:
        unsupported("3.4", lambda client: client.cert_req_template())
        return
    # The option -ref_cert is taken for -rsp_cert by 3.5.9; in a file it is what it should be.
    file = tmp_path / "cmp.cnf"
    file.write_text(f"[cmp]\nref_cert = {pki.enrolled.cert_file}\n")
    server = mock_server(config=file, ref_cert=None)
    template = signing(server.url, pki).cert_req_template()
    assert template is not None
    assert template.issuer == pki.issuing.subject
    assert template.subject is None
    assert [a.oid.dotted_string for a in template.key_algorithms] == ["1.2.840.10045.2.1"]
    assert template.rsa_key_lengths == (4096,)


def test_cert_req_template_of_our_server() -> None:
    """As its profile says; without one there are no wishes. A plain genm brings it to every release."""
    ca = EmbeddedCA(
        {"ref": "secret"}, profiles={"default": Profile(keys=frozenset({"P-256", "RSA"}), rsa_bits=3072)}
    )
    with ca.server().serve() as running:
        client = with_secret(running.url)
        items = client.genm(InfoTypeAndValue("1.3.6.1.5.5.7.4.19"))
        assert items[0].value
        if not FEATURES["cert_req_template"]:
            unsupported("3.4", lambda client: client.cert_req_template())
        else:
            template = client.cert_req_template()
            assert template is not None
            assert template.rsa_key_lengths == (3072,)
    with EmbeddedCA({"ref": "secret"}).server().serve() as running:
        items = with_secret(running.url).genm(InfoTypeAndValue("1.3.6.1.5.5.7.4.19"))
        assert [item.value for item in items] == [None]
        if FEATURES["cert_req_template"]:
            assert with_secret(running.url).cert_req_template() is None


# -- CA certificates, and anything else ---------------------------------------------------------------------


@pytest.mark.peer
@pytest.mark.parametrize("protection", ["mac", "signature"])
def test_ca_certs(protection: str, pki: PKI, mock_server: Any) -> None:
    """From 3.2 on the mock server has them; before it echoes the question, which is none."""
    server: MockServer = mock_server(rsp_capubs=pki.issuing.full_chain_file)
    client = with_secret(server.url) if protection == "mac" else signing(server.url, pki)
    knows = openssl.version() >= (3, 2, 0)
    expected = [pki.issuing.certificate, pki.root.certificate] if knows else []
    assert client.ca_certs() == expected
    context = new_context(pki, protection)
    parse_url(server.url).apply(context)
    if FEATURES["ca_certs"]:
        assert context.get_ca_certs() == expected
    else:
        with pytest.raises(osslcmp.UnsupportedError, match=r"3\.2"):
            context.get_ca_certs()


@pytest.mark.peer
def test_any_oid(pki: PKI, mock_server: Any) -> None:
    """The mock server echoes what it does not know, on every release."""
    client = signing(mock_server().url, pki)
    item = InfoTypeAndValue("1.3.6.1.4.1.99999.1", b"\x0c\x03abc")
    assert client.genm([item]) == [item]
    for kind in (general.SIGN_KEY_PAIR_TYPES, general.CURRENT_CRL, general.PREFERRED_SYMM_ALG):
        assert client.genm(InfoTypeAndValue(kind)) == [InfoTypeAndValue(kind)]
    assert client.sign_key_pair_types() == []
