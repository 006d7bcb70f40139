"""Certificates that nobody should have issued, in the files that are renewed and from the server."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support.mock_server import MockServer
from support.odd import KINDS, NAME, odd_identity, with_field
from support.pki import PKI, Identity, cert_pem, key_pem, make_name

from osslcmp.renewal import Renewal, renew_all

#: One that libcrypto does not mind, either.
NO_DATE = "30 February"


@pytest.fixture
def device(pki: PKI) -> Identity:
    return pki.issue("odd", pki.issuing, subject=make_name(NAME))


def renewal(name: str, path: Path, url: str, pki: PKI, device: Identity) -> Renewal:
    """A certificate that is asked for anew under a secret, with the key that is there."""
    (path / "root.pem").write_bytes(cert_pem(pki.root.certificate))
    (path / "secret").write_bytes(b"secret\n")
    (path / f"{name}.key").write_bytes(key_pem(device.key))
    return Renewal(
        name=name,
        server=url,
        state=path / f"state-{name}",
        certificate=path / f"{name}.pem",
        key=path / f"{name}.key",
        new_key=False,
        request="ir",
        expired="ir",
        reference="ref",
        secret_file=path / "secret",
        subject="CN=x",
        trusted=(path / "root.pem",),
    )


@pytest.mark.parametrize("kind", [*KINDS, "after the year 9999"])
def test_what_only_openssl_reads_is_renewed(
    kind: str, mock_server: Callable[..., MockServer], pki: PKI, device: Identity, tmp_path: Path
) -> None:
    """The new certificate is written as it came, and the next run reads it."""
    issued = (
        odd_identity(kind, device, pki.issuing) if kind in KINDS else with_field(kind, device.certificate)
    )
    (tmp_path / "issued.pem").write_text(ssl.DER_cert_to_PEM_cert(issued))
    server = mock_server(rsp_cert=tmp_path / "issued.pem")
    wanted = renewal("x", tmp_path, server.url, pki, device)
    assert wanted.certificate is not None
    for action, force in (("renewed", True), ("current", False)):
        (outcome,) = renew_all([wanted], force=force)
        assert (outcome.action, outcome.error) == (action, None)
        assert outcome.serial == f"{device.certificate.serial_number:x}"
        assert ssl.PEM_cert_to_DER_cert(wanted.certificate.read_text()) == issued


def test_what_the_next_run_could_not_read_is_refused(
    mock_server: Callable[..., MockServer], pki: PKI, device: Identity, tmp_path: Path
) -> None:
    """The certificate that is there stays, and the server learns that the new one was not taken."""
    issued = ssl.DER_cert_to_PEM_cert(with_field(NO_DATE, device.certificate))
    (tmp_path / "issued.pem").write_text(issued)
    server = mock_server(rsp_cert=tmp_path / "issued.pem")
    wanted = renewal("x", tmp_path, server.url, pki, device)
    good = cert_pem(device.certificate)
    assert wanted.certificate is not None
    wanted.certificate.write_bytes(good)
    (outcome,) = renew_all([wanted], force=True)
    assert outcome.action == "failed"
    assert "cannot be read" in (outcome.error or "")
    assert outcome.serial == f"{device.certificate.serial_number:x}"
    assert wanted.certificate.read_bytes() == good
    (again,) = renew_all([wanted])
    assert again.action == "current"


def test_a_certificate_that_cannot_be_read_hinders_no_other(
    mock_server: Callable[..., MockServer], pki: PKI, device: Identity, tmp_path: Path
) -> None:
    """Each certificate has its outcome."""
    server = mock_server(rsp_cert=pki.enrolled.cert_file)
    odd, other = (renewal(name, tmp_path, server.url, pki, device) for name in ("odd", "other"))
    for wanted, data in (
        (odd, with_field(NO_DATE, device.certificate)),
        (other, device.certificate.public_bytes(Encoding.DER)),
    ):
        assert wanted.certificate is not None
        wanted.certificate.write_text(ssl.DER_cert_to_PEM_cert(data))
    first, second = renew_all([odd, other])
    assert (first.action, second.action) == ("failed", "current")
    assert (first.error or "").startswith("day ")


def test_a_state_that_is_no_directory_hinders_no_other(
    mock_server: Callable[..., MockServer], pki: PKI, device: Identity, tmp_path: Path
) -> None:
    """What is wrong with files is in the outcome, whatever file it is."""
    server = mock_server(rsp_cert=pki.enrolled.cert_file)
    odd, other = (renewal(name, tmp_path, server.url, pki, device) for name in ("odd", "other"))
    odd.state.write_bytes(b"")
    for wanted in (odd, other):
        assert wanted.certificate is not None
        wanted.certificate.write_bytes(cert_pem(device.certificate))
    first, second = renew_all([odd, other])
    assert (first.action, second.action) == ("failed", "current")
    assert str(odd.state) in (first.error or "")
