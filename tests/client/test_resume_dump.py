"""What the dump of a request that waits holds, and which dumps are refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.clients import PROTECTIONS, secret_context
from support.pending import damaged
from support.waiting import SECRET, Site

import osslcmp
from osslcmp.server import EmbeddedCA


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_no_secret_in_it(protection: str, site: Site) -> None:
    """Neither the shared secret nor a private key, in whatever encoding."""
    dump = site.begin("ir", protection).dump()
    values = json.loads(dump)["transaction"].values()
    texts = [value for value in values if isinstance(value, str) and len(value) > 20]
    parts = [dump, *(base64.b64decode(text + "===") for text in texts)]
    for key in (site.key, site.new_key):
        number = key.private_numbers().private_value.to_bytes(32, "big")
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for part in parts:
            assert number not in part
            assert pem not in part
            assert number.hex().encode() not in part
    for part in parts:
        assert SECRET not in part
        assert base64.b64encode(SECRET) not in part


def test_what_people_can_read(site: Site) -> None:
    """It says what it is, where it went and when to ask."""
    with site.server.serve() as running:
        dump = site.client(url=running.url).begin("ir", **site.request("ir")).dump()
        whole = json.loads(dump)
        assert whole["format"] == "osslcmp.Transaction"
        assert whole["version"] == 1
        assert whole["transaction"]["type"] == "ir"
        assert whole["transaction"]["terms"]["server"] == running.url


def test_damaged(site: Site) -> None:
    """A cut or changed dump is told, whatever happened to it."""
    dump = site.begin().dump()
    cmp = site.client()
    for size in (0, 1, 20, len(dump) // 2, len(dump) - 2):
        with pytest.raises(ValueError, match=r"^dump: "):
            cmp.resume(dump[:size])
    for at in range(0, len(dump), 7):
        changed = dump[:at] + bytes([dump[at] ^ 0x11]) + dump[at + 1 :]
        try:
            json_before, json_after = json.loads(dump), json.loads(changed)
        except ValueError:
            json_before = json_after = None
        if json_before is not None and json_before == json_after:
            continue  # white space
        with pytest.raises(ValueError, match=r"^dump: "):
            cmp.resume(changed)


@pytest.mark.parametrize(
    "contents",
    [b"", b"\xff\x00", b"[]", b"null", b"5", b"{}", b'{"format": "osslcmp.Transaction"}', b"[" * 100000],
)
def test_not_a_dump(contents: bytes, site: Site) -> None:
    """Something else altogether."""
    with pytest.raises(ValueError, match=r"^dump: "):
        site.client().resume(contents)


@pytest.mark.parametrize("what", [None, "text", 5])
def test_not_bytes(what: Any, site: Site) -> None:
    """A type error is one."""
    with pytest.raises(TypeError):
        site.client().resume(what)


def test_unknown_version(site: Site) -> None:
    """One from the future is not guessed at."""
    whole = json.loads(site.begin().dump())
    whole["version"] = 2
    with pytest.raises(ValueError, match="version 2"):
        site.client().resume(json.dumps(whole).encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "rr"},
        {"type": None},
        {"type": 5},
        {"waiting": None},
        {"waiting": "MAA="},
        {"waiting": "not base64"},
        {"waiting": 5},
        {"poll": "MAA="},
        {"begun": "yesterday"},
        {"due": None},
        {"due": float("nan")},
        {"due": True},
        {"terms": None},
        {"terms": {"unknown": 1}},
        {"terms": {"server": 5}},
        {"terms": {"confirm": "yes"}},
        {"subject": "MAA"},
        {"subject": "AAAA"},
        {"csr": "MAA="},
        {"old_certificate": "MAA="},
        {"public_key": "MAA="},
        {"public_key": None, "type": "p10cr"},
        {"surplus": 1},
    ],
    ids=str,
)
def test_senseless(changes: dict[str, Any], site: Site) -> None:
    """Right checksum, but no transaction that could be."""
    with pytest.raises(ValueError, match=r"^dump: "):
        site.client().resume(damaged(site.begin().dump(), **changes))


def test_messages_of_two_transactions(site: Site) -> None:
    """A mixture of dumps."""
    one, two = (json.loads(site.begin().dump())["transaction"] for _ in range(2))
    with pytest.raises(ValueError, match="different transactions"):
        site.client().resume(damaged(site.begin().dump(), waiting=one["waiting"], poll=two["poll"]))


def test_forged_messages(site: Site) -> None:
    """A dump is not believed: what the server said is verified again."""
    dump = site.begin().dump()
    poll = bytearray(base64.b64decode(json.loads(dump)["transaction"]["poll"]))
    at = poll.rindex(b"\x02\x01\x00")  # checkAfter
    poll[at + 2] = 1
    with pytest.raises(osslcmp.ProtectionError):
        site.client().resume(damaged(dump, poll=base64.b64encode(poll).decode()))


def test_with_other_credentials(site: Site) -> None:
    """A client that shares another secret, or trusts others, is refused at once."""
    dump = site.begin().dump()
    other = osslcmp.Client(transport=site.server, reference="ref", secret="another")
    with pytest.raises(osslcmp.ProtectionError):
        other.resume(dump)
    dump = site.begin("cr", "signature").dump()
    other_root = EmbeddedCA({}).root
    stranger = osslcmp.Client(
        transport=site.server,
        certificate=site.own.certificate,
        key=site.key,
        chain=site.own.chain,
        trusted=other_root,
    )
    with pytest.raises(osslcmp.ProtectionError):
        stranger.resume(dump)


def test_nothing_to_dump(site: Site) -> None:
    """What is done, or was never answered, has no dump."""
    transaction = site.begin()
    site.released = True
    transaction.wait()
    with pytest.raises(RuntimeError, match="nothing to resume"):
        transaction.dump()

    def nobody(_request: bytes) -> bytes:
        raise ConnectionError

    unanswered = osslcmp.Transaction(secret_context(nobody), osslcmp.IR)
    unanswered.context.set_new_pkey(site.new_key)
    with pytest.raises(RuntimeError, match="nothing to resume"):
        unanswered.dump()
    with pytest.raises(ConnectionError):
        unanswered.poll()
    with pytest.raises(RuntimeError, match="nothing to resume"):
        unanswered.dump()
