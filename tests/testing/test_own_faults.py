"""Every message and every step of a script: used, or refused when it is set up; faults of a user's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from support.faults import cut

import osslcmp
from osslcmp import BodyType, Client, FailureInfo, testing
from osslcmp._asn1 import der
from osslcmp.testing import CMPServer, Fault, faults, rewriting
from osslcmp.testing.faults import REQUESTS

#: A step of each kind.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "cert_req_id": (7,),
    "delay": (0.01,),
    "change": (lambda answer: answer,),
}
STEPS: dict[str, Callable[[], Fault]] = {
    name: partial(getattr(testing, name), *ARGUMENTS.get(name, ()))
    for name in testing.__all__
    if inspect.isfunction(getattr(faults, name, None))
}
REFUSALS = (BodyType.ERROR, BodyType.IP, BodyType.CP, BodyType.KUP, BodyType.RP)
TYPES = [
    "ir",
    "cr",
    "p10cr",
    "kur",
    "rr",
    "genm",
    "certconf",
    "pollreq",
    "error",
    "nested",
    "krr",
    "ccr",
    "popdecr",
]


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key to certify."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def requests() -> dict[BodyType, bytes]:
    """A message of each type that clients send, recorded or made of another; the answer of a server tells which."""
    with CMPServer() as server:
        client = Client(server.url, reference=server.reference, secret=server.secret)
        server.script(testing.waiting(check_after=0))
        got = client.ir(key := new_key(), subject="CN=x")
        signing = Client(
            server.url, certificate=got.certificate, key=key, chain=got.chain, trusted=server.root
        )
        signing.cr(new_key(), subject="CN=x")
        signing.kur(new_key())
        client.genm()
        signing.rr()
        found = {message.type: message.der for message in server.requests}
    genm = found[BodyType.GENM]
    for kind in REQUESTS - found.keys():
        found[kind] = rewriting.with_body(genm, der.encode(der.explicit(kind), rewriting.rebuilt([])))
    return found


def test_all_are_known(requests: dict[BodyType, bytes]) -> None:
    """The list of types here is that of what clients send."""
    assert {kind.name.lower() for kind in requests} == set(TYPES)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", TYPES)
def test_every_type_and_step(kind: str, step: str, requests: dict[BodyType, bytes]) -> None:
    """It is used up by the message, and a step that could do nothing is named; or the script is refused at once."""
    fault = STEPS[step]()
    body = BodyType[kind.upper()]
    with CMPServer() as server:
        if body not in fault.requests:
            with pytest.raises(ValueError, match=rf"script: {fault.name}\(\) is not for {kind}, but for "):
                server.script(**{kind: fault})
            server.script(fault)
            _process(server, requests[body])
            assert server.steps_left == [f"{fault.name}()"]  # it waits for a message that it is for
            return
        server.script(**{kind: fault})
        _process(server, requests[body])
        assert not any(left.startswith(f"{kind}=") for left in server.steps_left)
        for left in server.steps_left:
            assert "changed nothing" in left
        if isinstance(fault, faults.Reject):
            assert server.responses[-1].type in REFUSALS


def _process(server: CMPServer, request: bytes) -> bytes | None:
    try:
        return server(request)
    except (osslcmp.TransferError, ConnectionResetError):
        return None


@pytest.mark.parametrize("kind", [kind.name.lower() for kind in BodyType if kind not in REQUESTS])
def test_answers_are_no_requests(kind: str, cmp_server: CMPServer) -> None:
    """A script for what only servers send would never be used."""
    with pytest.raises(ValueError, match=f"script: clients send no {kind}; a step goes by the request"):
        cmp_server.script(**{kind: testing.ok()})


def test_refused_confirmation(cmp_server: CMPServer, cmp_client: Client) -> None:
    """A certConf is refused with the script's words, and the client is told."""
    cmp_server.script(certconf=testing.reject("badCertId", "not confirmed"))
    with pytest.raises(osslcmp.ConfirmError) as caught:
        cmp_client.ir(new_key(), subject="CN=x")
    cause = caught.value.__cause__
    assert isinstance(cause, osslcmp.RejectedError)
    assert (cause.failure_info, cause.text) == (FailureInfo.badCertId, "not confirmed")


def test_refused_poll(cmp_server: CMPServer, cmp_client: Client) -> None:
    """A request that waits is refused when the client asks again."""
    cmp_server.script(
        testing.waiting(times=5, check_after=0), pollreq=testing.reject("badRequest", "no more")
    )
    with pytest.raises(osslcmp.RejectedError, match="no more"):
        cmp_client.ir(new_key(), subject="CN=x")


def test_quirks_hold_in_a_step(cmp_server: CMPServer) -> None:
    """A step for a message does not switch off how the server is."""
    cmp_server.quirks(sign_always=True, signer_is_issuer=True, root_in_extra_certs=True)
    cmp_server.script(testing.ok(), testing.no_message_time())
    client = Client(
        cmp_server.url,
        reference=cmp_server.reference,
        secret=cmp_server.secret,
        trusted=cmp_server.root,
        ignore_key_usage=True,
    )
    client.ir(new_key(), subject="CN=x")
    ip, pki_conf = cmp_server.responses
    assert cmp_server.root in ip.extra_certs
    for answer in (ip, pki_conf):
        assert answer.header.sender.value == cmp_server.ca.issuer.subject
    assert pki_conf.header.message_time is None


def test_change(cmp_server: CMPServer, cmp_client: Client) -> None:
    """A function of one's own, with arguments, makes the answer; it is protected anew."""

    def with_recipient(answer: bytes, name: str) -> bytes:
        encoded = x509.Name.from_rfc4514_string(name).public_bytes()
        return rewriting.with_header(answer, first={2: der.encode(der.explicit(4), encoded)})

    cmp_server.script(genm=testing.change(with_recipient, name="CN=me"))
    cmp_client.genm()
    assert cmp_server.responses[-1].header.recipient.value.rfc4514_string() == "CN=me"


def test_change_without_protection(cmp_server: CMPServer, cmp_client: Client) -> None:
    """It goes out as it is, CMP or not, and is recorded with its octets on both sides."""
    cmp_server.script(genm=testing.change(cut, 20, protect=False))
    with pytest.raises(osslcmp.TransferError):
        cmp_client.genm()
    (exchange,) = cmp_server.exchanges
    assert exchange.is_cmp
    assert exchange.response is not None
    assert len(exchange.response.body) == 20
    assert cmp_server.trace.entries[-1].octets == exchange.response.body
    assert "20 octets" in str(cmp_server.trace)


def test_wrong_change(cmp_server: CMPServer) -> None:
    """Arguments are looked at when the script is written."""
    with pytest.raises(TypeError, match="change: cut: got an unexpected keyword argument 'octet'"):
        testing.change(cut, octets=1, octet=1)
    with pytest.raises(TypeError, match="function: a callable, not str"):
        testing.change("cut")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="http_answer: status"):
        testing.http_answer(204)
    with pytest.raises(TypeError, match="body: bytes or str, not int"):
        testing.http_answer(body=5)  # type: ignore[arg-type]
    for wrong in (testing.reject, "reject"):
        with pytest.raises(TypeError, match=r"script: a step such as waiting\(\), not '?reject"):
            cmp_server.script(ir=wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="quirks: sign_always: bool, not 'no'"):
        cmp_server.quirks(sign_always="no")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda answer: answer.decode("ascii"), "raised UnicodeDecodeError"),
        (lambda answer: "x", "raised TypeError: it returned str, not bytes"),
        (lambda answer: rewriting.with_header(answer, tagged={4: b""}), "no transactionID: protect=False"),
    ],
)
def test_change_that_fails(
    change: Callable[[bytes], bytes], told: str, cmp_server: CMPServer, cmp_client: Client
) -> None:
    """A function that does not do its work is a step that was not used: the test cannot pass."""
    cmp_server.script(genm=testing.change(change))
    with pytest.raises(osslcmp.TransferError):
        cmp_client.genm()
    (left,) = cmp_server.steps_left
    assert told in left
    cmp_server.script()


def test_fault_without_effect(cmp_server: CMPServer, cmp_client: Client) -> None:
    """A fault for certificates in an answer that has none is named among what is left."""
    cmp_server.script(testing.waiting(times=2, check_after=0), pollreq=testing.several_responses())
    cmp_client.ir(new_key(), subject="CN=x")
    assert cmp_server.steps_left == ["several_responses(): it changed nothing in the pollrep"]
    cmp_server.script()


def test_http_answer(cmp_server: CMPServer) -> None:
    """Any status, content type and body, over HTTP and in the process."""
    for server in ({"server": cmp_server.url}, {"transport": cmp_server}):
        client = Client(**server, reference=cmp_server.reference, secret=cmp_server.secret)
        cmp_server.script(
            testing.http_answer(502, "bad gateway", "text/plain"), testing.http_answer(body=b"\x30\x03abc")
        )
        with pytest.raises(osslcmp.TransferError) as caught:
            client.genm()
        assert (caught.value.http_status, caught.value.body) == (502, b"bad gateway")
        with pytest.raises(osslcmp.CMPError):
            client.genm()
