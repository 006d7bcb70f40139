"""Help, completion in real shells, the manual page, ``info`` and ``demo``: all made from the options as they are."""

from __future__ import annotations

import importlib
import json
import os
import platform
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import cffi
import cryptography
import pytest
from cryptography import x509
from support import openssl
from support.command import OSSLCMP, environment, osslcmp

import osslcmp as api
from osslcmp.cli import COMMANDS, main
from osslcmp.cli._common import option_names
from osslcmp.cli.openssl_cmp.options import OPTIONS, TOPICS

# -- help -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["--help"], ["help"], ["-h"], ["cmp", "-help"], ["help", "cmp"]], ids=" ".join
)
def test_help_fits_a_screen(words: list[str]) -> None:
    """80 columns, 24 lines with the prompt; and on stdout."""
    lines = osslcmp(*words).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 23
    known = TOPICS if "cmp" in words else COMMANDS
    assert all(any(re.match(f"  {name} +", line) for line in lines) for name in known)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "cmp"])
def test_help_of_each_command(command: str) -> None:
    """By every name of help, 80 columns wide."""
    told = osslcmp(command, "--help", COLUMNS="80").stdout
    assert (
        told
        == osslcmp("help", command, COLUMNS="80").stdout
        == osslcmp(command, "-help", COLUMNS="80").stdout
    )
    assert told.startswith(f"usage: osslcmp {command}")
    if command != "serve":  # its tables are wider
        assert max(map(len, told.splitlines())) <= 80


def test_help_of_cmp() -> None:
    """By topic, by option, all of it; every option stands under exactly one topic."""
    everything = osslcmp("cmp", "-help", "all").stdout
    for option in OPTIONS:
        assert len(re.findall(rf"^ -{re.escape(option.name)}[ \n]", everything, re.MULTILINE)) == 1
    assert {option.group for option in OPTIONS} == set(TOPICS.values())
    topics = "".join(osslcmp("cmp", "-help", topic).stdout for topic in TOPICS)
    assert all(f" -{option.name} " in topics for option in OPTIONS)
    assert osslcmp("cmp", "-help", "TLS").stdout.startswith("TLS connection options:\n -tls_used")
    assert "values: -1 0 1 2" in osslcmp("cmp", "-help", "-popo").stdout
    assert osslcmp("cmp", "-help", "popo").stdout.startswith("-popo int\n")
    assert "Topics: all, general" in osslcmp("cmp", "-help", "nonsense", status=1).stderr


@pytest.mark.parametrize(
    "words",
    [
        ["serve", "--directory="],
        ["serve", "--directory", "d", "--reference", " ", "--secret-file", "s"],
        ["serve", "--directory", "d", "--host", ""],
        ["ca", "--directory", "", "list"],
        ["ca", "list", "--directory", "\t"],
        ["renew", ""],
        ["probe", "http://127.0.0.1:1/", "--reference="],
        ["show", ""],
    ],
    ids=" ".join,
)
def test_blank_values(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An empty shell variable is a usage error, and not the folder that the shell is in."""
    assert main(words) == 2
    assert "is empty" in capsys.readouterr().err


_CA = ["--directory", "ca"]
_COMMANDS = [
    ["serve", *_CA, "--port", "0", "--reference", "r", "--secret-file", "secret"],
    ["probe", "https://127.0.0.1:1/"],
    ["show", "message"],
    ["trace", "message"],
    ["renew", "renew.toml"],
    ["ca", "secrets", *_CA, "--add", "x", "--secret-file", "secret"],
    *(["ca", *words, *_CA] for words in (["list"], ["show", "12"], ["revoke", "12"], ["crl"])),
]
_NEVER = ["", "\0"]
_VALUES = [*_NEVER, "-1", "9" * 20, "nan", "x", "\udcff", "missing/file", "folder", "octets"]


@pytest.mark.parametrize("words", _COMMANDS, ids=" ".join)
def test_wrong_values(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever an option is given, a line says which, or repeats it; the exit status is a documented one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(signal, "sigwait", lambda _: signal.SIGTERM)
    Path("secret").write_text("secret")
    Path("octets").write_bytes(bytes(range(256)))
    Path("folder").mkdir()
    Path("renew.toml").write_text(
        '[certificates.a]\nserver = "http://127.0.0.1:1/"\ncertificate = "c"\nkey = "k"\n'
        'trusted = "ca/root.pem"\n'
    )

    def keep(sent: bytes) -> bytes:
        Path("message").write_bytes(sent)
        raise KeyError

    with pytest.raises(KeyError):
        api.Client(transport=keep, reference="r", secret="s").genm()
    assert main(_COMMANDS[0]) == 0
    shutil.copytree("ca", "good")
    main([*words[: 2 if words[0] == "ca" else 1], "--help"])
    names = set(re.findall(r"(?<!\S)--[\w-]+", capsys.readouterr().out)) - {"--help", "--host"}
    for name, value in product(sorted(names), _VALUES):
        shutil.rmtree("ca")
        shutil.copytree("good", "ca")
        status = main([*words, f"{name}={value}"])
        told = capsys.readouterr().err
        assert status in ((2,) if value in _NEVER else (0, 1, 2)), name
        line = told.removesuffix(f"osslcmp {words[0]} --help tells the options.\n")
        shown = value.encode("ascii", "backslashreplace").decode()
        if status == 0:
            assert "Traceback" not in told
        elif told or words[0] != "probe":  # which says on stdout that nobody answers
            assert len(line.splitlines()) == 1, name
            assert name in line or shown in line or name[2:].replace("-", "_") in line
            assert not re.search(r"a bug in|encode|Errno|Error\b", line), line


def test_no_command_and_unknown_ones() -> None:
    """Status 2; what was meant, perhaps."""
    assert osslcmp(status=2).stderr.startswith("usage: ")
    assert "unknown command 'shwo'; did you mean 'show'?" in osslcmp("shwo", status=2).stderr
    assert "did you mean -server?" in osslcmp("cmp", "-servr", "x", status=1).stderr
    assert re.fullmatch(r"osslcmp \d+\.\d+.*\n", osslcmp("--version").stdout)


# -- completion -----------------------------------------------------------------------------------------


class Shell:
    """An interactive shell on a terminal."""

    def __init__(self, command: list[str], cwd: Path, setup: str) -> None:
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env={
                **environment(
                    TERM="dumb", PS1="$ ", HOME=str(cwd), XDG_CONFIG_HOME=str(cwd), LC_ALL="C.UTF-8"
                )
            },
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""
        self.type(setup + "\n")
        self.type("echo rea''dy\n")
        self.wait_for("ready")

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def wait_for(self, *words: str) -> str:
        """Until all of them have been seen since the last time."""
        end = time.monotonic() + 60
        while not all(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", self.seen) for word in words):
            ready, _, _ = select.select([self.ours], [], [], max(0, end - time.monotonic()))
            assert ready, f"{words} not in {self.seen!r}"
            self.seen += os.read(self.ours, 65536).decode(errors="replace")
        seen, self.seen = self.seen, ""
        return seen

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


BASH = ["bash", "--norc", "--noprofile", "-i"]
ZSH = ["zsh", "-f", "-i"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_by_keys(shell: str, tmp_path: Path) -> None:
    """What a person types and sees."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(osslcmp("completion", shell).stdout)
    (tmp_path / "key-file.pem").touch()
    subprocess.run([shell, "-n", str(script)], check=True)
    before = "autoload -Uz compinit; compinit -u -D; " if shell == "zsh" else "bind 'set bell-style none'; "
    run = Shell(BASH if shell == "bash" else ZSH, tmp_path, f"{before}source {script}")
    try:
        for keys, expected in (
            ("osslcmp tra\t", ["trace"]),
            ("osslcmp cmp -serv\t", ["-server"]),
            ("osslcmp cmp -cmd p\t", ["p10cr"]),
            ("osslcmp cmp -cmd \t\t", ["ir", "cr", "kur", "p10cr", "rr", "genm"]),
            ("osslcmp cmp -ser\t\t", ["-server", "-serial"]),
            ("osslcmp cmp -newkey key-\t", ["key-file.pem"]),
            ("osslcmp serve --unconf\t", ["--unconfirmed"]),
            ("osslcmp serve --unconfirmed \t\t", ["revoke", "keep"]),
            ("osslcmp show key-\t", ["key-file.pem"]),
            ("osslcmp ca crl --out key-\t", ["key-file.pem"]),
            ("osslcmp completion \t\t", ["bash", "zsh", "fish"]),
        ):
            run.type(keys)
            run.wait_for(*expected)
            run.type("\x15")  # forget the line
    finally:
        run.close()


def test_completion_of_fish(tmp_path: Path) -> None:
    """fish can be asked."""
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    (tmp_path / "s.fish").write_text(osslcmp("completion", "fish").stdout)
    (tmp_path / "key-file.pem").touch()

    def ask(line: str) -> set[str]:
        done = subprocess.run(
            ["fish", "-N", "-c", f"source s.fish; complete -C '{line}'"],
            cwd=tmp_path,
            env=environment(HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path)),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return {row.partition("\t")[0] for row in done.stdout.splitlines()}

    assert {"cmp", "serve", "show"} <= ask("osslcmp ")
    assert ask("osslcmp cmp -ser") == {"-server", "-serial"}
    assert ask("osslcmp cmp -cmd ") == {"ir", "cr", "kur", "p10cr", "rr", "genm"}
    assert ask("osslcmp cmp -newkey key-") == {"key-file.pem"}
    assert ask("osslcmp serve --unconfirmed ") == {"revoke", "keep"}


def options() -> Iterator[tuple[str, str]]:
    """Commands and their options, from what reads them."""
    for command, (module, _) in COMMANDS.items():
        if command == "cmp":
            yield from ((command, f"-{option.name}") for option in OPTIONS)
        else:
            parser = importlib.import_module(module).parser()
            yield from ((command, name) for name in option_names(parser))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_option(shell: str) -> None:
    """Of every command."""
    script = osslcmp("completion", shell).stdout
    for command, name in options():
        plain = name.lstrip("-")
        assert re.search(rf"(?<![\w-])-?-?{re.escape(plain)}(?![\w-])", script), (command, name)
    osslcmp("completion", "csh", status=2)


@pytest.mark.parametrize(("command", "package"), [("man", "argparse_manpage"), ("completion bash", "shtab")])
def test_optional_packages(command: str, package: str) -> None:
    """Who has not installed them is told what to do."""
    code = f"import sys; sys.modules[{package!r}] = None\nfrom osslcmp.cli import main\nsys.exit(main({command.split()}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'pip install "osslcmp[cli]"' in done.stderr


# -- the manual -----------------------------------------------------------------------------------------


def test_manual(tmp_path: Path) -> None:
    """Every option is in it, groff has no complaint, man shows it."""
    page = tmp_path / "osslcmp.1"
    page.write_text(osslcmp("man").stdout)
    if shutil.which("groff"):
        done = subprocess.run(
            ["groff", "-man", "-ww", "-z", "-Tutf8", str(page)], capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
    if shutil.which("mandoc"):
        done = subprocess.run(
            ["mandoc", "-T", "lint", "-W", "warning", str(page)], capture_output=True, text=True, check=False
        )
        assert done.stdout + done.stderr == ""
    shown = page.read_text().replace(r"\-", "-")
    assert all(rf".SS \fBosslcmp {command}\fR" in shown for command in COMMANDS)
    assert all(rf"\fB{name}\fR" in shown for _, name in options() if name not in ("-h", "--help"))
    if shutil.which("man") and shutil.which("groff"):
        done = subprocess.run(
            ["man", "-l", str(page)],
            env=environment(MANWIDTH="100"),
            capture_output=True,
            text=True,
            check=True,
        )
        assert "Certificate Management Protocol" in done.stdout
        assert done.stderr == ""


# -- info -----------------------------------------------------------------------------------------------


def test_info() -> None:
    """The OpenSSL that is really loaded, what it can do, versions."""
    told = json.loads(osslcmp("info", "--json").stdout)
    ssl, python = told["OpenSSL"], told["Python"]
    assert ssl["number"].startswith(".".join(map(str, api.openssl_version)))
    assert ssl["version"].startswith("OpenSSL ")
    assert {name: one["available"] for name, one in ssl["features"].items()} == api.features
    assert [one["name"] for one in ssl["providers loaded"] if one["works"]] == ["default"]
    assert python["cffi"] == cffi.__version__
    assert python["cryptography"] == cryptography.__version__
    assert python["cryptography's OpenSSL"].startswith("OpenSSL ")
    assert platform.python_version() in python["Python"]
    assert set(python["extras"]) == {"server", "postgresql", "metrics", "cli", "toml", "httpx", "urllib3"}
    maps = Path("/proc/self/maps")
    if maps.exists():  # this process has loaded the same one
        assert api.lib.OpenSSL_version_num()
        assert any(line.endswith(ssl["library"]) for line in maps.read_text().splitlines())
    with Path(ssl["library"]).open("rb") as file:
        import hashlib

        assert ssl["library SHA-256"] == hashlib.sha256(file.read()).hexdigest()
    if openssl.version() == api.openssl_version:
        command = subprocess.run(
            [*openssl.command(), "version", "-d", "-m"], capture_output=True, text=True, check=True
        ).stdout
        assert f'OPENSSLDIR: "{ssl["directory"]}"' in command
        assert f'MODULESDIR: "{ssl["modules directory"]}"' in command


def test_info_for_people() -> None:
    """The same in rows; the long ones on demand."""
    told = osslcmp("info", https_proxy="http://me:hunter2@proxy").stdout
    for name, there in api.features.items():
        assert re.search(rf"^  {name} +{'yes' if there else 'no '} +OpenSSL \d\.\d", told, re.MULTILINE)
    assert re.findall(r"^(\w+)$", told, re.MULTILINE)[:3] == ["OpenSSL", "Features", "Python"]
    assert "\n\nFeatures\n" in told
    assert re.search(r"^  provider loaded +default \d", told, re.MULTILINE)
    assert "hunter2" not in told
    assert re.search(r"^  https_proxy +\(set\)", told, re.MULTILINE)
    assert "compiler" not in told
    assert "TLS ciphers" in osslcmp("info", "--all").stdout


def test_info_of_providers_and_configuration(tmp_path: Path) -> None:
    """A provider that the configuration loads is there; a configuration that is absent is said to be."""
    config = tmp_path / "c.cnf"
    config.write_text(
        "openssl_conf = a\n[a]\nproviders = b\nalg_section = f\n[b]\ndefault = d\nbase = d\n[d]\nactivate = 1\n"
        "[f]\ndefault_properties = fips=yes\n"
    )
    told = json.loads(osslcmp("info", "--json", OPENSSL_CONF=str(config)).stdout)["OpenSSL"]
    assert {one["name"] for one in told["providers loaded"]} == {"default", "base"}
    assert told["FIPS by default"]
    assert told["configuration"] == str(config)
    absent = json.loads(osslcmp("info", "--json", OPENSSL_CONF=str(tmp_path / "no")).stdout)["OpenSSL"]
    assert absent["configuration"].endswith("/no (absent)")


def test_info_without_openssl(tmp_path: Path) -> None:
    """Where libcrypto does not load, the report that tells so is what is needed."""
    fake = (
        "import sys\nsys.modules['osslcmp._native'] = None\nfrom osslcmp.cli import main\nsys.exit(main({}))"
    )
    for words in (["info"], ["info", "--json"]):
        done = subprocess.run(
            [sys.executable, "-c", fake.format(words)],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr == ""
        assert "_native" in done.stdout
        assert platform.python_version() in done.stdout
    done = subprocess.run(
        [sys.executable, "-c", fake.format(["show", "x"])],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.fullmatch(r"osslcmp: .*_native.*\n", done.stderr)


# -- demo -----------------------------------------------------------------------------------------------


def test_demo(tmp_path: Path) -> None:
    """All steps; the certificates and the page stay where they were asked for, and nowhere else."""
    told = osslcmp("demo", "--quick", "--output", "out", cwd=tmp_path).stdout
    assert told.count(": OK\n") == 5
    assert re.findall(r"^\n(\d)\. ", told, re.MULTILINE) == list("12345678")
    assert "\\n" not in told
    assert re.findall(r"^  (\d)\. .* ok +\d+ ms$", told, re.MULTILINE) == list("12345678")
    for kind in ("ir", "cr", "p10cr", "kur", "rr", "genm", "pollreq", "certconf", "error"):
        assert re.search(rf"^    (-->|<--) {kind}$", told, re.MULTILINE)
    assert x509.load_pem_x509_certificate((tmp_path / "out" / "kur.pem").read_bytes())
    assert "pollreq" in (tmp_path / "out" / "trace.html").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_demo_without_openssl_command_and_rich(tmp_path: Path) -> None:
    """Both are welcome, neither is needed; and nothing is left behind."""
    program = "import sys\nsys.modules['rich'] = None\nfrom osslcmp.cli import main\nsys.exit(main(['demo', '--quick']))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment(PATH=str(tmp_path), TMPDIR=str(tmp_path), FORCE_COLOR="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "openssl is not installed" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_demo_interrupted(tmp_path: Path) -> None:
    """While the CA thinks: at once, and the folder is gone."""
    with subprocess.Popen(
        [*OSSLCMP, "demo"],
        env=environment(TMPDIR=str(tmp_path), PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if "waiting" in line:
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.stderr.read() == ""
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_demo_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A message."""
    (tmp_path / "file").touch()
    assert "--output file: File exists" in osslcmp("demo", "--output", "file", cwd=tmp_path, status=1).stderr
    (tmp_path / "folder" / "trace.html").mkdir(parents=True)
    done = osslcmp("demo", "--output", "folder", cwd=tmp_path, status=1)
    assert "--output folder: Is a directory" in done.stderr
    assert not done.stdout
