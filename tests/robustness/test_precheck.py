"""What is looked at before libcrypto decodes and verifies a message: limits, and algorithms that it takes on trust.

What would crash or hang this process is played in child processes.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from support import hostile, places, work
from support.forge import Forger, octets, read, sequence
from support.oversized import big_name, certificate, certificate_der, long_serial, names
from support.pki import make_key
from support.processes import importing
from support.serving import Served
from support.work import with_extra

import osslcmp
from osslcmp import Limits
from osslcmp._asn1 import der
from osslcmp._asn1.der import encode, explicit
from osslcmp._openssl.received import limits_to_c, violation
from osslcmp.server import CertificateRequest, EmbeddedCA, MalformedMessageError, Server, Waiting, wire

HERE = Path(__file__).parent
TESTS = HERE.parent
#: Seconds for a message: far more than any takes, far less than for ever.
HANG = 60
#: Seconds for all cases of one way.
ALL = 900


def child(*args: str, timeout: float = ALL) -> str:
    """What a child process prints; it must end by itself, and well."""
    run = subprocess.run(
        [sys.executable, "-X", "faulthandler", *args],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=importing(TESTS, HERE),
        cwd=HERE,
        check=False,
    )
    assert run.returncode == 0, f"exit {run.returncode} after {run.stdout[-200:]!r}: {run.stderr[-2000:]}"
    return run.stdout


@pytest.mark.parametrize("surface", hostile.SURFACES)
def test_algorithms(surface: str) -> None:
    """No type of ASN.1 value in the place of a protectionAlg or its parameters does harm, on any way in."""
    lines = child("-m", "support.hostile", surface).splitlines()
    assert lines[-1] == "END"
    assert not [line for line in lines if "UNDOCUMENTED" in line][:3]


@pytest.mark.parametrize("surface", places.SURFACES)
def test_places(surface: str) -> None:
    """Nor does any in the other places whose type libcrypto does not look at: algorithms within requests and answers,
    controls, general information, extensions, key material."""
    lines = child("-m", "support.places", surface).splitlines()
    assert lines[-1] == "END"
    assert not [line for line in lines if "UNDOCUMENTED" in line][:3]


# -- limits -------------------------------------------------------------------------------------------------


def nested(depth: int) -> bytes:
    """An InfoTypeAndValue with so many SEQUENCEs in each other."""
    value = encode(der.NULL)
    for _ in range(depth):
        value = sequence(value)
    return sequence(der.encode_oid("1.2.3"), value)


def pbkdf2(iterations: int) -> bytes:
    """An InfoTypeAndValue with so many iterations, which stand in CMS objects otherwise."""
    parameters = sequence(octets(b"salt" * 4), der.encode_integer(iterations))
    return sequence(der.encode_oid("1.2.3"), sequence(der.encode_oid("1.2.840.113549.1.5.12"), parameters))


#: What exceeds each limit, as a change of an error message of a Forger.
EXCEEDING: dict[str, Callable[[Forger], bytes]] = {
    "message_size": lambda f: f.message(23, sequence(octets(b"x" * (16 * 1024 * 1024)))),
    "depth": lambda f: f.but(info=(nested(60),)).error(),
    "elements": lambda f: f.message(23, sequence(encode(der.NULL) * 1_000_001)),
    "certificates": lambda f: with_extra(f.error(), *[certificate_der()] * 101),
    "oid_length": lambda f: f.but(info=(sequence(encode(der.OID, b"\x2a" * 129)),)).error(),
    "integer_length": lambda f: f.but(
        info=(sequence(der.encode_oid("1.2.3"), encode(der.INTEGER, b"\x11" * 4097)),)
    ).error(),
    "serial_number_length": lambda f: with_extra(f.error(), long_serial(129)),
    "name_length": lambda f: with_extra(f.error(), certificate_der(issuer=big_name(110))),
    "extension_length": lambda f: with_extra(f.error(), certificate_der(extensions=(names(3000),))),
    "text_length": lambda f: f.error("x" * 16385),
    "iterations": lambda f: f.but(info=(pbkdf2(2_000_001),)).error(),
    "printed_line": lambda f: with_extra(f.error(), certificate_der(extensions=(names(200),))),
    "explicit_curves": lambda f: with_extra(f.error(), work.with_key(work.own_curve(), 2)),
    "exponent_bits": lambda f: work.rsa_keys(lambda _: f.error(), 2048, 1 << 256, 1),
}
#: What no message has: see test_tls_hostile.py.
OF_TLS = {"tls_certificates"}


def test_all_limits_are_tried() -> None:
    """A new limit needs a test."""
    assert set(EXCEEDING) | OF_TLS == set(vars(Limits()))


@pytest.mark.parametrize("name", EXCEEDING)
def test_limit(name: str) -> None:
    """A message beyond a limit is refused on both sides with an error that names the limit and has the message."""
    message = EXCEEDING[name](Forger())
    server = Server(EmbeddedCA({"ref": b"secret"}), max_message_size=1 << 25)
    with pytest.raises(MalformedMessageError, match=name) as refused:
        server.process(message)
    assert refused.value.limit == name
    with pytest.raises(ValueError, match=name):
        osslcmp.Message.from_der(message)
    with pytest.raises(osslcmp.ResponseError, match=f"refused.*{name}=") as caught:
        hostile.client(lambda _: message).cr(make_key(), subject="CN=x")
    assert caught.value.answer == message
    assert server.open_transactions == 0


def raised(name: str) -> Limits:
    """Limits with one of them out of the way, as far as possible."""
    most = {"depth": 128, "printed_line": 3900}.get(name, 2**31 - 1)
    return Limits(**{name: most})


@pytest.mark.parametrize("name", [name for name in EXCEEDING if name not in ("printed_line", "depth")])
def test_limit_raised(name: str) -> None:
    """The same message passes when that limit is higher."""
    message = EXCEEDING[name](Forger())
    assert violation(message) is not None
    found = violation(message, raised(name))
    # A long enough list of names makes a long line, too.
    assert found is None or found.limit == "printed_line"


def test_limits_reach_both_sides() -> None:
    """Limits of a client and of a server count there and nowhere else."""
    low = Limits(certificates=1)
    server = Server(EmbeddedCA({"ref": b"secret"}))
    client = osslcmp.Client(transport=server, reference="ref", secret=b"secret", limits=low)
    with pytest.raises(osslcmp.ResponseError, match="certificates=1"):
        client.ir(make_key(), subject="CN=x")
    assert hostile.client(server).ir(make_key(), subject="CN=x").certificate
    strict = Server(EmbeddedCA({"ref": b"secret"}), limits=Limits(text_length=10))
    with pytest.raises(osslcmp.CMPError, match="text_length=10"):
        hostile.client(strict).ir(make_key(), subject="CN=a name of more than ten")


def test_limits_that_cannot_be() -> None:
    """Limits are checked when they are made; the defaults are those of C."""
    for wrong in (0, -1, 2**31):
        with pytest.raises(ValueError, match="certificates"):
            Limits(certificates=wrong)
    with pytest.raises(ValueError, match="printed_line: 3901 is out of range 1 to 3900"):
        Limits(printed_line=3901)
    with pytest.raises(ValueError, match="depth"):
        Limits(depth=129)
    with pytest.raises(ValueError, match="explicit_curves: -1"):
        Limits(explicit_curves=-1)
    for nonsense in ("1", 1.0, True, None):
        with pytest.raises(TypeError, match="depth"):
            Limits(depth=nonsense)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="limits"):
        osslcmp.Context().set_limits({})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="limits"):
        Server(EmbeddedCA({"ref": b"secret"}), limits={})  # type: ignore[arg-type]
    defaults = osslcmp.ffi.new("osslcmp_finding *")
    assert osslcmp.lib.osslcmp_check_msg(b"0" * (1 << 25), 1 << 25, osslcmp.ffi.NULL, defaults) == 0
    assert defaults.limit == Limits().message_size == limits_to_c(Limits()).message


# -- what hangs libcrypto -----------------------------------------------------------------------------------

HANGING = {
    "names": lambda: certificate(extensions=(names(160),)),
    "issuer": lambda: certificate(issuer=big_name(62)),
    "uri": lambda: certificate(
        extensions=(x509.SubjectAlternativeName([x509.UniformResourceIdentifier("http://" + "x" * 5000)]),)
    ),
    "crl distribution point": lambda: certificate(
        extensions=(
            x509.CRLDistributionPoints(
                [
                    x509.DistributionPoint(
                        [x509.UniformResourceIdentifier("http://" + "x" * 5000)], None, None, None
                    )
                ]
            ),
        )
    ),
    "policy notice": lambda: certificate(
        extensions=(
            x509.CertificatePolicies(
                [x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), [x509.UserNotice(None, "x" * 5000)])]
            ),
        )
    ),
    "policy numbers": lambda: certificate(
        extensions=(
            x509.CertificatePolicies(
                [
                    x509.PolicyInformation(
                        x509.ObjectIdentifier("1.2.3"),
                        [x509.UserNotice(x509.NoticeReference("x", list(range(10000, 10900))), None)],
                    )
                ]
            ),
        )
    ),
    "usages": lambda: certificate(
        extensions=(x509.ExtendedKeyUsage([x509.ObjectIdentifier(f"1.2.3.{n}") for n in range(600)]),)
    ),
    "usages with long names": lambda: certificate(
        extensions=(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH] * 150),)
    ),
    "comment": lambda: certificate(
        extensions=(
            x509.UnrecognizedExtension(
                x509.ObjectIdentifier("2.16.840.1.113730.1.13"), encode(0x16, b"x" * 5000)
            ),
        )
    ),
}


def hang(name: str, direction: str) -> None:
    """In a child: a message with a wrong signature whose certificate libcrypto would print."""
    own, key = HANGING[name]()
    forger = Forger(secret=None, reference=None, certificate=own, key=key)
    other = ec.generate_private_key(ec.SECP256R1())
    if direction == "server":
        server = Server(EmbeddedCA({"ref": b"secret"}), trusted=[certificate()[0]])
        message = forger.request()
        wrong = message.replace(_protection(message), os.urandom(len(_protection(message))))
        try:
            server.process(wrong)
        except MalformedMessageError as error:
            print(error.limit)
        return

    def transport(request: bytes) -> bytes:
        header = wire.read_message(request).header
        forged = forger.but(key=other, transaction_id=header.transaction_id, recip_nonce=header.sender_nonce)
        return forged.error()

    mine, my_key = certificate()
    cmp = osslcmp.Client(transport=transport, certificate=mine, key=my_key, trusted=mine)
    try:
        cmp.cr(make_key(), subject="CN=x")
    except osslcmp.ResponseError as error:
        print(str(error).rpartition("limit ")[2].partition("=")[0])


def _protection(message: bytes) -> bytes:
    field = next(field for field in der.sequence(message) if field.tag == explicit(0))
    return field.content[-16:]


@pytest.mark.parametrize("direction", ["server", "client"])
@pytest.mark.parametrize("name", HANGING)
def test_hang(name: str, direction: str) -> None:
    """A certificate that libcrypto prints for ever when a signature is wrong is refused before."""
    printed = child("-c", f"import test_precheck; test_precheck.hang({name!r}, {direction!r})", timeout=HANG)
    assert printed == "printed_line\n"


# -- what must pass -----------------------------------------------------------------------------------------


def test_real_messages_pass() -> None:
    """Long signatures, large keys, many alternative names and many certificates are nothing special."""
    forger = Forger()
    slh_dsa = sequence(der.encode_oid("2.16.840.1.101.3.4.3.31"))
    whole = der.sequence(certificate()[0].public_bytes(Encoding.DER))
    spki = sequence(slh_dsa, encode(der.BIT_STRING, b"\0" + b"k" * 2592))
    large = sequence(whole[0].encoding, slh_dsa, encode(der.BIT_STRING, b"\0" + b"s" * 49856))
    modulus = sequence(der.encode_integer(2**16384 - 1), der.encode_integer(65537))
    assert violation(with_extra(forger.error(), *[large] * 8)) is None
    assert violation(with_extra(forger.error(), certificate_der(extensions=(names(100),)))) is None
    assert violation(with_extra(forger.error(), *[certificate_der()] * 100)) is None
    assert violation(forger.message(22, sequence(sequence(der.encode_oid("1.2.3"), spki), modulus))) is None
    revoked = sequence(der.encode_integer(2**159), encode(der.UTC_TIME, b"260101000000Z"))
    assert (
        violation(
            forger.message(22, sequence(sequence(der.encode_oid("1.2.3"), sequence(revoked * 100_000))))
        )
        is None
    )


def test_unknown_extensions_pass() -> None:
    """What libcrypto does not know it does not print: hybrid certificates carry a second signature so."""
    second = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.74"), encode(0x03, b"\0" + b"s" * 5000))
    assert violation(with_extra(Forger().error(), certificate_der(extensions=(second,)))) is None


def test_indefinite_lengths_pass() -> None:
    """Some servers send CMS objects in BER, which libcrypto reads."""
    inner = b"\x30\x80" + der.encode_oid("1.2.3") + b"\x24\x80\x04\x01a\x04\x01b\0\0" + b"\0\0"
    assert violation(Forger().but(info=(inner,)).error()) is None


def test_encrypted_value_without_iv() -> None:
    """libcrypto reads the IV of an EncryptedValue out of parameters that may not be there."""
    for parameters, fine in ((b"", False), (octets(b"i" * 16), True)):
        symmetric = encode(0xA1, der.encode_oid("2.16.840.1.101.3.4.1.2"), parameters)
        value = sequence(
            symmetric, encode(0x82, b"\0" + b"k" * 256), encode(der.BIT_STRING, b"\0" + b"v" * 64)
        )
        response = sequence(
            der.encode_integer(0), sequence(der.encode_integer(0)), sequence(encode(explicit(1), value))
        )
        found = violation(Forger().message(1, sequence(sequence(response))))
        assert (found is None) == fine, found


# -- whoever has proved nothing changes nothing -------------------------------------------------------------


class Slow(EmbeddedCA):
    """Lets everybody wait."""

    def issue(self, request: CertificateRequest) -> Waiting:
        """Not yet."""
        return Waiting(0)


@pytest.mark.parametrize("strictness", ["strict", "openssl"])
def test_forged_messages_with_unreadable_certificates(
    strictness: Literal["strict", "openssl"], caplog: pytest.LogCaptureFixture
) -> None:
    """Certificates that one library reads and the other does not cost nobody else an open transaction."""
    chance = random.Random(4211)
    own, key = certificate(extensions=(names(3), x509.KeyUsage(True, *[False] * 8)))
    whole = own.public_bytes(Encoding.DER)
    server = Server(Slow({"ref": b"secret"}), trusted=[own], strictness=strictness)
    victim = Forger()
    polling = victim.answering(server.process(victim.request()))
    attacker = Forger(secret=None, reference=None, certificate=own, key=key)
    signed = attacker.but(transaction_id=victim.transaction_id, recip_nonce=polling.recip_nonce)
    for number in range(400):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(damaged))
            damaged[place] = chance.choice(
                (chance.randrange(256), damaged[place] ^ 1 << chance.randrange(8), 0x0C)
            )
        message = (
            signed.poll(),
            polling.but(secret=b"wrong").poll(),
            signed.error(),
            attacker.but(transaction_id=os.urandom(16)).request(),
        )[number % 4]
        with contextlib.suppress(MalformedMessageError):
            server.process(with_extra(message, *[bytes(damaged)] * chance.randint(1, 2)))
        assert server.open_transactions == 1
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert read(server.process(polling.poll())).kind == osslcmp.BodyType.POLLREP


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_log_that_cannot_be_written(tmp_path: Path) -> None:
    """A line of the log that finds no room costs nobody an answer."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    arguments: list[str | Path] = [
        "--port",
        "0",
        "--directory",
        tmp_path / "ca",
        "--reference",
        "ref",
        "--secret-file",
        secret,
    ]
    served = Served(*arguments, "--verbose", log=Path("/dev/full"))
    try:
        cmp = osslcmp.Client(served.url, reference="ref", secret=b"secret", proxy="")
        assert cmp.ir(make_key(), subject="CN=\u2603").certificate
    finally:
        with contextlib.suppress(OSError):
            served.end()


def test_replaced_at_the_server_by_http() -> None:
    """Over HTTP what is refused is answered with status 400, and nothing is left of it."""
    import urllib.error
    import urllib.request

    server = Server(EmbeddedCA({"ref": b"secret"}))
    message = EXCEEDING["printed_line"](Forger())
    with server.serve() as running:
        request = urllib.request.Request(
            running.url, data=message, headers={"Content-Type": "application/pkixcmp"}
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=30)
        assert caught.value.code == 400
        caught.value.close()
        client = osslcmp.Client(running.url, reference="ref", secret=b"secret", proxy="")
        assert client.ir(make_key(), subject="CN=x").certificate
    assert server.open_transactions == 0


def test_many_names_in_a_new_certificate() -> None:
    """A line that is too long counts where libcrypto looks for the signer alone: such a certificate can be issued."""
    ca = EmbeddedCA({"ref": "secret"})
    client = osslcmp.Client(transport=ca.server().process, reference="ref", secret="secret")
    names = [f"host-{number}.department.example" for number in range(300)]
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = client.ir(key, subject="CN=many", sans=names).certificate
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert found.get_values_for_type(x509.DNSName) == names
