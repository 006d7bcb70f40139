"""Messages in files: across an air gap, and like -reqin, -reqout, -rspin, -rspout of openssl cmp."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support import openssl
from support.forge import Forger, read
from support.https import WebServer
from support.pki import PKI, make_csr, make_key

import osslcmp
from osslcmp import BodyType
from osslcmp.server import EmbeddedCA, Server
from osslcmp.transport import FileTransport, HTTPTransport, relay

KEY = make_key()


@pytest.fixture
def cmp(ca: EmbeddedCA) -> Server:
    return ca.server()


def client(transport: Any, **options: Any) -> osslcmp.Client:
    return osslcmp.Client(transport=transport, reference="ref", secret="secret", **options)


def kinds(paths: list[Path]) -> list[int]:
    return [read(path.read_bytes()).kind for path in paths]


def test_air_gap(tmp_path: Path, cmp: Server) -> None:
    """Three runs with a courier in between; each takes up what is there."""
    folder = tmp_path / "new" / "folder"
    with pytest.raises(osslcmp.TransferTimeout) as caught:
        client(FileTransport(folder)).ir(KEY, subject="CN=me")
    assert f"no response in {folder}/1.response.der; the request is in {folder}/1.request.der" in str(
        caught.value
    )
    assert relay(folder, cmp) == 1
    assert relay(folder, cmp) == 0
    with pytest.raises(osslcmp.ConfirmError) as unconfirmed:
        client(FileTransport(folder, resume=True)).ir(KEY, subject="CN=me")
    assert unconfirmed.value.enrollment.certificate
    assert relay(folder, cmp) == 1
    transport = FileTransport(folder, resume=True)
    enrollment = client(transport).ir(KEY, subject="CN=me")
    assert enrollment.certificate == unconfirmed.value.enrollment.certificate
    assert transport.count == 2
    assert kinds([folder / f"{n}.request.der" for n in (1, 2)]) == [BodyType.IR, BodyType.CERTCONF]
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{n}.{kind}.der" for n in (1, 2) for kind in ("request", "response")
    ]
    assert cmp.open_transactions == 0


def test_another_process(tmp_path: Path, cmp: Server) -> None:
    """The second half needs nothing but the folder, the key and the secret."""
    with pytest.raises(osslcmp.TransferTimeout):
        client(FileTransport(tmp_path)).p10cr(_csr())
    relay(tmp_path, cmp)
    code = """if True:
        import sys, osslcmp
        from osslcmp.transport import FileTransport
        client = osslcmp.Client(
            transport=FileTransport(sys.argv[1], resume=True), reference="ref", secret="secret"
        )
        print(client.p10cr(sys.stdin.buffer.read(), disable_confirm=True).certificate.subject)
    """
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], input=_csr(), capture_output=True, check=False
    )
    assert done.stdout == b"<Name(CN=me)>\n", done.stderr.decode()


def _csr() -> bytes:
    return make_csr(KEY, "CN=me").public_bytes(Encoding.DER)


def test_courier_in_time(tmp_path: Path, cmp: Server) -> None:
    """Within one run nonces and transactionID are checked as ever; half a file is waited for."""
    stop = threading.Event()

    def courier() -> None:
        while not stop.wait(0.02):
            for asked in tmp_path.glob("*.request.der"):
                answered = tmp_path / asked.name.replace("request", "response")
                if not answered.exists():
                    answer = cmp(asked.read_bytes())
                    answered.write_bytes(answer[:100])
                    stop.wait(0.1)
                    answered.write_bytes(answer)

    thread = threading.Thread(target=courier)
    thread.start()
    try:
        transport = FileTransport(tmp_path, timeout=20, interval=0.01)
        assert client(transport).ir(KEY, subject="CN=me")
        assert not transport.replayed
    finally:
        stop.set()
        thread.join()


def test_answer_of_another_request(tmp_path: Path, cmp: Server) -> None:
    """Who does not say resume gets no replay."""
    answer = cmp(Forger().request())

    class Swapped(FileTransport):
        def _wait(self, path: Path, request: Path | None) -> bytes:
            return answer

    with pytest.raises(osslcmp.ResponseError, match="transactionid unmatched"):
        client(Swapped(tmp_path)).ir(KEY, subject="CN=me")


def test_leftovers(tmp_path: Path, cmp: Server) -> None:
    """Files of an earlier run are neither overwritten nor taken."""
    (tmp_path / "1.request.der").write_bytes(b"old")
    with pytest.raises(FileExistsError, match="resume=True"):
        client(FileTransport(tmp_path)).ir(KEY, subject="CN=me")
    assert (tmp_path / "1.request.der").read_bytes() == b"old"
    (tmp_path / "1.request.der").unlink()
    (tmp_path / "1.response.der").write_bytes(cmp(Forger().request()))
    for resume in (False, True):
        with pytest.raises(FileExistsError, match="before the request"):
            client(FileTransport(tmp_path, resume=resume)).ir(KEY, subject="CN=me")


def test_wrong_protection_in_a_file(tmp_path: Path, cmp: Server) -> None:
    """Files are no more trusted than a network."""
    with pytest.raises(osslcmp.TransferTimeout):
        client(FileTransport(tmp_path)).ir(KEY, subject="CN=me")
    relay(tmp_path, cmp)
    resumed = FileTransport(tmp_path, resume=True)
    with pytest.raises(osslcmp.ProtectionError):
        osslcmp.Client(transport=resumed, reference="ref", secret="other").ir(KEY, subject="CN=me")


@pytest.mark.parametrize("garbage", [b"", b"\x30", b"\x30\x82", b"\x30\x82\x10\x00abc"])
def test_unfinished(garbage: bytes, tmp_path: Path, cmp: Server) -> None:
    with pytest.raises(osslcmp.TransferTimeout):
        client(FileTransport(tmp_path)).ir(KEY, subject="CN=me")
    (tmp_path / "1.response.der").write_bytes(garbage)
    with pytest.raises(osslcmp.TransferTimeout, match="complete response" if garbage else "no response"):
        client(FileTransport(tmp_path, resume=True)).ir(KEY, subject="CN=me")


def test_garbage(tmp_path: Path) -> None:
    with pytest.raises(osslcmp.TransferTimeout):
        client(FileTransport(tmp_path)).ir(KEY, subject="CN=me")
    (tmp_path / "1.response.der").write_bytes(b"nonsense, not DER, long enough to pass for an element" * 5)
    with pytest.raises(osslcmp.CMPError):
        client(FileTransport(tmp_path, resume=True)).ir(KEY, subject="CN=me")


def test_relay_over_http(tmp_path: Path, cmp: Server) -> None:
    with pytest.raises(osslcmp.TransferTimeout):
        client(FileTransport(tmp_path)).genm([])
    with WebServer(cmp) as server:
        assert relay(tmp_path, HTTPTransport(server.url())) == 1
    assert client(FileTransport(tmp_path, resume=True)).genm([]) == []
    # What the other side raises is passed on, and nothing is left half done.
    (tmp_path / "1.response.der").unlink()
    with pytest.raises(osslcmp.TransferError, match="refused"):
        relay(tmp_path, HTTPTransport(server.url()))
    assert not (tmp_path / "1.response.der").exists()


# -- like the command --------------------------------------------------------------------------------------


def test_record_and_replay(tmp_path: Path, cmp: Server, ca: EmbeddedCA) -> None:
    """-reqout and -rspout, then -rspin without a server."""
    asked = [tmp_path / f"req{n}.der" for n in range(3)]
    answered = [tmp_path / f"rsp{n}.der" for n in range(3)]
    first = client(FileTransport(reqout=asked, rspout=answered, through=cmp)).ir(KEY, subject="CN=me")
    assert kinds(asked[:2]) == [BodyType.IR, BodyType.CERTCONF]
    assert kinds(answered[:2]) == [BodyType.IP, BodyType.PKICONF]
    assert not asked[2].exists()
    again = client(FileTransport(rspin=answered)).ir(KEY, subject="CN=me")
    assert again.certificate == first.certificate
    # Too few of them: the rest goes to a server, which has the confirmation already, and to one that knows nothing.
    with pytest.raises(osslcmp.ConfirmError, match="certConfirmed"):
        client(FileTransport(rspin=answered[:1], through=cmp)).ir(KEY, subject="CN=me")
    with pytest.raises(osslcmp.ConfirmError):
        client(FileTransport(rspin=answered[:1], through=ca.server())).ir(KEY, subject="CN=me")
    with pytest.raises(osslcmp.ConfirmError, match="no response file is given for message 2"):
        client(FileTransport(rspin=answered[:1])).ir(KEY, subject="CN=me")
    # With -rspin nothing is sent, so -reqin is nothing.
    assert client(FileTransport(rspin=answered, reqin=tmp_path / "nowhere")).ir(KEY, subject="CN=me")


def test_stored_request(tmp_path: Path, ca: EmbeddedCA) -> None:
    """-reqin: a request made before is sent instead of the new one."""
    stored = tmp_path / "req.der"
    with pytest.raises(osslcmp.TransferError, match="no way to send it"):
        client(FileTransport(reqout=stored)).ir(KEY, subject="CN=stored")
    enrollment = client(FileTransport(reqin=stored, through=ca.server())).ir(
        KEY, subject="CN=new", disable_confirm=True
    )
    assert enrollment.certificate.subject.rfc4514_string() == "CN=stored"


def test_a_pipe_stays_one(cmp: Server, tmp_path: Path) -> None:
    """No file takes its place, nor that of a device."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR)
    client(FileTransport(reqout=[pipe, pipe], through=cmp)).ir(KEY, subject="CN=me")
    assert os.read(reader, 1 << 16)[:1] == b"\x30"
    os.close(reader)
    assert pipe.is_fifo()


def test_missing_files(tmp_path: Path, cmp: Server) -> None:
    with pytest.raises(FileNotFoundError):
        client(FileTransport(reqin=tmp_path / "nowhere", through=cmp)).ir(KEY, subject="CN=me")
    with pytest.raises(osslcmp.TransferTimeout, match="nowhere"):
        client(FileTransport(rspin=str(tmp_path / "nowhere"))).ir(KEY, subject="CN=me")
    with pytest.raises(FileNotFoundError):
        client(FileTransport(reqout=tmp_path / "no" / "where", through=cmp)).ir(KEY, subject="CN=me")


@pytest.mark.peer
def test_files_of_openssl(tmp_path: Path, ca: EmbeddedCA, pki: PKI) -> None:
    """`openssl cmp` replays what we recorded, and we what it recorded."""
    ours = [tmp_path / f"{kind}{n}.der" for kind in ("req", "rsp") for n in (1, 2)]
    me = pki.client
    recorded = client(FileTransport(reqout=ours[:2], rspout=ours[2:], through=ca.server())).ir(
        me.key, subject="CN=me"
    )
    common: list[str | Path] = [
        "cmp",
        "-cmd",
        "ir",
        "-ref",
        "ref",
        "-secret",
        "pass:secret",
        "-newkey",
        me.key_file,
    ]
    common += ["-subject", "/CN=me", "-certout", tmp_path / "cert.pem"]
    files = ",".join(map(str, ours[2:]))
    openssl.run([*common, "-server", "127.0.0.1:1", "-rspin", files]).must()
    assert osslcmp_certificate(tmp_path / "cert.pem") == recorded.certificate
    theirs = [tmp_path / f"their-{kind}{n}.der" for kind in ("req", "rsp") for n in (1, 2)]
    with WebServer(ca.server()) as server:
        openssl.run(
            [
                *common,
                *("-server", f"127.0.0.1:{server.port}"),
                *("-reqout", ",".join(map(str, theirs[:2])), "-rspout", ",".join(map(str, theirs[2:]))),
            ]
        ).must()
    replayed = client(FileTransport(rspin=theirs[2:])).ir(me.key, subject="CN=me")
    assert replayed.certificate == osslcmp_certificate(tmp_path / "cert.pem")


def osslcmp_certificate(path: Path) -> Any:
    from cryptography import x509

    return x509.load_pem_x509_certificate(path.read_bytes())


def test_arguments(tmp_path: Path) -> None:
    for error, text, options in (
        (ValueError, "needed", {}),
        (ValueError, "does not go together", {"directory": tmp_path, "rspin": "x"}),
        (ValueError, "does not go together", {"directory": tmp_path, "through": bytes}),
        (ValueError, "NUL", {"directory": "a\0b"}),
        (ValueError, "NUL", {"rspin": ["a\0b"]}),
        (ValueError, "timeout", {"directory": tmp_path, "timeout": -1}),
        (ValueError, "interval", {"directory": tmp_path, "interval": 0}),
        (TypeError, "through", {"rspin": "x", "through": 5}),
    ):
        with pytest.raises(error, match=text):
            FileTransport(**options)
    assert repr(FileTransport(tmp_path)) == f"<osslcmp.transport.FileTransport in {tmp_path}>"
