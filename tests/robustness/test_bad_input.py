"""Wrong arguments are told in Python, before C is entered, and change nothing."""

from __future__ import annotations

import datetime
import gc
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from functools import partial
from inspect import isfunction, signature
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from support.inprocess import Peer, new_context
from support.pki import PKI, make_key

import osslcmp
from osslcmp import Client, Context, InfoTypeAndValue, Option, renewal, server, testing, transport
from osslcmp.context.calls import Calls
from osslcmp.server.ca.persistent import PersistentCA
from osslcmp.server.checks.costs import MacPolicy
from osslcmp.testing import faults

Use = Callable[[Any, PKI], object]
OID = x509.ObjectIdentifier("1.2.3")


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Which calls into C a Context made since this was asked for."""
    made: list[str] = []
    for name in ("set", "run"):
        original = getattr(Calls, name)

        def noted(self: Calls, function: Any, *args: Any, _original: Any = original, **kwargs: Any) -> Any:
            made.append(getattr(function, "__name__", str(function)))
            return _original(self, function, *args, **kwargs)

        monkeypatch.setattr(Calls, name, noted)

    def since() -> list[str]:
        calls, made[:] = made[:], []
        return calls

    return since


TEXTS: dict[str, Use] = {
    "server": lambda c, _: c.set_server("127.0.0.1\0.example"),
    "path": lambda c, _: c.set_server_path("pkix\0/"),
    "proxy": lambda c, _: c.set_proxy("127.0.0.1\0"),
    "no_proxy": lambda c, _: c.set_no_proxy("\0"),
    "subject": lambda c, _: c.set_subject_name("CN=a\0b"),
    "subject, slash": lambda c, _: c.set_subject_name("/CN=a\0b"),
    "issuer": lambda c, _: c.set_issuer("CN=a\0b"),
    "recipient": lambda c, _: c.set_recipient("CN=a\0b"),
    "expected sender": lambda c, _: c.set_expected_sender("CN=a\0b"),
}

NAMES = [
    "no name",
    "CN",
    "=x",
    "CN=x,",
    "CN=x,,O=y",
    "CN=x,O",
    "nosuchattribute=x",
    "/CN",
    "/nosuchattribute=x",
    "/CN=x//",
    "/CN=x\\",
    "/=x",
    "CN=x\\",
    "CN=\\zz",
    "CN=#zz",
    "/C=Germany",
    "C=Germany",
    "9.9.9=x",
    "1.2.=x",
    " ",
]
NAME_SETTERS = ["set_subject_name", "set_issuer", "set_recipient", "set_expected_sender"]

VALUES: dict[str, Use] = {
    "empty secret": lambda c, _: c.set_secret_value(b""),
    "empty secret as text": lambda c, _: c.set_secret_value(""),
    "endless secret": lambda c, _: c.set_secret_value(bytes(1 << 20)),
    "secret that is no Unicode": lambda c, _: c.set_secret_value("\ud800"),
    "empty reference": lambda c, _: c.set_reference_value(b""),
    "over-long reference": lambda c, _: c.set_reference_value(b"r" * 4097),
    "endless reference": lambda c, _: c.set_reference_value("r" * (1 << 20)),
    "port too small": lambda c, _: c.set_server_port(-1),
    "port too large": lambda c, _: c.set_server_port(65536),
    "endless port": lambda c, _: c.set_server_port(1 << 64),
    "server with a scheme": lambda c, _: c.set_server("http://127.0.0.1"),
    "server with a path": lambda c, _: c.set_server("127.0.0.1/pkix"),
    "server with a user": lambda c, _: c.set_server("me@127.0.0.1"),
    "server with a space": lambda c, _: c.set_server("127.0.0.1 "),
    "server with a line": lambda c, _: c.set_server("127.0.0.1\r\nX: y"),
    "empty server": lambda c, _: c.set_server(""),
    "path with a line": lambda c, _: c.set_server_path("pkix/ HTTP/1.0\r\nX: y"),
    "path with a space": lambda c, _: c.set_server_path("a b"),
    "negative length": lambda c, _: c.set_max_response_length(-1),
    "endless length": lambda c, _: c.set_max_response_length(1 << 40),
    "key of another certificate": lambda c, pki: c.set_pkey(pki.enrolled.key),
    "certificate of another key": lambda c, pki: c.set_cert(pki.enrolled.certificate),
    "key of another kind": lambda c, pki: c.set_pkey(pki.rsa_client.key),
    "garbage key": lambda c, _: c.set_pkey(b"garbage"),
    "truncated PEM key": lambda c, pki: c.set_pkey(pki.client.key_file.read_bytes()[:100]),
    "public key as key": lambda c, pki: c.set_pkey(pki.client.cert_file.read_bytes()),
    "missing key file": lambda c, _: c.set_pkey(Path("/nonexistent/key.pem")),
    "garbage item": lambda c, _: c.push_genm_itav(InfoTypeAndValue(OID, b"garbage")),
    "two values in an item": lambda c, _: c.push_genm_itav(InfoTypeAndValue(OID, b"\5\0\5\0")),
    "truncated item": lambda c, _: c.push_geninfo_itav(InfoTypeAndValue(OID, b"\x30\x05\x02")),
    "item of another type": lambda c, _: c.push_genm_itav(
        InfoTypeAndValue(x509.ObjectIdentifier("1.3.6.1.5.5.7.4.13"), b"\x02\x01\x05")
    ),
    "option out of range": lambda c, _: c.set_option(Option.KEEP_ALIVE, 7),
    "no option": lambda c, _: c.set_option(4711, 1),
}

TYPES: dict[str, Use] = {
    "secret": lambda c, _: c.set_secret_value(5),
    "secret None": lambda c, _: c.set_secret_value(None),
    "reference": lambda c, _: c.set_reference_value(["r"]),
    "server": lambda c, _: c.set_server(b"127.0.0.1"),
    "port": lambda c, _: c.set_server_port("80"),
    "port None": lambda c, _: c.set_server_port(None),
    "path": lambda c, _: c.set_server_path(b"/"),
    "proxy": lambda c, _: c.set_proxy(5),
    "no_proxy": lambda c, _: c.set_no_proxy(["a"]),
    "length": lambda c, _: c.set_max_response_length("1"),
    "subject": lambda c, _: c.set_subject_name(5),
    "subject as bytes": lambda c, _: c.set_subject_name(b"CN=x"),
    "certificate": lambda c, _: c.set_cert("client.pem"),
    "no certificate": lambda c, _: c.set_cert(None),
    "server certificate": lambda c, pki: c.set_srv_cert(pki.client.key),
    "old certificate": lambda c, _: c.set_old_cert(b"der"),
    "CSR": lambda c, pki: c.set_p10_csr(pki.client.certificate),
    "key": lambda c, _: c.set_pkey(5),
    "certificate as key": lambda c, pki: c.set_pkey(pki.client.certificate),
    "public key as key": lambda c, pki: c.set_pkey(pki.client.key.public_key()),
    "new key": lambda c, pki: c.set_new_pkey(pki.client.certificate),
    "trust in one": lambda c, pki: c.set_trusted_store(pki.root.certificate),
    "trust in text": lambda c, _: c.set_trusted_store("root.pem"),
    "trust in keys": lambda c, pki: c.set_trusted_store([pki.root.key]),
    "untrusted": lambda c, _: c.set_untrusted([None]),
    "no untrusted": lambda c, _: c.set_untrusted(None),
    "extra certificates": lambda c, _: c.set_extra_certs_out([b"x"]),
    "chain": lambda c, pki: c.build_cert_chain(pki.root.certificate, []),
    "alternative name": lambda c, _: c.push_subject_alt_name("a.example"),
    "extensions": lambda c, _: c.set_req_extensions([x509.BasicConstraints(False, None)]),
    "policy": lambda c, _: c.push_policy("1.2.3"),
    "item": lambda c, _: c.push_genm_itav((OID, b"\5\0")),
    "header item": lambda c, _: c.push_geninfo_itav(None),
    "item value": lambda c, _: c.push_genm_itav(InfoTypeAndValue(OID, "\5\0")),  # type: ignore[arg-type]
    "item kind": lambda c, _: c.push_genm_itav(InfoTypeAndValue(5)),  # type: ignore[arg-type]
    "transactionID": lambda c, _: c.set_transaction_id("0123456789abcdef"),
    "nonce": lambda c, _: c.set_sender_nonce(5),
    "option": lambda c, _: c.set_option(Option.KEEP_ALIVE, "1"),
    "certConf callback": lambda c, _: c.set_cert_conf_cb(5),
    "certConf argument": lambda c, _: c.set_cert_conf_cb_arg(5),
    "transfer callback": lambda c, _: c.set_transfer_cb("x"),
    "transfer argument": lambda c, _: c.set_transfer_cb_arg("x"),
    "HTTP callback": lambda c, _: c.set_http_cb("x"),
    "HTTP argument": lambda c, _: c.set_http_cb_arg("x"),
    "log callback": lambda c, _: c.set_log_cb("x"),
    "log level": lambda c, _: c.set_log_verbosity("DEBUG"),
}


def refused(
    use: Use,
    exceptions: type[Exception] | tuple[type[Exception], ...],
    pki: PKI,
    untouched: Callable[[], list[str]],
) -> str:
    """It is refused with a text, C was not asked, and the context still enrols. Returns the text."""
    peer = Peer(pki)
    context = peer.attach(new_context(pki))
    untouched()
    with pytest.raises(exceptions) as caught:
        use(context, pki)
    assert untouched() == [], "C was entered"
    assert osslcmp.lib.ERR_peek_error() == 0
    assert context.exec_ir_ses() == pki.enrolled.certificate
    return str(caught.value)


@pytest.mark.parametrize("what", TEXTS)
def test_nul(what: str, pki: PKI, untouched: Callable[[], list[str]]) -> None:
    """A NUL would end the text in C."""
    assert "NUL" in refused(TEXTS[what], ValueError, pki, untouched)


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str, pki: PKI, untouched: Callable[[], list[str]]) -> None:
    """A name that does not parse."""
    for setter in NAME_SETTERS:
        text = refused(lambda c, _, s=setter: getattr(c, s)(name), ValueError, pki, untouched)  # type: ignore[misc]
        assert text.startswith("name:")


@pytest.mark.parametrize("what", VALUES)
def test_values(what: str, pki: PKI, untouched: Callable[[], list[str]]) -> None:
    """Of the right type, but no sense."""
    text = refused(VALUES[what], (ValueError, OSError), pki, untouched)
    assert text
    assert "secret" not in what or "\0" not in text


@pytest.mark.parametrize("what", TYPES)
def test_types(what: str, pki: PKI, untouched: Callable[[], list[str]]) -> None:
    """Of another type: the message names the argument or what it should be."""
    assert refused(TYPES[what], TypeError, pki, untouched)


@pytest.mark.parametrize("secret", [b"", b"x" * 70000, 5, "\ud800"])
def test_secrets_are_not_told(secret: Any) -> None:
    """No message shows a secret."""
    with pytest.raises((ValueError, TypeError)) as caught:
        Context().set_secret_value(secret)
    assert "xxx" not in str(caught.value)


def test_pair_in_either_order(pki: PKI) -> None:
    """Certificate first, or key first; afterwards the right one is taken."""
    context = Context()
    context.set_pkey(pki.client.key)
    with pytest.raises(ValueError, match="match"):
        context.set_cert(pki.server.certificate)
    context.set_cert(pki.client.certificate)
    with pytest.raises(ValueError, match="match"):
        context.set_pkey(make_key())
    context.set_pkey(pki.client.key)


def test_nothing_to_build_a_chain_for(pki: PKI) -> None:
    """A chain of which certificate?"""
    context = Context()
    with pytest.raises(ValueError, match="no certificate is set"):
        context.build_cert_chain(None, [pki.issuing.certificate])
    context.set_cert(pki.client.certificate)
    context.build_cert_chain(None, [pki.issuing.certificate])


GOOD: dict[str, Any] = {"secret": b"secret", "reference": b"ref"}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1",
        "ftp://127.0.0.1/",
        "http://",
        "http:///pkix",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:x/",
        "http://me:secret@127.0.0.1/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nX: y",
        "http://127.0.0.1/\0",
        "http://[::1/",
    ],
)
def test_client_url(url: str) -> None:
    """Addresses that are none; credentials in them are not shown."""
    with pytest.raises(ValueError, match=r".") as caught:
        Client(url, **GOOD)
    assert "secret@" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"secret": None, "reference": None},
        {"secret": b""},
        {"reference": b""},
        {"reference": b"r" * 5000},
        {"secret": None},
        {"recipient": "no name"},
        {"expected_sender": "CN=\0"},
        {"trusted": b"garbage"},
        {"trusted": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        {"untrusted": "/nonexistent/file.pem"},
        {"server_certificate": b"\x30\x00"},
        {"chain": [b"\xff"]},
        {"keep_alive": 3},
        {"message_timeout": -1},
        {"total_timeout": -1},
        {"max_response_length": -1},
        {"digest": "no-such-hash"},
        {"mac": "no-such-mac"},
        {"owf": "sha256\0"},
    ],
    ids=str,
)
def test_client_values(options: dict[str, Any]) -> None:
    """Told when the client is made, not at its first request."""
    with pytest.raises((ValueError, OSError)):
        Client("http://127.0.0.1:1/", **{**GOOD, **options})


@pytest.mark.parametrize(
    "options",
    [
        {"secret": 5},
        {"trusted": 5},
        {"transport": 5},
        {"message_timeout": "5"},
        {"general_info": [5]},
        {"recipient": 5},
        {"no_such_option": 5},
        {"transport": bytes},
    ],
    ids=str,
)
def test_client_types(options: dict[str, Any]) -> None:
    """Of another type."""
    with pytest.raises(TypeError):
        Client("http://127.0.0.1:1/", **{**GOOD, **options})


CHECK: Any = osslcmp.CertificateCheck(trusted=[])
TRACE: Any = osslcmp.Trace
AUTHORITY: Any = server.Authority
LAX: Any = "lax"
CHECKED: Any = server.Profile
DAY = datetime.timedelta(days=1)
RENEWAL: Any = {
    "name": "x",
    "server": "http://a/",
    "state": Path("s"),
    "combined": Path("c"),
    "trusted": (Path("t"),),
}
#: What takes anything: it is asked for its truth, or called when it is needed.
ANYTHING = {"key_password", "sans_default", "carry_extensions", "encrypted_value", "central_key"}
FLAGS = {field.name for field in fields(osslcmp.CertificateCheck) if field.type == "bool"}
ARGUMENTS: dict[Any, set[str]] = {
    Client: set(signature(Client).parameters) - {"server"},
    osslcmp.CertificateRequest: {field.name for field in fields(osslcmp.CertificateRequest)} | {"on_wait"},
    osslcmp.CertificateCheck: {field.name for field in fields(osslcmp.CertificateCheck)} - FLAGS,
}


@pytest.mark.parametrize(
    "value",
    [object(), 5j, [object()], 1 << 70, "\ud800"],
    ids=["object", "complex", "list", "big", "surrogate"],
)
@pytest.mark.parametrize(
    ("made", "argument"),
    [(made, name) for made, names in ARGUMENTS.items() for name in sorted(names - ANYTHING)],
    ids=lambda one: one if isinstance(one, str) else one.__name__,
)
def test_each_argument_is_named(made: Any, argument: str, value: Any, pki: PKI) -> None:
    """A value of no use is told with the name of the argument, before anything is sent."""
    base: dict[str, Any] = {"certificate": pki.client.certificate, "key": pki.client.key}

    def use() -> object:
        if made is osslcmp.CertificateCheck:
            return made(**{"trusted": pki.root.certificate, argument: value})
        if made is Client and argument == "transport":
            return Client(**base, transport=value)
        if made is Client:
            credentials = GOOD if argument in ("reference", "secret", "sender") else base
            return Client("https://127.0.0.1:1/", **{**credentials, argument: value})
        client = Client("http://127.0.0.1:1/", **GOOD)
        return client.ir(**{"key": pki.client.key, "subject": "CN=x", argument: value})

    with pytest.raises((TypeError, ValueError)) as caught:
        use()
    assert argument in str(caught.value)
    assert not isinstance(caught.value, osslcmp.CMPError)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda c: c.rr(issuer=5, serial=1), "issuer"),
        (lambda c: c.rr(issuer="CN=x", serial="1"), "serial"),
        (lambda c: c.genm(5), "itavs"),
        (lambda c: c.genm(on_wait=5), "on_wait"),
        (lambda c: c.crl_update(last_crl=5), "last_crl"),
        (lambda c: c.key_pair_params(None), "algorithm"),
        (lambda c: c.key_pair_params("x"), "algorithm"),
        (lambda c: c.supported_languages(5), "tags"),
        (lambda c: CHECK.failure(5), "certificate"),
        (lambda c: CHECK.failure(b"", 5), "untrusted"),
        (lambda c: InfoTypeAndValue("x"), "oid"),
        (lambda c: osslcmp.Trace(1 << 70), "limit"),
        (lambda c: TRACE.load(1 << 70), "recording"),
        (lambda c: server.Waiting(-1), "check_after"),
        (lambda c: server.Waiting(1 << 31), "check_after"),
        (lambda c: server.waiting(-1), "times"),
        (lambda c: server.EmbeddedCA(validity=-DAY), "validity"),
        (lambda c: server.EmbeddedCA(crl_grace=-DAY), "crl_grace"),
        (lambda c: server.Profile(max_validity=0 * DAY), "max_validity"),
        (lambda c: server.Profile(rsa_bits=-1), "rsa_bits"),
        (lambda c: server.Profile(ca_path_length=-1), "ca_path_length"),
        (lambda c: MacPolicy(min_salt=-1), "min_salt"),
        (lambda c: server.Server(AUTHORITY, max_transactions=0), "max_transactions"),
        (lambda c: server.Server(AUTHORITY, key_sizes={"XXX": (1, 2)}), "key_sizes: RSA, DSA or EC"),
        (lambda c: server.Server(AUTHORITY, key_sizes={"RSA": (9, 2)}), "key_sizes: RSA, DSA or EC"),
        (lambda c: CHECKED(sans=[5]), "sans: .* not list of int"),
        (lambda c: server.Server(AUTHORITY, clock_tolerance=0), "clock_tolerance"),
        (lambda c: partial(server.Server, AUTHORITY)(strictness=LAX), "strictness: 'strict' or"),
        (lambda c: server.Server(AUTHORITY).serve(threads=0), "threads"),
        (lambda c: server.Server(AUTHORITY).serve(""), "host"),
        (lambda c: server.EmbeddedCA.open(""), "directory"),
        (lambda c: testing.CMPServer(key=b"x"), "certificate and key"),
        (lambda c: testing.waiting(0), "times"),
        (lambda c: testing.delay(-1), "seconds"),
        (lambda c: osslcmp.Trace(file=""), "file"),
        (lambda c: osslcmp.Trace(-1), "limit"),
        (lambda c: renewal.Renewal(**RENEWAL, days=-1), "days"),
        (lambda c: renewal.Renewal(**RENEWAL, request="rr"), "request"),
        (lambda c: transport.HttpxTransport("http://a/", max_response_length=0), "max_response_length"),
    ],
)
def test_other_arguments_are_named(call: Callable[[Client], object], told: str) -> None:
    """The same of what is not a certificate request."""
    with pytest.raises((TypeError, ValueError), match=told):
        call(Client("http://127.0.0.1:1/", **GOOD))


#: What takes anything, or what the value below would be right for.
LATER = {"context", "what", "sni"}
#: What is public and no client's, with the arguments that it needs, and those to try where it takes others' options.
MADE: dict[Any, tuple[dict[str, Any], Sequence[str]]] = {
    server.Server: ({"authority": server.Authority}, ()),
    server.Server.serve: ({}, ()),
    server.EmbeddedCA: ({}, ()),
    server.EmbeddedCA.add_secret: ({"reference": "a", "secret": "b"}, ()),
    PersistentCA: ({}, ()),
    server.Issued: ({}, ()),
    server.Waiting: ({"check_after": 1}, ()),
    server.Rejected: ({"failure_info": osslcmp.FailureInfo.badAlg}, ()),
    server.Revoked: ({}, ()),
    server.Binding: ({}, ()),
    server.Grants: ({}, ()),
    server.Profile: ({}, ()),
    server.ClientCRLs: ({"files": [], "trusted": []}, ()),
    server.ServerTLS: ({"certificate": b"x", "key": b"x"}, ()),
    server.waiting: ({"times": 1}, ()),
    server.delayed: ({"times": 1}, ()),
    server.token_key: ({"uri": "pkcs11:x"}, ()),
    MacPolicy: ({}, ()),
    osslcmp.Trace: ({}, ()),
    osslcmp.Trace.ladder: ({}, ()),
    osslcmp.Trace.html: ({}, ()),
    osslcmp.Trace.svg: ({}, ()),
    osslcmp.Trace.save: ({"path": "x.html"}, ()),
    osslcmp.Trace.print: ({}, ()),
    osslcmp.Trace.of: ({}, ()),
    osslcmp.Trace.of_entries: ({}, ()),
    osslcmp.Trace.load: ({}, ()),
    osslcmp.TLS: ({}, ()),
    osslcmp.LibraryContext: ({}, ()),
    osslcmp.load_provider: ({"name": "x"}, ()),
    osslcmp.PublicationInfo: ({"publish": True}, ()),
    osslcmp.PublicationPlace: ({"method": osslcmp.PublicationMethod.web}, ()),
    osslcmp.Message.from_der: ({"der": b""}, ()),
    transport.HTTPTransport: ({"url": "http://127.0.0.1:1/"}, ()),
    transport.HttpxTransport: ({"url": "http://127.0.0.1:1/"}, ()),
    transport.AsyncHttpxTransport: ({"url": "http://127.0.0.1:1/"}, ()),
    transport.Urllib3Transport: ({"url": "http://127.0.0.1:1/"}, ()),
    transport.FileTransport: ({}, ()),
    transport.relay: ({"directory": "x", "through": bytes}, ()),
    transport.well_known_url: ({"server": "http://127.0.0.1:1/"}, ()),
    testing.CMPServer: ({}, ()),
    testing.CMPServer.quirks: ({}, ["profile", "sign_always", "registration_token"]),
    testing.CMPServer.script: ({}, ["ir"]),
    renewal.Renewal: (RENEWAL, ()),
    renewal.load: ({}, ()),
    renewal.renew: ({}, ()),
    **{
        made: ({}, ())
        for room in (faults, osslcmp.general)
        for made in (getattr(room, name) for name in room.__all__)
        if isfunction(made) and signature(made).parameters
    },
}
WRONG = [object(), 5j, [object()], 1 << 70, "\ud800", "a\0", float("nan"), float("inf"), {object(): 5}]


@pytest.fixture(scope="module")
def selves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[type, Any]]:
    """By class, an object whose methods are tried."""
    with testing.CMPServer() as running:
        yield {type(made): made for made in (running, running.server, server.EmbeddedCA(), osslcmp.Trace())}


def refused_by_name(call: Any, base: dict[str, Any], name: str, wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b|(script|quirks|reject): ") as caught:
        call(**{**base, name: wrong})
    assert not isinstance(caught.value, osslcmp.CMPError)


@pytest.mark.parametrize("made", MADE, ids=lambda made: made.__qualname__)
def test_each_argument_of_all_others(
    made: Any, selves: dict[type, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same of servers, their settings, transports, traces and tests: before a file, a thread or a socket is made."""
    monkeypatch.chdir(tmp_path)
    base, names = MADE[made]
    owner = next((one for one in selves if getattr(one, made.__name__, None) is made), None)
    call = made if owner is None else partial(made, selves[owner])
    if made is PersistentCA:
        base = {"directory": tmp_path / "ca"}
    if made is server.Issued:
        base = {"certificate": selves[server.EmbeddedCA].root}
    threads, open_files = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    for (name, one), wrong in product(signature(call).parameters.items(), WRONG):
        data = wrong == "a\0" and any(kind in str(one.annotation) for kind in ("bytes", "Password"))
        variable = one.kind in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
        if not (names or variable or data or name in ANYTHING | LATER):
            refused_by_name(call, base, name, wrong)
    for name, wrong in product(names, WRONG):
        refused_by_name(call, base, name, wrong)
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() <= threads
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) <= open_files
    assert osslcmp.lib.ERR_peek_error() == 0


@pytest.mark.parametrize(
    "name", [name for name in dir(Context) if isfunction(getattr(Context, name)) and name[0] != "_"]
)
def test_each_argument_of_a_context(name: str) -> None:
    """What a method does not take it tells in Python, by the argument's name or its own."""
    method = getattr(Context, name)
    parameters = [*signature(method).parameters.values()][1:]
    needed: dict[str, Any] = {one.name: None for one in parameters if one.default is one.empty}
    for argument, wrong in product([one.name for one in parameters], WRONG):
        told = argument
        with suppress(osslcmp.UnsupportedError):
            try:
                method(Context(), **{**needed, argument: wrong})
            except (TypeError, ValueError) as error:
                told = str(error)
        assert re.search("|".join([argument, *needed, *name.split("_")[1:]]), told, re.IGNORECASE)


def test_client_pair(pki: PKI) -> None:
    """Certificate and key."""
    with pytest.raises(ValueError, match="match"):
        Client("http://127.0.0.1:1/", certificate=pki.client.certificate, key=pki.server.key)
    with pytest.raises(ValueError, match="both"):
        Client("http://127.0.0.1:1/", certificate=pki.client.certificate)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("ir", {"key": b"garbage"}),
        ("ir", {"subject": "CN=x"}),
        ("ir", {"key": "/nonexistent"}),
        ("cr", {"key": make_key(), "subject": "no name"}),
        ("cr", {"key": make_key(), "days": -1}),
        ("cr", {"key": make_key(), "popo": 17}),
        ("cr", {"key": make_key().public_key(), "subject": "CN=x"}),
        ("kur", {"key": make_key()}),
        ("kur", {"key": make_key(), "certificate": b"garbage"}),
        ("p10cr", {"csr": b"garbage"}),
        ("p10cr", {"csr": b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"}),
        ("rr", {}),
        ("rr", {"issuer": "CN=x"}),
        ("rr", {"serial": 5}),
        ("rr", {"certificate": b"garbage"}),
        ("rr", {"csr": b"garbage"}),
        ("begin", {"req_type": "rr"}),
        ("begin", {"req_type": "xyz"}),
        ("begin", {"req_type": 17}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_requests(method: str, arguments: dict[str, Any]) -> None:
    """Told before anything is sent."""
    sent: list[bytes] = []

    def transport(request: bytes) -> bytes:
        sent.append(request)
        raise AssertionError("sent")

    with pytest.raises((ValueError, OSError)):
        getattr(Client(transport=transport, **GOOD), method)(**arguments)
    assert sent == []


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("ir", {"key": 5}),
        ("ir", {"key": make_key(), "subject": 5}),
        ("ir", {"key": make_key(), "subject": "CN=x", "sans": "a.example"}),
        ("ir", {"key": make_key(), "subject": "CN=x", "sans": [5]}),
        ("ir", {"key": make_key(), "subject": "CN=x", "policies": [5]}),
        ("ir", {"key": make_key(), "subject": "CN=x", "extensions": [5]}),
        ("ir", {"key": make_key(), "subject": "CN=x", "confirm": 5}),
        ("ir", {"key": make_key(), "subject": "CN=x", "no_such_argument": 5}),
        ("genm", {"itavs": [5]}),
        ("genm", {"itavs": [(OID, None)]}),
        ("rr", {"certificate": 5}),
        ("p10cr", {"csr": 5}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_request_types(method: str, arguments: dict[str, Any]) -> None:
    """Of another type."""
    with pytest.raises(TypeError):
        getattr(Client(transport=lambda request: request, **GOOD), method)(**arguments)
