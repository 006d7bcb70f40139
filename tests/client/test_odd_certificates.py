"""Certificates that libcrypto takes and ``cryptography`` reads only in part."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.pki import PKI

from osslcmp import Enrollment, FailureInfo, PKIStatus


def test_an_enrollment_can_be_printed_whatever_names_are_in_it(pki: PKI) -> None:
    der = pki.enrolled.certificate.public_bytes(Encoding.DER)
    name = x509.NameOID.COMMON_NAME
    value = pki.enrolled.subject.get_attributes_for_oid(name)[0].value
    assert isinstance(value, str)
    odd = x509.load_der_x509_certificate(der.replace(value.encode(), b"\xff" * len(value)))
    with pytest.raises(ValueError, match="subject"):
        repr(odd)
    enrollment = Enrollment(odd, [odd], [], [odd], PKIStatus.accepted, FailureInfo(0), "")
    number = f"{odd.serial_number:x}"
    assert repr(enrollment) == (
        f"<osslcmp.Enrollment accepted: certificate {number}; 1 in its chain, 0 in caPubs, 1 in extraCerts>"
    )
