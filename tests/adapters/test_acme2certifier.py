"""The CA handler of ``adapters/acme2certifier``, loaded and called by acme2certifier."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support.mock_server import MockServer
from support.odd import odd_identity
from support.pki import PKI, cert_pem

from osslcmp.server import EmbeddedCA, waiting
from osslcmp.server.ca.issuing import CMC_RA

pytestmark = pytest.mark.skipif(
    find_spec("acme2certifier") is None, reason="acme2certifier is not installed (adapters)"
)
HANDLER = Path(__file__).resolve().parents[2] / "adapters" / "acme2certifier" / "osslcmp_ca_handler.py"

#: One operation in a process of its own, as acme2certifier may do it: what it returns, as JSON.
CALL = """
import json, logging, os, sys
from acme2certifier.acme_srv.helper import ca_handler_load, load_config
logger = logging.getLogger("test")
module = ca_handler_load(logger, load_config(logger, "CAhandler"))
operation, *arguments = sys.argv[1:]
with module.CAhandler(False, logger) as handler:
    print(json.dumps(getattr(handler, operation)(*arguments)))
"""


class Site:
    """An acme2certifier with that handler."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.config = path / "acme_srv.cfg"
        lines = (f"{name}: {value}" for name, value in {"handler_file": HANDLER, **settings}.items())
        self.config.write_text("\n".join(["[CAhandler]", *lines]))

    def __call__(self, operation: str, *arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-c", CALL, operation, *arguments],
            env={"ACME_SRV_CONFIGFILE": str(self.config), "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


def test_certificates_are_enrolled_polled_for_and_revoked(tmp_path: Path, pki: PKI) -> None:
    """An RA asks; who has to wait is taken up by another process; the words of a refusal come through."""
    ca = EmbeddedCA(policy=waiting(2, check_after=0))
    ra = pki.issue("acme-ra", pki.issuing, purposes=[CMC_RA.dotted_string])
    (tmp_path / "root.pem").write_bytes(cert_pem(ca.root))
    csr = "".join(pki.enrolled.csr_file().read_text().splitlines()[1:-1])
    with ca.server(trusted=[ca.root, pki.root.certificate]).serve() as running:
        site = Site(
            tmp_path, cmp_server=running.url, cmp_trusted=tmp_path / "root.pem",
            cmp_certificate=ra.full_chain_file, cmp_key=ra.key_file,
        )  # fmt: skip
        assert site("handler_check") is None
        error, bundle, raw, identifier = site("enroll", csr)
        assert (error, bundle, raw) == (None, None, None)
        error, bundle, raw, left, rejected = site("poll", "name", identifier, csr)
        assert (error, left, rejected) == (None, None, False)
        (record,) = ca.records
        assert bundle.encode() == cert_pem([record.certificate, ca.issuer])
        assert site("revoke", raw.replace("+", "-").replace("/", "_").rstrip("="), "keyCompromise") == [
            200,
            None,
            None,
        ]
        assert record.revoked is not None
        assert record.revoked.name == "keyCompromise"
        status, kind, text = site("revoke", raw, "superseded")
        assert (status, kind) == (500, "urn:ietf:params:acme:error:serverInternal")
        assert "already revoked" in text
        version_10 = ca.root.public_bytes(Encoding.DER).replace(b"\xa0\3\2\1\2", b"\xa0\3\2\1\x09", 1)
        assert site("revoke", base64.b64encode(version_10).decode(), "superseded")[0] == 500
        ca.policy = None
        assert "badCertTemplate" in site("enroll", "AAAA")[0] or "csr" in site("enroll", "AAAA")[0]


def test_certificate_that_only_openssl_reads(
    tmp_path: Path, pki: PKI, mock_server: Callable[..., MockServer]
) -> None:
    """It is confirmed, so it is handed over."""
    me = pki.issue("acme_odd", pki.issuing)
    (tmp_path / "issued.pem").write_text(ssl.DER_cert_to_PEM_cert(odd_identity("false", me, pki.issuing)))
    (tmp_path / "secret").write_text("secret")
    site = Site(
        tmp_path,
        cmp_server=mock_server(rsp_cert=tmp_path / "issued.pem").url,
        cmp_trusted=pki.root.cert_file,
        cmp_reference="ref",
        cmp_secret_file=tmp_path / "secret",
    )
    error, bundle, *_ = site("enroll", "".join(me.csr_file().read_text().splitlines()[1:-1]))
    assert error is None
    assert bundle.startswith((tmp_path / "issued.pem").read_text())


def test_configuration_that_makes_no_sense_is_told(tmp_path: Path) -> None:
    """By each operation, without an exception."""
    site = Site(tmp_path, cmp_server="http://127.0.0.1:1/")
    assert "cmp_trusted" in site("handler_check") or "cmp_secret_file" in site("handler_check")
    assert site("enroll", "AAAA")[0].startswith("CAhandler configuration")
    assert site("revoke", "AAAA", "unspecified")[0] == 500
    (tmp_path / "empty").write_bytes(b"")
    site = Site(
        tmp_path,
        cmp_server="http://127.0.0.1:1/",
        cmp_trusted="x",
        cmp_reference="x",
        cmp_secret_file=tmp_path / "empty",
    )
    assert site("handler_check").startswith("CAhandler configuration")
