"""What README and docs tell people to type and to save: every block of a shell, of pytest and of settings is tried."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from cryptography import x509
from support import guides
from support.enrol import LOCAL
from support.guides import Shell
from support.pki import PKI, cert_pem, key_pem, make_key
from support.raw_server import free_port
from support.serving import load

import osslcmp
from osslcmp.server import EmbeddedCA

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.peer

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

#: Blocks that are tried elsewhere, or cannot be here, by how they begin.
ELSEWHERE = {
    "#!/bin/sh": "tests/testing/test_plugin_project.py",
    "import subprocess": "tests/testing/test_plugin_project.py",
    "[pytest]\ncmp_server_scope": "tests/testing/test_plugin_project.py",
    "[pytest]\ncmp_server_tls": "tests/testing/test_https.py",
}
#: The same of whole pages.
PAGES_ELSEWHERE = {
    "docs/interoperability.md": "tests/testing/test_quirks.py",
    "docs/operations.md": "tests/cli/test_operations_guide.py",
    **{page.relative_to(ROOT).as_posix(): "tests/project/test_guides.py" for page in guides.GUIDES},
}


def blocks(page: str, *languages: str) -> list[str]:
    """The code blocks of a page in these languages."""
    return [block.code for block in guides.blocks((ROOT / page).read_text(encoding="utf-8"), *languages)]


def block(page: str, beginning: str) -> str:
    """The one block of a page that begins so."""
    (found,) = [code for code in blocks(page) if code.startswith(beginning)]
    return found


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """In the folder of the test."""
    return Shell(tmp_path)


def commands(script: str) -> list[str]:
    """Its commands, one by one."""
    return [
        line for line in re.sub(r" *\\\n *", " ", script).splitlines() if line and not line.startswith("#")
    ]


def test_command_page(shell: Shell) -> None:
    """docs/command.md: enrol, update, ask, record, and look at what was recorded."""
    first, record, look = blocks("docs/command.md", "sh")[:3]
    shell.run("openssl ecparam -name prime256v1 -genkey -noout -out key.pem; cp key.pem new.pem")
    with EmbeddedCA({"1234": "secret"}).server().serve() as running:

        def here(script: str) -> str:
            return script.replace("127.0.0.1:8080", f"127.0.0.1:{running.port}")

        for command in commands(here(first)):
            shell.run(command)
            if "-cmd kur" in command:
                shell.run("cp new.pem key.pem")
        shell.run(here(record))
        shell.run(look)
    assert (shell.folder / "ir.html").read_text().lower().startswith("<!doctype html>")
    names = load(shell.folder / "cert.pem").subject.rfc4514_string()
    assert names == "CN=me"


def test_probe_of_the_command_page(shell: Shell) -> None:
    """docs/command.md: a server is probed, by a stranger and under its secret; one certificate is asked for."""
    ca = EmbeddedCA({"4711": "secret"})
    (shell.folder / "secret.txt").write_text("secret\n")
    with ca.server().serve() as running:
        shell.run(block("docs/command.md", "osslcmp probe").replace(":8080", f":{running.port}"))
    assert len(ca.records) == 1


def test_other_languages(shell: Shell) -> None:
    """docs/testing.md: both commands read a script."""
    faults = shell.folder / "faults.txt"
    faults.write_text(block("docs/testing.md", "# one step a line"))
    shell.run(block("docs/testing.md", "sleep 5 | python"))
    faults.write_text("# every step is used\n")
    command = block("docs/testing.md", "osslcmp serve --script").replace("8080", str(free_port()))
    with shell.serving(command):
        assert load(shell.folder / "lab" / "root.pem")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("zsh", "zsh -f -c '{}\nautoload -Uz compinit; compinit -u -D; print $_comps[osslcmp]'"),
        ("fish", "{}\nfish -c \"complete -C 'osslcmp '\""),
    ],
)
def test_completion_of_other_shells(name: str, command: str, shell: Shell) -> None:
    """docs/command.md: zsh and fish complete it after that, too."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    script = block(
        "docs/command.md", "osslcmp completion zsh" if name == "zsh" else "mkdir -p ~/.config/fish"
    )
    (shell.folder / "functions").mkdir()
    found = shell.run(command.format(f"fpath=(functions $fpath)\n{script}" if name == "zsh" else script))
    assert found.strip() == "_osslcmp" if name == "zsh" else "renew" in found


def test_completion(shell: Shell) -> None:
    """docs/command.md: bash completes it."""
    (script,) = blocks("docs/command.md", "bash")
    shell.run(script + "complete -p osslcmp")
    assert (shell.folder / ".local/share/bash-completion/completions/osslcmp").stat().st_size > 1000


def test_operator_page(shell: Shell) -> None:
    """docs/serve.md: start, and enrol."""
    port = free_port()
    start = commands(block("docs/serve.md", "printf %s").replace("8080", str(port)))
    shell.run(start[0])
    with shell.serving(start[1]):
        shell.run(block("docs/serve.md", "openssl ecparam").replace("8080", str(port)))
    assert load(shell.folder / "cert.pem").subject.rfc4514_string() == "CN=device-1"
    assert load(shell.folder / "root.pem") == load(shell.folder / "ca/root.pem")


def test_tls(shell: Shell, pki: PKI) -> None:
    """docs/serve.md: HTTPS with client certificates."""
    port = free_port()
    script = block("docs/serve.md", "osslcmp serve --directory ca --port 8443")
    serve, client = commands(script.replace("8443", str(port)).replace("cmp.example", "localhost"))
    web = pki.issue("docs-web", pki.issuing, sans=LOCAL)
    files = {
        "server-chain.pem": cert_pem([web.certificate, *web.chain]),
        "server.key": key_pem(web.key),
        "factory.pem": cert_pem(pki.root.certificate),
        "web-root.pem": cert_pem(pki.root.certificate),
        "device.pem": cert_pem([pki.client.certificate, *pki.client.chain]),
        "device.key": key_pem(pki.client.key),
        "key.pem": key_pem(make_key()),
        "secret": b"a long secret",
    }
    for name, data in files.items():
        (shell.folder / name).write_bytes(data)
    with shell.serving(serve + " --reference device-1 --secret-file secret"):
        shell.run(client)
    assert load(shell.folder / "cert.pem").subject.rfc4514_string() == "CN=device-1"


def test_settings(shell: Shell, pki: PKI) -> None:
    """docs/serve.md: the server starts with the TOML file, in one process, in several, and with a new root."""
    settings = block("docs/serve.md", "port = 8080")
    port = free_port()
    settings = (
        settings.replace("8080", str(port)).replace("/var/lib/osslcmp", "ca").replace("/etc/osslcmp", ".")
    )
    (shell.folder / "serve.toml").write_text(settings)
    (shell.folder / "devices.pem").write_bytes(cert_pem(pki.root.certificate))
    for number in (1, 2, 3):
        (shell.folder / f"device-{number}.secret").write_text("a secret")
    for script in blocks("docs/serve.md", "sh"):
        for command in commands(script):
            if "--config serve.toml" in command:
                with shell.serving(command.removesuffix("&")):
                    pass
    assert (shell.folder / "ca/ca-2").is_dir()


def test_own_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pki: PKI) -> None:
    """docs/serve.md: an authority of one's own."""
    monkeypatch.chdir(tmp_path)
    for name, data in (
        ("server.pem", cert_pem(pki.server.certificate)),
        ("server.key", key_pem(pki.server.key)),
        ("root.pem", cert_pem(pki.root.certificate)),
    ):
        Path(name).write_bytes(data)

    class MyCA:
        certificate = pki.issuing.certificate

        def sign(self, key: object, subject: x509.Name) -> x509.Certificate:
            return pki.issue("docs", pki.issuing, subject=subject, key=mine).certificate

    mine = make_key()
    space: dict[str, object] = {
        "secrets_of_my_clients": {b"4711": b"secret"},
        "allowed": lambda subject, reference: True,
        "my_ca": MyCA(),
    }
    exec(compile(block("docs/serve.md", "from osslcmp import FailureInfo"), "docs/serve.md", "exec"), space)
    client = osslcmp.Client(transport=space["server"], reference="4711", secret="secret")  # type: ignore[arg-type]
    assert client.ir(mine, subject="CN=x").certificate.issuer == pki.issuing.subject


def test_pytest_of_the_readme(pytester: pytest.Pytester) -> None:
    """README.md: a project of somebody else."""
    (code,) = [code for code in blocks("README.md", "python") if "def test_" in code]
    pytester.makepyfile(test_mine=code)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_script_of_faults(pytester: pytest.Pytester) -> None:
    """docs/testing.md: its steps are taken."""
    code = block("docs/testing.md", "from osslcmp.testing import drop_response")
    imports, _, steps = code.partition("\n\n")
    body = "".join(f"    {line}\n" for line in steps.splitlines())
    pytester.makepyfile(
        test_steps=f"{imports}\n\ndef test_steps(cmp_server):\n{body}"
        "    assert cmp_server.script_left == 3\n    cmp_server.script()\n"
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_own_faults(pytester: pytest.Pytester) -> None:
    """docs/testing.md: faults of one's own are set, and used up by five requests."""
    code = block("docs/testing.md", "from osslcmp.testing import change")
    definitions, _, steps = code.partition("cmp_server.script(")
    pytester.makepyfile(
        test_faults=f"import contextlib\nimport osslcmp\n{definitions}\n\ndef test_faults(cmp_server, cmp_client):\n"
        f"    cmp_server.script({steps}\n"
        "    for _ in range(5):\n        with contextlib.suppress(osslcmp.CMPError):\n            cmp_client.genm()\n"
        "    assert cmp_server.steps_left == []\n"
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_https_of_the_plugin(pytester: pytest.Pytester) -> None:
    """docs/testing.md: a test with HTTPS."""
    pytester.makepyfile(test_https=block("docs/testing.md", "import osslcmp\nimport pytest"))
    pytester.runpytest_subprocess("-q", "--strict-markers").assert_outcomes(passed=1)


def test_transports_of_the_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pki: PKI) -> None:
    """docs/client.md: its block about TLS and proxies, whose ``...`` stands for credentials."""
    monkeypatch.chdir(tmp_path)
    for name, data in (
        ("ca.pem", cert_pem(pki.root.certificate)),
        ("me.pem", cert_pem(pki.client.certificate)),
        ("me.key", key_pem(pki.client.key)),
    ):
        Path(name).write_bytes(data)
    (code,) = blocks("docs/client.md", "py")
    code = code.replace(", ...)", ", reference='ref', secret='secret')")
    space: dict[str, object] = {"osslcmp": osslcmp, "url": "http://ca.example/"}
    exec(compile(code, "docs/client.md", "exec"), space)
    assert any(isinstance(made, osslcmp.Client) for made in space.values())


def test_no_block_is_forgotten() -> None:
    """Each block that can be run is, here or in the test that knows what it needs."""
    mine = Path(__file__).read_text(encoding="utf-8")
    assert all((ROOT / test).is_file() for test in PAGES_ELSEWHERE.values())
    for name in (page.relative_to(ROOT).as_posix() for page in PAGES):
        if name in PAGES_ELSEWHERE:
            continue
        for code in blocks(name, "sh", "bash", "zsh", "toml", "ini"):
            assert f'"{name}"' in mine or any(code.startswith(start) for start in ELSEWHERE), (
                f"{name}: {code}"
            )
