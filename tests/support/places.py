"""Every type of ASN.1 value in every place of a message whose type libcrypto takes on trust, for a child process.

``python -m support.places SURFACE --whole`` plays them all (some 80,000 for each surface), and prints the name of each
place before it is played: what ends the process is seen by what is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cache, partial

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

import osslcmp
from osslcmp._asn1 import der, oids
from osslcmp._asn1.der import encode, explicit
from osslcmp.server import EmbeddedCA, MalformedMessageError, Server, wire

from . import hostile, work
from .forge import ECDSA_SHA256, HMAC_SHA256, SHA256, Forger, octets, sequence

_AES = "2.16.840.1.101.3.4.1.2"
_PBM = oids.PASSWORD_BASED_MAC
ALGORITHMS = (
    _PBM, "1.2.840.113533.7.66.30", "1.2.840.113533.7.66.16", "1.2.840.113549.1.5.14", "1.2.840.113549.1.5.13",
    "1.2.840.113549.1.5.12", "1.2.840.113549.1.5.3", "1.2.840.113549.1.12.1.3", "1.3.6.1.4.1.11591.4.11", _AES,
    "2.16.840.1.101.3.4.1.5", "2.16.840.1.101.3.4.1.6", "2.16.840.1.101.3.4.1.7", "1.2.840.113549.3.2",
    "1.2.840.113549.3.7", "1.2.840.113549.1.9.16.3.6", "1.2.840.113549.1.9.16.3.5", "1.3.132.1.11.1",
    "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.7", "1.2.840.113549.1.1.8", "1.2.840.113549.1.1.9",
    "1.2.840.113549.1.1.10", "1.2.840.10045.2.1", "1.2.840.10045.4.3.2", "1.2.840.10040.4.1", "1.2.840.10046.2.1",
    "1.2.840.113549.1.3.1", "1.3.101.110", "1.3.101.112", "2.16.840.1.101.3.4.2.1", "1.2.840.113549.2.9",
    "1.2.643.7.1.1.1.1", "1.2.156.10197.1.301", "1.2.3.4.5",
)  # fmt: skip
"""Those whose parameters libcrypto has a structure for, and some of the others."""


@cache
def values() -> tuple[bytes, ...]:
    """A value of each type, of nothing and of something; and some that are deep."""
    inner = der.encode_integer(5)
    found = [b""]
    for tag in (*range(1, 31), *range(0x80, 0x89)):
        found += [encode(tag, b"\1"), encode(tag, b"")]
        if tag in (der.OCTET_STRING, der.BIT_STRING, 16, 17) or tag & 0x80:
            found += [encode(tag | 0x20, b""), encode(tag | 0x20, inner)]
    null = encode(der.NULL)
    return (*found, sequence(sequence(sequence())), sequence(octets(b"s" * 16), inner),
            sequence(null, null), sequence(octets(b""), octets(b""), null), octets(b"i" * 16), octets(b"i" * 200),
            sequence(octets(b"n" * 12), inner), der.encode_oid("1.2.840.10045.3.1.7"), inner * 2)  # fmt: skip


def few() -> tuple[bytes, ...]:
    """One of each type."""
    return values()[:1] + tuple(value for value in values()[1:] if len(value) != 2) + (sequence(),)


def algorithms() -> Iterator[bytes]:
    """AlgorithmIdentifiers, of which one or more fields are of any type."""
    for oid in ALGORITHMS:
        for value in few():
            yield sequence(der.encode_oid(oid), value)
    for value in values():
        yield value
        yield sequence(value)
        yield from pbm_with(value)
        yield from (
            sequence(der.encode_oid(_PBES2), sequence(value, _AES_CBC)),
            sequence(der.encode_oid(_PBES2), sequence(_PBKDF2, value)),
            sequence(der.encode_oid(_PBES2), sequence(_pbkdf2(value), _AES_CBC)),
            sequence(der.encode_oid("1.2.840.113549.1.5.14"), sequence(_pbkdf2(value), HMAC_SHA256)),
            sequence(der.encode_oid("1.2.840.113549.1.5.14"), sequence(_PBKDF2, value)),
            sequence(der.encode_oid("1.2.840.113533.7.66.30"), sequence(value, HMAC_SHA256)),
            sequence(der.encode_oid("1.2.840.113533.7.66.30"), sequence(SHA256, value)),
            *(
                sequence(
                    der.encode_oid(f"1.2.840.113549.1.1.{number}"), sequence(encode(explicit(field), value))
                )
                for number in (7, 10)
                for field in range(4)
            ),
        )


def pbm_with(value: bytes) -> Iterator[bytes]:
    """PBMParameter whose hash and MAC have these parameters, or are this."""
    for owf, mac in ((value, HMAC_SHA256), (SHA256, value),
                     (sequence(der.encode_oid("2.16.840.1.101.3.4.2.1"), value), HMAC_SHA256),
                     (SHA256, sequence(der.encode_oid("1.2.840.113549.2.9"), value))):  # fmt: skip
        yield sequence(der.encode_oid(_PBM), sequence(octets(b"salt" * 4), owf, der.encode_integer(100), mac))


_PBES2 = "1.2.840.113549.1.5.13"
_AES_CBC = sequence(der.encode_oid(_AES), octets(b"i" * 16))


def _pbkdf2(prf: bytes) -> bytes:
    return sequence(
        der.encode_oid("1.2.840.113549.1.5.12"), sequence(octets(b"salt" * 2), der.encode_integer(1), prf)
    )


_PBKDF2 = _pbkdf2(b"")
_BITS = encode(der.BIT_STRING, b"\0" + b"b" * 64)


def implicit(number: int, algorithm: bytes) -> bytes:
    """What is there of an algorithm, with an implicit tag."""
    try:
        return encode(explicit(number), der.read(algorithm).content)
    except ValueError:
        return encode(explicit(number), algorithm)


Place = Callable[[Forger, bytes], bytes]
"""Makes a message that has this there."""


def _control(oid: str) -> Place:
    return lambda f, value: f.request(controls=sequence(sequence(der.encode_oid(oid), value)))


def _registration(oid: str) -> Place:
    def make(f: Forger, value: bytes) -> bytes:
        request = sequence(der.encode_integer(0), sequence())
        info = sequence(sequence(der.encode_oid(oid), value))
        return f.message(0, sequence(sequence(request, encode(0x80, b""), info)))

    return make


def _info(kind: int, oid: str) -> Place:
    return lambda f, value: f.message(kind, sequence(sequence(der.encode_oid(oid), value)))


def _popo(make: Callable[[bytes], bytes]) -> Place:
    return lambda f, value: f.request(key=work.KEY, popo=make(value))


def _archived(value: bytes) -> bytes:
    """PKIArchiveOptions with an EncryptedValue."""
    return encode(explicit(0), value)


def encrypted_value(
    intended: bytes = b"", symmetric: bytes = b"", key_algorithm: bytes = b"", key: bytes = b"k" * 256
) -> bytes:
    """An EncryptedValue."""
    return sequence(
        *(implicit(n, a) for n, a in ((0, intended), (1, symmetric)) if a),
        encode(0x82, b"\0" + key),
        *(implicit(3, key_algorithm) for _ in range(1 if key_algorithm else 0)),
        _BITS,
    )


def enveloped(key_info: bytes, content: bytes = _AES_CBC) -> bytes:
    """EnvelopedData with one recipient."""
    data = sequence(der.encode_oid("1.2.840.113549.1.7.1"), content, encode(0x80, b"c" * 16))
    return encode(explicit(0), der.encode_integer(2), encode(0x31, key_info), data)


def _recipients(algorithm: bytes) -> Iterator[bytes]:
    serial = sequence(sequence(), der.encode_integer(5))
    yield sequence(der.encode_integer(0), serial, algorithm, octets(b"k" * 256))
    yield encode(
        explicit(1),
        der.encode_integer(3),
        encode(explicit(0), encode(explicit(1), algorithm, _BITS)),
        algorithm,
        sequence(sequence(serial, octets(b"k" * 24))),
    )
    yield encode(explicit(3), der.encode_integer(0), implicit(0, algorithm), algorithm, octets(b"k" * 24))


def _template(make: Callable[[bytes], bytes]) -> Place:
    """A request with nothing but a template."""

    def request(f: Forger, value: bytes) -> bytes:
        asked = sequence(der.encode_integer(0), sequence(make(value)))
        return f.message(0, sequence(sequence(asked, encode(0x80, b""))))

    return request


def _csr(key_algorithm: bytes, signature: bytes, attributes: bytes = b"") -> bytes:
    info = sequence(
        der.encode_integer(0), sequence(), sequence(key_algorithm, _BITS), encode(explicit(0), attributes)
    )
    return sequence(info, signature, _BITS)


def _extension(oid: str, value: bytes) -> bytes:
    return sequence(der.encode_oid(oid), octets(value))


EXTENSIONS = (
    *(f"2.5.29.{number}" for number in (9, 14, 15, 16, 17, 18, 19, 20, 24, 27, 28, 29, 30, 31, 32, 33, 35, 36, 37, 46, 54)),
    "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.7", "1.3.6.1.5.5.7.1.8", "1.3.6.1.5.5.7.1.14", "1.3.6.1.5.5.7.1.24",
    "1.3.6.1.4.1.11129.2.4.2", "2.16.840.1.113730.1.1",
)  # fmt: skip

REQUESTS: dict[str, Place] = {
    **{f"control {number}": _control(f"1.3.6.1.5.5.7.5.1.{number}") for number in range(1, 13)},
    **{f"regInfo {number}": _registration(f"1.3.6.1.5.5.7.5.2.{number}") for number in (1, 2)},
    **{f"genm {number}": _info(21, f"1.3.6.1.5.5.7.4.{number}") for number in range(1, 25)},
    "genm origPKIMessage": _info(21, "1.2.840.113549.1.9.16.1.21"),
    "generalInfo": lambda f, v: f.but(info=(sequence(der.encode_oid("1.3.6.1.5.5.7.4.13"), v),)).genm(),
    "generalInfo profile": lambda f, v: f.but(
        info=(sequence(der.encode_oid("1.3.6.1.5.5.7.4.21"), v),)
    ).request(key=work.KEY),
    "generalInfo confirmWaitTime": lambda f, v: f.but(
        info=(sequence(der.encode_oid("1.3.6.1.5.5.7.4.14"), v),)
    ).request(key=work.KEY),
    **{f"template {number}": _template(lambda v, n=number: encode(explicit(n), v)) for number in range(10)},  # type: ignore[misc]
    "popo key encipherment": _popo(lambda v: encode(explicit(2), v)),
    "popo key agreement": _popo(lambda v: encode(explicit(3), v)),
    "popo input": _popo(lambda v: encode(explicit(1), encode(explicit(0), v), ECDSA_SHA256, _BITS)),
    "popo sender": _popo(
        lambda v: encode(
            explicit(1),
            encode(explicit(0), encode(explicit(0), v), sequence(ECDSA_SHA256, _BITS)),
            ECDSA_SHA256,
            _BITS,
        )
    ),
    "certConf status": lambda f, v: f.cert_conf(b"h" * 32, info=v),
    "CSR attributes": lambda f, v: f.message(4, _csr(ECDSA_SHA256, ECDSA_SHA256, v)),
    "CSR extensions": lambda f, v: f.message(
        4,
        _csr(ECDSA_SHA256, ECDSA_SHA256, sequence(der.encode_oid("1.2.840.113549.1.9.14"), encode(0x31, v))),
    ),
    "rr details": lambda f, v: f.message(11, sequence(sequence(sequence(), v))),
    "rr reason": lambda f, v: f.message(
        11, sequence(sequence(sequence(), sequence(_extension("2.5.29.21", v))))
    ),
    "pollReq": lambda f, v: f.message(25, sequence(sequence(v))),
    "error": lambda f, v: f.message(23, sequence(v)),
    "nested": lambda f, v: f.message(20, sequence(v)),
    "announcement": lambda f, v: f.message(16, v),
}
"""Any value."""

ALGORITHM_REQUESTS: dict[str, Place] = {
    "protectionAlg": lambda f, a: f.but(algorithm=a).genm(),
    "popo": _popo(lambda a: encode(explicit(1), a, _BITS)),
    "popo publicKeyMAC": _popo(
        lambda a: encode(
            explicit(1),
            encode(explicit(0), sequence(a, _BITS), sequence(ECDSA_SHA256, _BITS)),
            ECDSA_SHA256,
            _BITS,
        )
    ),
    "popo agreeMAC": _popo(lambda a: encode(explicit(3), encode(explicit(3), a, _BITS))),
    "popo encryptedKey": _popo(
        lambda a: encode(explicit(2), encode(explicit(4), der.read(next(_recipients(a))).content))
    ),
    "template signingAlg": _template(lambda a: implicit(2, a)),
    "template publicKey": _template(lambda a: encode(explicit(6), a, _BITS)),
    "control archive keyAlg": lambda f, a: _control("1.3.6.1.5.5.7.5.1.4")(f, _archived(encrypted_value(a))),
    "control archive symmAlg": lambda f, a: _control("1.3.6.1.5.5.7.5.1.4")(
        f, _archived(encrypted_value(b"", a))
    ),
    "control protocolEncrKey": lambda f, a: _control("1.3.6.1.5.5.7.5.1.6")(f, sequence(a, _BITS)),
    "control algId": _control("1.3.6.1.5.5.7.5.1.11"),
    "certConf hashAlg": lambda f, a: f.cert_conf(
        b"h" * 32, info=sequence(der.encode_integer(0)), hash_alg=encode(explicit(0), a)
    ),
    "CSR key": lambda f, a: f.message(4, _csr(a, ECDSA_SHA256)),
    "CSR signature": lambda f, a: f.message(4, _csr(ECDSA_SHA256, a)),
    "genm keyPairParamReq": _info(21, "1.3.6.1.5.5.7.4.10"),
    "extraCerts key": lambda f, a: work.with_extra(f.genm(), work.with_key(sequence(a, _BITS), 2)),
}
"""An AlgorithmIdentifier."""


def _ip(make: Callable[[bytes], bytes]) -> Place:
    """An ip whose response has, after status accepted, this."""

    def answer(f: Forger, value: bytes) -> bytes:
        response = sequence(der.encode_integer(0), sequence(der.encode_integer(0)), make(value))
        return f.message(1, sequence(sequence(response)))

    return answer


def _certificate() -> bytes:
    return work.ROOT.public_bytes(Encoding.DER)


@cache
def client_key() -> rsa.RSAPrivateKey:
    """What a client asks a certificate for."""
    return rsa.generate_private_key(65537, 2048)


@cache
def _wrapped() -> bytes:
    """A key for AES that the client can decrypt."""
    return client_key().public_key().encrypt(b"k" * 16, padding.PKCS1v15())


def _delivered(symmetric: bytes) -> bytes:
    return sequence(encode(explicit(1), encrypted_value(b"", symmetric, b"", _wrapped())))


ANSWERS: dict[str, Place] = {
    **{f"genp {number}": _info(22, f"1.3.6.1.5.5.7.4.{number}") for number in range(1, 25)},
    "generalInfo": lambda f, v: f.but(info=(sequence(der.encode_oid("1.3.6.1.5.5.7.4.13"), v),)).error(),
    "certifiedKeyPair": _ip(lambda v: v),
    "certificate": _ip(lambda v: sequence(encode(explicit(0), v))),
    "encryptedCert": _ip(lambda v: sequence(encode(explicit(1), v))),
    "privateKey": _ip(lambda v: sequence(encode(explicit(0), _certificate()), encode(explicit(0), v))),
    "publicationInfo": _ip(lambda v: sequence(encode(explicit(0), _certificate()), encode(explicit(1), v))),
    "rspInfo": lambda f, v: f.message(
        1, sequence(sequence(sequence(der.encode_integer(0), sequence(der.encode_integer(2)), v)))
    ),
    "statusInfo": lambda f, v: f.message(1, sequence(sequence(sequence(der.encode_integer(0), v)))),
    "status": lambda f, v: f.message(1, sequence(sequence(sequence(der.encode_integer(0), sequence(v))))),
    "caPubs": lambda f, v: f.message(1, sequence(encode(explicit(1), sequence(v)), sequence())),
    "pollRep": lambda f, v: f.message(
        26, sequence(sequence(der.encode_integer(0), der.encode_integer(0), v))
    ),
    "rp": lambda f, v: f.message(12, sequence(sequence(sequence(der.encode_integer(0))), v)),
    "error": lambda f, v: f.message(23, sequence(sequence(der.encode_integer(2)), v)),
}

ALGORITHM_ANSWERS: dict[str, Place] = {
    "protectionAlg": lambda f, a: f.but(algorithm=a).error(),
    "encryptedCert keyAlg": _ip(
        lambda a: sequence(encode(explicit(1), encrypted_value(a, _AES_CBC, b"", _wrapped())))
    ),
    "encryptedCert symmAlg": _ip(_delivered),
    "encryptedCert encSymmKey alg": _ip(
        lambda a: sequence(encode(explicit(1), encrypted_value(b"", _AES_CBC, a, _wrapped())))
    ),
    "envelopedData content": _ip(
        lambda a: sequence(encode(explicit(1), enveloped(next(_recipients(_AES_CBC)), a)))
    ),
    **{
        f"{what} recipient {number}": _ip(
            lambda a, n=number, w=what: sequence(  # type: ignore[misc]
                encode(explicit(1), enveloped(list(_recipients(a))[n]))
                if w == "encryptedCert"
                else encode(explicit(0), _certificate())
                + encode(explicit(0), enveloped(list(_recipients(a))[n]))
            )
        )
        for number in range(3)
        for what in ("encryptedCert", "privateKey")
    },
    "certificate key": _ip(lambda a: sequence(encode(explicit(0), work.with_key(sequence(a, _BITS), 2)))),
    "extraCerts key": lambda f, a: work.with_extra(f.error(), work.with_key(sequence(a, _BITS), 2)),
    "genp keyPairParamRep": _info(22, "1.3.6.1.5.5.7.4.11"),
    "genp encKeyPairTypes": lambda f, a: _info(22, "1.3.6.1.5.5.7.4.3")(f, sequence(a)),
    "genp certReqTemplate": lambda f, a: _info(22, "1.3.6.1.5.5.7.4.19")(
        f,
        sequence(
            sequence(encode(explicit(6), a, _BITS)),
            sequence(sequence(der.encode_oid("1.3.6.1.5.5.7.5.1.11"), a)),
        ),
    ),
}


def of_requests() -> Iterator[tuple[str, Callable[[Forger], bytes]]]:
    """Every request."""
    for name, place in REQUESTS.items():
        yield from ((name, partial(_at, place, value)) for value in values())
    for name, place in ALGORITHM_REQUESTS.items():
        yield from ((name, partial(_at, place, algorithm)) for algorithm in algorithms())
    for oid in EXTENSIONS:
        extension = partial(_extension, oid)
        in_template = _template(lambda v: encode(explicit(9), v))
        yield from ((oid, partial(_at, in_template, extension(value))) for value in few())


def of_answers() -> Iterator[tuple[str, Callable[[Forger], bytes]]]:
    """Every answer."""
    for name, place in ANSWERS.items():
        yield from ((name, partial(_at, place, value)) for value in values())
    for name, place in ALGORITHM_ANSWERS.items():
        yield from ((name, partial(_at, place, algorithm)) for algorithm in algorithms())


def _at(place: Place, value: bytes, forger: Forger) -> bytes:
    return place(forger, value)


Cases = Iterator[tuple[str, Callable[[Forger], bytes]]]


def into_server(cases: Cases) -> None:
    """``Server.process``, which hands on as much as it can to libcrypto."""
    server = Server(EmbeddedCA({"ref": hostile.SECRET}), strictness="openssl", trusted=[work.ROOT])
    for name, make in cases:
        with hostile.documented(name, MalformedMessageError):
            server.process(make(Forger()))


def into_reader(cases: Cases) -> None:
    """``Message``, with its text and description."""
    for name, make in cases:
        with hostile.documented(name, ValueError):
            message = osslcmp.Message.from_der(make(Forger()))
            message.text()
            repr(message.body)


def into_mock(cases: Cases) -> None:
    """``osslcmp cmp -port``."""
    with hostile.mock() as (url, server):
        for name, make in cases:
            with hostile.documented(name):
                hostile.post(url, make(Forger()))
        print(hostile.client(url=url).genm([osslcmp.InfoTypeAndValue("1.2.3")]), flush=True)
        assert server.poll() is None


def into_client(cases: Cases) -> None:
    """A client with a shared secret that asks for a certificate, or for what a genp answers."""

    def transport(request: bytes) -> bytes:
        header = wire.read_message(request).header
        return make(Forger(transaction_id=header.transaction_id, recip_nonce=header.sender_nonce))

    client = hostile.client(transport)
    for name, case in cases:
        make = case
        with hostile.documented(name, osslcmp.CMPError):
            if name.startswith("genp"):
                client.genm([osslcmp.InfoTypeAndValue("1.2.3")])
            else:
                client.ir(client_key(), subject="CN=x")


SURFACES: dict[str, tuple[Callable[[Cases], None], Callable[[], Cases]]] = {
    "server": (into_server, of_requests),
    "mock": (into_mock, of_requests),
    "client": (into_client, of_answers),
    "from_der": (into_reader, of_answers),
}


def main(surface: str, *, whole: bool) -> None:
    """Play the cases of a surface: all, or some such that each place and each value comes."""
    play, cases = SURFACES[surface]
    algorithm_places = {*ALGORITHM_REQUESTS, *ALGORITHM_ANSWERS}
    play(
        case
        for number, case in enumerate(cases())
        if whole or number % (97 if case[0] in algorithm_places else 7) == 0
    )
    print("END", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], whole="--whole" in sys.argv)
