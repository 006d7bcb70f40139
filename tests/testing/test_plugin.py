"""The pytest plugin: a server for other people's tests, and what it can be told to do."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.openssl_cmp import cmp
from support.pki import make_csr
from support.releases import CLIENT_WAITS_FOR_ALL

import osslcmp
from osslcmp import BodyType, Client, FailureInfo
from osslcmp.testing import (
    bad_protection,
    cert_req_id,
    delay,
    drop_response,
    html_503,
    issue_other_key,
    no_extra_certs,
    ok,
    reject,
    waiting,
    wrong_nonce,
)

pytest_plugins = ["pytester"]


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key to certify."""
    return ec.generate_private_key(ec.SECP256R1())


def kinds(server: Any) -> list[str]:
    """Types of the messages that came."""
    return [message.type.name for message in server.requests]


def test_it_issues(cmp_server: Any, cmp_client: Client, cmp_ca: Any) -> None:
    """A real certificate, known to the CA; messages are recorded decoded."""
    got = cmp_client.ir(new_key(), subject="CN=device")
    assert got.certificate.subject.rfc4514_string() == "CN=device"
    assert cmp_ca.record(got.certificate).confirmed
    assert kinds(cmp_server) == ["IR", "CERTCONF"]
    assert [message.type for message in cmp_server.responses] == [BodyType.IP, BodyType.PKICONF]
    assert cmp_server.root == cmp_ca.root
    assert isinstance(cmp_server.reference, bytes)
    assert isinstance(cmp_server.secret, bytes)


def test_in_process(cmp_server: Any) -> None:
    """Called with DER it needs no HTTP."""
    client = Client(transport=cmp_server, reference=cmp_server.reference, secret=cmp_server.secret)
    assert client.ir(new_key(), subject="CN=x").certificate
    cmp_server.script(html_503())
    with pytest.raises(osslcmp.TransferError, match="503"):
        client.ir(new_key(), subject="CN=x")
    cmp_server.script(drop_response())
    with pytest.raises(ConnectionResetError):
        client.ir(new_key(), subject="CN=x")


def test_waiting(cmp_server: Any, cmp_client: Client) -> None:
    """Polled as often as scripted."""
    cmp_server.script(waiting(times=3, check_after=0))
    assert cmp_client.ir(new_key(), subject="CN=x").certificate
    assert kinds(cmp_server) == ["IR", "POLLREQ", "POLLREQ", "POLLREQ", "CERTCONF"]
    assert cmp_server.script_left == 0


@pytest.mark.parametrize("asked", ["genm", "rr", "certconf"])
def test_waiting_for_other_answers(asked: str, cmp_server: Any, cmp_client: Client) -> None:
    """Any message may have to wait; a client based on OpenSSL before 3.3 is told, and can do nothing about it."""
    key = new_key()
    got = cmp_client.ir(key, subject="CN=mine")
    mine: dict[str, Any] = {
        "certificate": got.certificate,
        "key": key,
        "chain": got.chain,
        "trusted": got.ca_pubs,
    }
    signing = Client(cmp_server.url, **mine)
    cmp_server.clear()
    cmp_server.script(**{asked: waiting(times=2, check_after=0)})

    def ask() -> object:
        if asked == "certconf":
            return cmp_client.ir(new_key(), subject="CN=x")
        return cmp_client.genm() if asked == "genm" else signing.rr()

    if CLIENT_WAITS_FOR_ALL:
        ask()
        assert kinds(cmp_server)[-3:] == [asked.upper(), "POLLREQ", "POLLREQ"]
        ask() if asked != "rr" else None
    elif asked == "certconf":
        with pytest.raises(osslcmp.ConfirmError):
            ask()
    else:
        with pytest.raises(osslcmp.RejectedError) as caught:
            ask()
        assert caught.value.text == "waiting by script"
    assert cmp_server.script_left == 0


@pytest.mark.parametrize("failure", list(FailureInfo))
def test_reject(failure: FailureInfo, cmp_server: Any, cmp_client: Client) -> None:
    """Every failInfo, by flag or by name."""
    cmp_server.script(reject(failure, "no"), reject(failure.name or "", "no"))
    for _ in range(2):
        with pytest.raises(osslcmp.RejectedError) as caught:
            cmp_client.ir(new_key(), subject="CN=x")
        assert caught.value.failure_info == failure
        assert caught.value.text == "no"
    assert cmp_client.ir(new_key(), subject="CN=x").certificate


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (html_503(), osslcmp.TransferError),
        (drop_response(), osslcmp.TransferError),
        (wrong_nonce(), osslcmp.ResponseError),
        (bad_protection(), osslcmp.ProtectionError),
        (issue_other_key(), osslcmp.ConfirmError),
        (cert_req_id(7), osslcmp.ResponseError),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_fault(fault: Any, error: type[Exception], cmp_server: Any, cmp_client: Client) -> None:
    """Each gives the exception that fits, and the next request is answered as it should be."""
    cmp_server.script(fault)
    with pytest.raises(error):
        cmp_client.ir(new_key(), subject="CN=x")
    cmp_server.script()
    assert cmp_client.ir(new_key(), subject="CN=x").certificate


def test_lost_confirmation(cmp_server: Any, cmp_client: Client, cmp_ca: Any) -> None:
    """The certificate is on the exception; the CA has the confirmation that it answered in vain."""
    cmp_server.script(certconf=drop_response())
    with pytest.raises(osslcmp.ConfirmError) as caught:
        cmp_client.ir(new_key(), subject="CN=x")
    assert cmp_ca.record(caught.value.enrollment.certificate).confirmed


def test_cert_req_id_of_a_p10cr(cmp_server: Any, cmp_client: Client) -> None:
    """0 instead of -1 is what many servers send; OpenSSL takes it."""
    cmp_server.script(cert_req_id(0))
    assert cmp_client.p10cr(make_csr(new_key(), "CN=csr")).certificate


def test_no_extra_certs(cmp_server: Any, cmp_client: Client) -> None:
    """Under a MAC they are not missed; under a signature the chain is."""
    cmp_server.script(no_extra_certs(), no_extra_certs())
    got = cmp_client.ir(key := new_key(), subject="CN=x")
    assert got.extra_certs == []
    signing = Client(
        cmp_server.url,
        certificate=got.certificate,
        key=key,
        chain=cmp_server.ca.chain,
        trusted=cmp_server.root,
    )
    cmp_server.script(no_extra_certs())
    with pytest.raises(osslcmp.ProtectionError):
        signing.cr(new_key(), subject="CN=x")


def test_order_and_types(cmp_server: Any, cmp_client: Client) -> None:
    """Steps by type go first; ok() lets one message pass."""
    cmp_server.script(ok(), ok(), reject("badTime"), ir=[ok(), reject("badAlg")])
    assert cmp_client.ir(new_key(), subject="CN=x").certificate
    with pytest.raises(osslcmp.RejectedError) as caught:
        cmp_client.ir(new_key(), subject="CN=x")
    assert caught.value.failure_info == FailureInfo.badAlg
    cmp_client.genm()
    with pytest.raises(osslcmp.RejectedError) as caught:
        cmp_client.genm()
    assert caught.value.failure_info == FailureInfo.badTime


def test_delay(cmp_server: Any) -> None:
    """Later than the client waits."""
    client = Client(
        cmp_server.url, reference=cmp_server.reference, secret=cmp_server.secret, message_timeout=1
    )
    cmp_server.script(delay(1.5))
    with pytest.raises(osslcmp.TransferTimeout):
        client.ir(new_key(), subject="CN=x")


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda server: server.script("waiting"), TypeError),
        (lambda server: server.script(nosuch=ok()), ValueError),
        (lambda _: waiting(times=0), ValueError),
        (lambda _: delay(-1), ValueError),
        (lambda _: reject("nosuch"), ValueError),
        (lambda _: reject(FailureInfo(1 << 40)), ValueError),
    ],
)
def test_wrong_scripts(call: Any, error: type[Exception], cmp_server: Any) -> None:
    """Told at once."""
    with pytest.raises(error):
        call(cmp_server)


def test_misspelt_reason() -> None:
    """The error has the name that was meant, or all that there are."""
    with pytest.raises(ValueError, match=r"no failInfo 'badRequst'; did you mean 'badRequest'\?"):
        reject("badRequst")
    with pytest.raises(ValueError, match=r"no failInfo 'nosuch'; known: badAlg, .*duplicateCertReq"):
        reject("nosuch")


@pytest.mark.peer
def test_another_client(cmp_server: Any, tmp_path: Any) -> None:
    """Somebody else's client: `openssl cmp`, polling and then refused."""
    key = tmp_path / "key.pem"
    key.write_bytes(new_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    cmp_server.script(waiting(times=1, check_after=0))
    options: dict[str, Any] = {
        "ref": cmp_server.reference.decode(),
        "secret": f"pass:{cmp_server.secret.decode()}",
        "newkey": key,
        "subject": "/CN=other",
        "certout": tmp_path / "cert.pem",
    }
    done = cmp("ir", cmp_server.url, **options)
    assert done.code == 0, done.text
    cert = x509.load_pem_x509_certificate((tmp_path / "cert.pem").read_bytes())
    assert cert.subject.rfc4514_string() == "CN=other"
    cmp_server.script(reject("badCertTemplate", "not today"))
    done = cmp("ir", cmp_server.url, **options)
    assert done.code != 0
    assert "not today" in done.text


def test_as_a_plugin(pytester: pytest.Pytester) -> None:
    """In a project of its own, without an import, in parallel too."""
    pytester.makepyfile(
        """
        import pytest
        from osslcmp.testing import waiting

        @pytest.mark.parametrize("number", range(6))
        def test_client(number, cmp_server, cmp_client):
            from cryptography.hazmat.primitives.asymmetric import ec
            cmp_server.script(waiting(check_after=0))
            got = cmp_client.ir(ec.generate_private_key(ec.SECP256R1()), subject=f"CN={number}")
            assert got.certificate.subject.rfc4514_string() == f"CN={number}"

        def test_factory(cmp_server_factory):
            assert cmp_server_factory().url != cmp_server_factory().url
        """
    )
    pytester.runpytest_subprocess("-n", "2", "-q").assert_outcomes(passed=7)
