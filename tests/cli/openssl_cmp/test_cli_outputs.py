"""Files to write are tried before anything is sent: nothing may be issued that there is no place for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.https import WebServer
from support.pki import PKI

from osslcmp import openssl_version
from osslcmp._files import check_writable
from osslcmp.cli import main
from osslcmp.server import EmbeddedCA

IR = "ir -certout new.pem"
#: By option: the command that writes it, and the release that has it.
OPTIONS: dict[str, tuple[str, tuple[int, int]]] = {
    "certout": ("ir", (3, 0)),
    "chainout": (IR, (3, 0)),
    "cacertsout": (IR, (3, 0)),
    "extracertsout": (IR, (3, 0)),
    "srvcertout": (IR, (3, 2)),
    "reqout": (IR, (3, 0)),
    "rspout": (IR, (3, 0)),
    "writerand": (IR, (3, 0)),
    "trace": (IR, (3, 0)),
    "reqout_only": (IR, (3, 3)),
    "newkeyout": (f"{IR} -centralkeygen", (3, 5)),
    "newwithnew": ("genm -infotype rootCaCert -oldwithold root.pem", (3, 2)),
    "newwithold": ("genm -infotype rootCaCert -oldwithold root.pem -newwithnew new.pem", (3, 2)),
    "oldwithnew": ("genm -infotype rootCaCert -oldwithold root.pem -newwithnew new.pem", (3, 2)),
    "crlout": ("genm -infotype crlStatusList -crlcert root.pem", (3, 4)),
    "template": ("genm -infotype certReqTemplate", (3, 4)),
    "keyspec": ("genm -infotype certReqTemplate -template new.der", (3, 4)),
}
#: Paths that cannot be written, and why.
BAD = {"absent/file": "No such file or directory", "folder": "Is a directory", "file/x": "Not a directory"}


@pytest.fixture
def server(pki: PKI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """A CA, for commands in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    (tmp_path / "root.pem").write_bytes(pki.root.cert_file.read_bytes())
    with WebServer(EmbeddedCA({"ref": "secret"}).server().process) as running:
        yield running


def cmp(server: WebServer, pki: PKI, line: str) -> int:
    words = f"-server {server.url()} -ref ref -secret pass:secret -keep_alive 0 -recipient /CN=x -cmd {line}".split()
    if line.startswith("ir"):
        words += ["-subject", "/CN=x", "-newkey", str(pki.enrolled.key_file)]
    return main(["cmp", "-config", "", "-batch", *words])


@pytest.mark.parametrize("path", BAD)
@pytest.mark.parametrize("option", OPTIONS)
def test_tried(
    option: str, path: str, server: WebServer, pki: PKI, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The option is named, nothing is sent, and nothing that was there is changed."""
    command, since = OPTIONS[option]
    if openssl_version[:2] < since:
        pytest.skip(f"-{option} needs OpenSSL {since[0]}.{since[1]}")
    if option == "newkeyout":
        command = command.replace("-certout", "-popo -1 -certout")
    before = sorted(tmp_path.rglob("*"))
    assert cmp(server, pki, f"{command} -{option} {path}") == 1
    assert f"-{option}: file '{path}' cannot be written: {BAD[path]}" in capsys.readouterr().err
    assert not server.requests
    assert (tmp_path / "file").read_text() == "kept"
    assert sorted(tmp_path.rglob("*")) == before


def test_not_truncated(server: WebServer, pki: PKI, tmp_path: Path) -> None:
    """A file that exists keeps its contents if the request then fails, and is written over if it does not."""
    assert cmp(server, pki, "ir -certout file -ref nobody") == 1
    assert (tmp_path / "file").read_text() == "kept"
    assert cmp(server, pki, "ir -certout file") == 0
    assert "BEGIN CERTIFICATE" in (tmp_path / "file").read_text()


def test_what_is_not_written_is_not_tried(server: WebServer, pki: PKI) -> None:
    """As in OpenSSL, where an option has no effect for a command."""
    line = "genm -certout absent/x -chainout absent/x"
    assert cmp(server, pki, line) == (0 if openssl_version >= (3, 2, 0) else 1)
    assert bool(server.requests) == (openssl_version >= (3, 2, 0))


def test_special_files(tmp_path: Path) -> None:
    """Devices, pipes (which are not opened) and links."""
    check_writable("/dev/null")
    os.mkfifo(tmp_path / "pipe")
    check_writable(str(tmp_path / "pipe"))
    code = "from osslcmp._files import check_writable; check_writable('/dev/stdout')"
    with (tmp_path / "file").open("wb") as file:
        for stream in (subprocess.PIPE, file):
            subprocess.run([sys.executable, "-c", code], stdout=stream, check=True)
    (tmp_path / "link").symlink_to(tmp_path / "new")
    check_writable(str(tmp_path / "link"))
    assert not (tmp_path / "new").exists()
    (tmp_path / "dangling").symlink_to(tmp_path / "absent" / "new")
    with pytest.raises(FileNotFoundError):
        check_writable(str(tmp_path / "dangling"))
    with pytest.raises(IsADirectoryError):
        check_writable(f"{tmp_path}/new/")
    with pytest.raises(OSError, match="name too long"):
        check_writable(str(tmp_path / ("x" * 1000)))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_permissions(tmp_path: Path) -> None:
    """A file and a folder that may only be read."""
    (tmp_path / "file").touch(0o400)
    with pytest.raises(PermissionError):
        check_writable(str(tmp_path / "file"))
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        check_writable(str(tmp_path / "new"))
    tmp_path.chmod(0o700)


def test_page_of_a_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the messages are read."""
    assert main(["trace", "absent", "--html", str(tmp_path)]) == 1
    assert f"--html {tmp_path}: Is a directory" in capsys.readouterr().err
