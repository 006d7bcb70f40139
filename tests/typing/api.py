"""The API as its users type it. Nothing here runs: ``mypy --strict`` reads it (see test_typing.py).

Where something is wrong on purpose, mypy must say so: an ignore that nothing needs is an error itself.
"""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from typing_extensions import assert_type

import osslcmp
from osslcmp import CR, IR, KUR, P10CR, BodyType, Context, FailureInfo, Option, PKIStatus
from osslcmp.server import Authority, EmbeddedCA, Issued, Rejected, Server, Waiting
from osslcmp.server import CertificateRequest as ServerCertificateRequest
from osslcmp.testing import drop_response, waiting
from osslcmp.testing.server import CMPServer
from osslcmp.transport import FileTransport, HTTPTransport

CERTIFICATE = x509.load_pem_x509_certificate(b"")
KEY = ec.generate_private_key(ec.SECP256R1())
CSR = x509.load_pem_x509_csr(b"")
OID = x509.ObjectIdentifier("1.2.3")


# -- Client -----------------------------------------------------------------------------------------------


def credentials() -> osslcmp.Client:
    """All that people have."""
    osslcmp.Client("http://127.0.0.1:8080/", reference="r", secret="s")
    osslcmp.Client(
        "http://127.0.0.1:8080/", reference=b"r", secret=b"s", recipient="CN=ca", message_timeout=5
    )
    osslcmp.Client(
        "http://127.0.0.1:8080/",
        certificate=CERTIFICATE,
        key=KEY,
        chain=[CERTIFICATE],
        trusted=[b"-----BEGIN CERTIFICATE-----", Path("root.pem"), "other.pem", CERTIFICATE],
        untrusted=CERTIFICATE,
        server_certificate=Path("server.pem"),
        expected_sender=CERTIFICATE.subject,
        extra_certs=[CERTIFICATE],
        general_info=[osslcmp.InfoTypeAndValue(OID, b"\5\0")],
        keep_alive=False,
        total_timeout=None,
        proxy="",
        digest="sha512",
        trace=osslcmp.Trace(),
    )
    osslcmp.Client("http://127.0.0.1/", certificate="me.pem", key="me.key", key_password=lambda: "password")
    osslcmp.Client("http://127.0.0.1/", certificate=b"", key=b"", key_password=b"password")
    osslcmp.Client("https://127.0.0.1/", secret=b"s", tls=osslcmp.TLS(trusted="root.pem"))

    osslcmp.Client("http://127.0.0.1/", secret=5)  # type: ignore[arg-type]
    osslcmp.Client("http://127.0.0.1/", trusted=5)  # type: ignore[arg-type]
    osslcmp.Client("http://127.0.0.1/", "r", "s")  # type: ignore[call-arg]
    osslcmp.Client("http://127.0.0.1/", secrets="s")  # type: ignore[call-arg]
    osslcmp.Client(transport=lambda: b"", secret="s")  # type: ignore[arg-type,misc]
    return osslcmp.Client(transport=lambda request: request, secret="s")


def transports(server: Server) -> list[osslcmp.Client]:
    """Callables on DER, a server among them."""
    return [
        osslcmp.Client(transport=server.process, secret="s"),
        osslcmp.Client(transport=server, secret="s"),
        osslcmp.Client(transport=FileTransport("folder"), secret="s"),
        osslcmp.Client(transport=HTTPTransport("http://127.0.0.1:8080/"), secret="s"),
    ]


def confirm(certificate: x509.Certificate, failure_info: FailureInfo) -> str | None:
    """A certConf callback."""
    return None if certificate.subject and not failure_info else "not that one"


def certificates(client: osslcmp.Client) -> x509.Certificate:
    """Every request for a certificate, and what it returns."""
    enrollment = client.ir(
        KEY, subject="CN=x", sans=["a.example", x509.DNSName("b.example")], confirm=confirm
    )
    assert_type(enrollment, osslcmp.Enrollment)
    assert_type(enrollment.certificate, x509.Certificate)
    assert_type(enrollment.chain, list[x509.Certificate])
    assert_type(enrollment.ca_pubs, list[x509.Certificate])
    assert_type(enrollment.status, PKIStatus)
    assert_type(enrollment.failure_info, FailureInfo)
    assert_type(enrollment.text, str)
    assert_type(enrollment.server_certificate, x509.Certificate | None)
    client.cr(key=Path("new.key"), subject=CERTIFICATE.subject, days=30, policies=["1.2.3", OID])
    client.cr(KEY.public_key(), subject="CN=x", popo=osslcmp.POPOMethod.RAVERIFIED)
    client.cr(KEY, not_after=datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc))
    client.p10cr(CSR, implicit_confirm=True, confirm=osslcmp.certconf)
    client.p10cr(b"-----BEGIN CERTIFICATE REQUEST-----")
    client.kur(KEY, certificate="old.pem")
    client.cr(KEY, subject="CN=x", on_wait=lambda waiting: print(waiting.check_after), profile=["a", "b"])
    client.ir(csr=CSR, popo=osslcmp.POPOMethod.RAVERIFIED, check=osslcmp.CertificateCheck(trusted="root.pem"))
    client.ir(central_key=True, subject="CN=x", confirm=osslcmp.ffi.NULL)
    client.ir(5)  # type: ignore[arg-type]
    client.ir(KEY, subjct="CN=x")  # type: ignore[call-arg]
    client.ir(KEY, days="5")  # type: ignore[arg-type]
    client.ir(KEY, subject="CN=x", confirm=lambda certificate: True)  # type: ignore[arg-type,misc]
    client.p10cr()  # type: ignore[call-arg]
    client.p10cr(CSR, csr=CSR)  # type: ignore[misc]
    return client.kur().certificate


def failures(client: osslcmp.Client) -> object:
    """Each exception and what it tells."""
    try:
        client.ir(KEY, subject="CN=x")
    except osslcmp.RejectedError as error:
        assert_type(error.status, PKIStatus)
        assert_type(error.failure_info, FailureInfo)
        assert_type(error.text, str)
        assert_type(error.errors, tuple[osslcmp.ErrorEntry, ...])
    except osslcmp.ConfirmError as error:
        assert_type(error.enrollment, osslcmp.Enrollment)
        return error.enrollment.certificate.serial_number
    except osslcmp.TransferTimeout as error:
        assert isinstance(error, TimeoutError)  # noqa: PT017
        if error.transaction is not None:
            error.transaction.wait(60)
    except osslcmp.TransferError as error:
        return error.transaction
    except (osslcmp.ProtectionError, osslcmp.ResponseError, osslcmp.RequestError) as error:
        return [(entry.text, entry.data, entry.library_name) for entry in error.errors]
    except osslcmp.UnsupportedError as error:
        assert_type(error.needed, str)
        assert_type(error.found, str)
    except osslcmp.CMPError as error:
        return str(error)
    return None


def polling(client: osslcmp.Client) -> bytes:
    """A transaction that is polled."""
    transaction = client.begin("ir", key=KEY, subject="CN=x")
    assert_type(transaction, osslcmp.Transaction)
    client.begin(IR, key=KEY)
    client.begin(BodyType.CR, key=KEY)
    client.begin(None)  # type: ignore[arg-type]
    client.begin("ir", keys=KEY)  # type: ignore[call-arg]
    client.begin("ir", key=KEY, on_wait=print)  # type: ignore[call-arg]
    while not transaction.done:
        assert_type(transaction.check_after, int | None)
        assert_type(transaction.poll(), osslcmp.Enrollment | None)
    assert_type(transaction.result, osslcmp.Enrollment)
    assert_type(transaction.wait(10.5), osslcmp.Enrollment)
    assert_type(client.resume(transaction.dump()), osslcmp.Transaction)
    assert_type(transaction.polls, int)
    transaction.abort()
    transaction.cancel()
    transaction.done = True  # type: ignore[misc]
    return transaction.dump()


def the_rest(client: osslcmp.Client) -> list[osslcmp.InfoTypeAndValue]:
    """Revocation and general messages."""
    revocation = client.rr(CERTIFICATE, reason=osslcmp.RevocationReason.superseded)
    assert_type(revocation, osslcmp.Revocation)
    assert_type(revocation.warning, bool)
    client.rr(issuer="CN=ca", serial=5)
    client.rr(csr=CSR)
    client.rr(serial="5")  # type: ignore[arg-type]
    assert_type(client.ca_certs(), list[x509.Certificate])
    client.genm(osslcmp.InfoTypeAndValue(OID))
    client.genm([(OID, b"")])  # type: ignore[list-item]
    return client.genm([osslcmp.InfoTypeAndValue(OID, b"\5\0")])


async def coroutines(transport: Callable[[bytes], Awaitable[bytes]]) -> None:
    """The same methods in asyncio."""
    osslcmp.AsyncClient(transport=transport, secret="s", threads=4)
    osslcmp.AsyncClient("http://127.0.0.1/", secrets="s")  # type: ignore[call-arg]
    osslcmp.AsyncClient("http://127.0.0.1/", secret=5)  # type: ignore[arg-type]
    async with osslcmp.AsyncClient("http://127.0.0.1/", reference="r", secret="s") as client:
        assert_type(await client.ir(KEY, subject="CN=x", sans=["a.example"]), osslcmp.Enrollment)
        assert_type(await client.p10cr(CSR), osslcmp.Enrollment)
        assert_type(await client.rr(CERTIFICATE), osslcmp.Revocation)
        assert_type(await client.ca_certs(), list[x509.Certificate])
        assert_type(await client.genm(osslcmp.InfoTypeAndValue(OID)), list[osslcmp.InfoTypeAndValue])
        transaction = await client.begin("ir", key=KEY, subject="CN=x")
        assert_type(transaction, osslcmp.AsyncTransaction)
        assert_type(await transaction.poll(), osslcmp.Enrollment | None)
        assert_type(await transaction.wait(60), osslcmp.Enrollment)
        again = await client.resume(transaction.dump(), key=KEY, confirm=confirm)
        assert_type(again, osslcmp.AsyncTransaction)
        await again.abort()
        await client.kur(KEY, certificat=CERTIFICATE)  # type: ignore[call-arg]
        await client.rr(serial="5")  # type: ignore[arg-type]
        await client.resume(5)  # type: ignore[arg-type]


def messages(client: osslcmp.Client, der: bytes) -> str:
    """Messages taken apart, and what was recorded."""
    message = osslcmp.Message.from_der(der)
    assert_type(message.type, BodyType)
    assert_type(message.header.sender, x509.GeneralName)
    assert_type(message.header.transaction_id, bytes | None)
    assert_type(message.extra_certs, tuple[x509.Certificate, ...])
    assert_type(osslcmp.CertReqMsg.from_der(der).der, bytes)
    osslcmp.Message.from_der("text")  # type: ignore[arg-type]
    assert_type(client.trace, osslcmp.Trace | None)
    for entry in client.trace or ():
        assert_type(entry, osslcmp.TraceEntry)
    return message.text()


# -- Context ----------------------------------------------------------------------------------------------


def context(callback: object) -> x509.Certificate | None:
    """One method for each C function."""
    ctx = Context()
    ctx.set_server("127.0.0.1")
    ctx.set_server_port(8080)
    ctx.set_option(Option.MSG_TIMEOUT, 5)
    ctx.set_option(Option.IMPLICIT_CONFIRM, True)
    assert_type(ctx.get_option(Option.MSG_TIMEOUT), int)
    ctx.set_secret_value("secret")
    ctx.set_reference_value(b"reference")
    ctx.set_cert(CERTIFICATE)
    ctx.set_pkey(KEY)
    ctx.set_trusted_store([CERTIFICATE])
    ctx.set_subject_name("CN=x")
    ctx.push_subject_alt_name(x509.DNSName("a.example"))
    ctx.set_cert_conf_cb(confirm)
    ctx.set_cert_conf_cb(osslcmp.certconf)
    ctx.set_cert_conf_cb(osslcmp.ffi.addressof(osslcmp.lib, "OSSL_CMP_certConf_cb"))
    ctx.set_transfer_cb(lambda request: request)
    ctx.set_cert_conf_cb(5)  # type: ignore[arg-type]
    ctx.set_log_cb(lambda function, file, line, severity, text: print(severity.name, text))
    for kind in (IR, CR, P10CR, KUR):
        assert_type(ctx.exec_certreq(kind), x509.Certificate)
    assert_type(ctx.exec_ir_ses(), x509.Certificate)
    assert_type(ctx.exec_genm_ses(), list[osslcmp.InfoTypeAndValue])
    assert_type(ctx.status, PKIStatus)
    assert_type(ctx.fail_info, FailureInfo)
    assert_type(ctx.status_string, list[str])
    assert_type(ctx.new_cert, x509.Certificate | None)
    ctx.set_server_port("80")  # type: ignore[arg-type]
    ctx.set_secret_value(None)  # type: ignore[arg-type]
    ctx.set_cert("me.pem")  # type: ignore[arg-type]
    ctx.set_subjectname("CN=x")  # type: ignore[attr-defined]
    ctx.status = PKIStatus.accepted  # type: ignore[misc]
    return ctx.try_certreq(IR)


# -- raw --------------------------------------------------------------------------------------------------


def raw() -> int:
    """The C functions have types, too."""
    lib, ffi = osslcmp.lib, osslcmp.ffi
    ctx = lib.OSSL_CMP_CTX_new(ffi.NULL, ffi.NULL)
    lib.OSSL_CMP_CTX_set_option(ctx, lib.OSSL_CMP_OPT_KEEP_ALIVE, 1)
    lib.OSSL_CMP_CTX_free(ctx)
    lib.OSSL_CMP_CTX_reinit()  # type: ignore[call-arg]
    lib.OSSL_CMP_CTX_no_such_function(ctx)  # type: ignore[attr-defined]
    assert_type(osslcmp.features, dict[str, bool])
    assert_type(osslcmp.openssl_version, tuple[int, int, int])
    return lib.OSSL_CMP_CTX_reinit(ctx)


# -- Server -----------------------------------------------------------------------------------------------


class Application(Authority):
    """An application's authority."""

    def issue(self, request: ServerCertificateRequest) -> Issued | Waiting | Rejected:
        """Decide."""
        if request.subject is None:
            return Rejected(FailureInfo.badCertTemplate, "no subject")
        return Waiting(5) if not request.extensions else Issued(CERTIFICATE, chain=[CERTIFICATE])

    def shared_secret(self, reference: bytes) -> bytes | None:
        """Look it up."""
        return {b"ref": b"secret"}.get(reference)


def servers() -> Sequence[bytes]:
    """An authority of one's own, and the embedded CA."""
    own = Server(Application(), certificate=CERTIFICATE, key=KEY, trusted=[CERTIFICATE])
    secrets: dict[str, str] = {"ref": "secret"}
    EmbeddedCA({b"ref": b"secret"})
    EmbeddedCA({"ref": 5})  # type: ignore[dict-item]
    ca = EmbeddedCA(secrets)
    server = ca.server()
    assert_type(server, Server)
    with server.serve() as running:
        assert_type(running.url, str)
        assert_type(running.port, int)
    Server(5)  # type: ignore[arg-type]
    return [own.process(b""), server.process(b"")]


# -- pytest plugin ----------------------------------------------------------------------------------------


def plugin(cmp_server: CMPServer, cmp_client: osslcmp.Client) -> None:
    """A test that uses it."""
    cmp_server.script(waiting(times=2), drop_response())
    assert_type(cmp_server.url, str)
    assert_type(cmp_server.reference, bytes)
    assert_type(cmp_server.secret, bytes)
    assert_type(cmp_server.root, x509.Certificate)
    assert_type(cmp_server.requests[0].type, BodyType)
    cmp_server.script(5)  # type: ignore[arg-type]
    assert_type(cmp_client.ir(KEY), osslcmp.Enrollment)
