"""The directory of the persistent CA: its files, a first start that is killed or not alone, new roots."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy.exc import SQLAlchemyError
from support.forge import Forger, enroll, read, sha256
from support.persistent import REFERENCE, SECRET, client, opened
from support.pki import PKI, make_key, make_name
from support.threads import at_once

import osslcmp
from osslcmp import BodyType, RevocationReason, features
from osslcmp.server import EmbeddedCA
from osslcmp.server.ca.persistent import PersistentCA


def test_files(tmp_path: Path) -> None:
    with opened(tmp_path / "new" / "ca") as ca:
        path = tmp_path / "new" / "ca"
        assert x509.load_pem_x509_certificate((path / "root.pem").read_bytes()) == ca.root
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in ("ca-1/root.key", "ca-1/issuing.key", "server.pem", "seal.key", "ca.db"):
        assert stat.S_IMODE((path / name).stat().st_mode) == 0o600, name


def test_what_a_killed_first_start_leaves(tmp_path: Path) -> None:
    (tmp_path / "ca-1.new").mkdir()
    (tmp_path / "ca-1.new" / "root.key").write_bytes(b"half")
    (tmp_path / "root.pem.new").write_bytes(b"half")
    (tmp_path / "seal.key.new").write_bytes(b"half")
    with opened(tmp_path) as ca:
        root = ca.root
    with opened(tmp_path) as ca:
        assert ca.root == root


def test_first_start_of_many(tmp_path: Path) -> None:
    def work(_: int) -> x509.Certificate:
        with opened(tmp_path / "ca") as ca:
            return ca.root

    assert len(set(at_once(work, range(4)))) == 1


def test_given_authorities(tmp_path: Path, pki: PKI) -> None:
    root, issuer = (pki.root.certificate, pki.root.key), (pki.issuing.certificate, pki.issuing.key)
    for _ in range(2):
        with opened(tmp_path, root=root, issuer=issuer, secrets={REFERENCE: SECRET}) as ca:
            certificate = client(ca.server()).ir(make_key(), subject=make_name("x")).certificate
            certificate.verify_directly_issued_by(pki.issuing.certificate)
            with pytest.raises(ValueError, match="key"):
                ca.update_root()
    assert not (tmp_path / "ca-1").exists()
    assert (tmp_path / "root.pem").read_bytes() == pki.root.certificate.public_bytes(Encoding.PEM)
    with pytest.raises(ValueError, match="issuing"):
        PersistentCA(tmp_path, root=root)


def test_wrong_arguments(tmp_path: Path) -> None:
    for options in ({"unconfirmed": "forget"}, {"confirm_within": 0}, {"name": "x" * 60}):
        with pytest.raises(ValueError, match=next(iter(options))):
            EmbeddedCA.open(tmp_path, **options)


def test_database_that_is_read_only(tmp_path: Path) -> None:
    """Told at the start."""
    EmbeddedCA.open(tmp_path).close()
    url = f"sqlite:///file:{tmp_path / 'ca.db'}?mode=ro&uri=true"
    with pytest.raises(SQLAlchemyError, match="readonly database"):
        EmbeddedCA.open(tmp_path, database=url)


def test_root_update(tmp_path: Path) -> None:
    """Who trusts the old root is served, and learns of the new one step by step."""
    with opened(tmp_path, secrets={REFERENCE: SECRET}) as ca:
        roots, key = [ca.root], make_key()
        mine = client(ca.server()).ir(key, subject=make_name("x")).certificate
        assert ca.root_update(ca.root) is None
        for _ in range(2):
            ca.update_root()
            roots.append(ca.root)
        server = ca.server()
    with opened(tmp_path) as ca:
        assert ca.root == roots[2]
        assert ca.roots == (roots[2], roots[1], roots[0])
        steps = [ca.root_update(root) for root in roots]
        assert [step and step.new_with_new for step in steps] == [roots[1], roots[2], None]
        for old, step in zip(roots, steps[:2], strict=False):
            assert step is not None
            assert step.new_with_old is not None
            assert step.old_with_new is not None
            step.new_with_old.verify_directly_issued_by(old)
            step.old_with_new.verify_directly_issued_by(step.new_with_new)
        server = ca.server()
        for root in roots:
            cmp = osslcmp.Client(
                transport=server, certificate=mine, key=key, chain=[ca.issuer], trusted=[root]
            )
            assert cmp.cr(make_key(), subject=make_name("y")).certificate
        if features["root_ca_update"]:
            update = cmp.root_ca_update(roots[0], accept=lambda _: True)
            assert update is not None
            assert update.new_with_new == roots[1]


def test_late_confirmation(tmp_path: Path) -> None:
    with opened(tmp_path, secrets={REFERENCE: SECRET}, confirm_within=0.05) as ca:
        server = ca.server()
        follower, answer = enroll(server, Forger())
        time.sleep(0.2)
        ca.tidy(now=True)
        assert read(server.process(follower.cert_conf(sha256(answer.certificate)))).kind == BodyType.ERROR
        assert ca.records[0].revoked == RevocationReason.cessationOfOperation
