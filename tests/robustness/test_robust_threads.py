"""Many threads: a client each, or one for all; nothing is mixed up, nothing fails."""

from __future__ import annotations

import gc
import queue
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from support.clients import vendor_client, vendor_server
from support.pki import PKI
from support.threads import at_once

import osslcmp
from osslcmp import Context
from osslcmp.client.settings import Settings
from osslcmp.server import EmbeddedCA

SECRET = b"correct horse"
THREADS, ENROLMENTS = 8, 1000

Enrol = Callable[[osslcmp.Client, int], x509.Certificate]


def enrol(cmp: osslcmp.Client, number: int) -> x509.Certificate:
    """A certificate for a new key; that it is for this one is checked."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = cmp.ir(key, subject=f"CN=n{number}").certificate
    assert certificate.public_key() == key.public_key()
    assert certificate.subject.rfc4514_string() == f"CN=n{number}"
    return certificate


def run(clients: list[osslcmp.Client], count: int) -> list[x509.Certificate]:
    """So many enrolments, by as many threads as there are clients; raises what any of them raised."""
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(count):
        todo.put(number)
    done: list[x509.Certificate] = []

    def work(cmp: osslcmp.Client) -> None:
        with suppress(queue.Empty):
            while True:
                done.append(enrol(cmp, todo.get_nowait()))

    at_once(work, clients)
    return done


class Site:
    """A server, and who may enrol there."""

    def __init__(self, pki: PKI) -> None:
        self.pki = pki
        self.ca = EmbeddedCA({"ref": SECRET})
        self.server = vendor_server(pki, self.ca)

    def client(self, mac: bool, **options: Any) -> osslcmp.Client:
        """A client for it."""
        return vendor_client(self.pki, SECRET if mac else None, **options)

    def settings(self) -> Settings:
        """What a client would put into each context."""
        me = self.pki.client
        setters: list[Any] = [
            (Context.set_cert, me.certificate),
            (Context.set_pkey, me.key),
            (Context.set_untrusted, me.chain[:1]),
            (Context.set_trusted_store, [self.pki.root.certificate]),
        ]
        return Settings(setters, None, self.server, me.certificate, me.key, None, 60, None, None)


@pytest.fixture
def site(pki: PKI) -> Site:
    """A new one."""
    return Site(pki)


def check(certificates: list[x509.Certificate], count: int, site: Site) -> None:
    """All are there, each once, all confirmed."""
    assert len({certificate.serial_number for certificate in certificates}) == count
    assert site.server.open_transactions == 0


def test_a_client_each(site: Site) -> None:
    """1,000 enrolments by 8 threads, half of them with a shared secret, half with signatures."""
    clients = [site.client(number % 2 == 0, transport=site.server) for number in range(THREADS)]
    check(run(clients, ENROLMENTS), ENROLMENTS, site)


@pytest.mark.parametrize("mac", [True, False], ids=["mac", "signature"])
def test_one_client_for_all(mac: bool, site: Site) -> None:
    """A client may be used by many threads at once."""
    cmp = site.client(mac, transport=site.server)
    check(run([cmp] * THREADS, 200), 200, site)


@pytest.mark.parametrize("keep_alive", [True, False])
def test_over_http(keep_alive: bool, site: Site) -> None:
    """The same with connections."""
    with site.server.serve() as running:
        clients = [
            site.client(number % 2 == 0, server=running.url, keep_alive=keep_alive)
            for number in range(THREADS)
        ]
        check(run(clients, 160), 160, site)


def test_one_trace_for_all(site: Site) -> None:
    """A trace may be shared as well."""
    trace = osslcmp.Trace()
    clients = [site.client(True, transport=site.server, trace=trace) for _ in range(THREADS)]
    check(run(clients, 80), 80, site)
    assert len(trace) == 320
    assert {len(entries) for entries in trace.transactions.values()} == {4}


def test_contexts_take_turns_with_the_certificates(site: Site) -> None:
    """Certificates in C belong to one context at a time: what overlaps has its own, and they come back."""
    settings = site.settings()
    first, second = settings.context(), settings.context()
    assert len(settings.idle) == 0
    del first
    assert len(settings.idle) == 1
    (kept,) = settings.idle
    third = settings.context()
    assert not settings.idle
    del second, third
    assert len(settings.idle) == 2
    assert any(each is kept for each in settings.idle)
    handles = [{handle for _, handle in each.values()} for each in settings.idle]
    assert handles[0].isdisjoint(handles[1])


def test_collected_contexts_give_back_what_lives(site: Site) -> None:
    """The garbage collector finalizes all of a cycle at once: the certificates must not be freed with the context."""
    settings = site.settings()
    for _ in range(3):
        context: Any = settings.context()
        context.cycle = context
        del context
        gc.collect()
        assert not settings.in_use
        (certs,) = settings.idle
        assert certs
        for _, handle in certs.values():
            assert osslcmp.lib.X509_up_ref(handle) == 1  # fails if there was no reference before
            osslcmp.lib.X509_free(handle)


def test_trust_does_not_grow(site: Site) -> None:
    """caPubs of a MAC-protected answer, which OpenSSL trusts for that transaction, do not stay with the client."""
    signing = site.ca.server(sign_always=True)
    answer: Callable[[bytes], bytes]

    def transport(request: bytes) -> bytes:
        return answer(request)

    cmp = site.client(True, transport=transport, trusted=site.pki.other_root.certificate)
    for _ in range(3):
        answer = site.server
        assert site.ca.root in cmp.ir(ec.generate_private_key(ec.SECP256R1()), subject="CN=x").ca_pubs
        answer = signing
        with pytest.raises(osslcmp.ProtectionError):
            cmp.ca_certs()
    assert site.client(True, transport=transport, trusted=site.ca.root).ca_certs()
