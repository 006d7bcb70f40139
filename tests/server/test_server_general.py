"""General messages of a type, as an authority reads and answers them."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from support.authorities import Scripted
from support.forge import ECDSA_SHA256, sequence

import osslcmp
from osslcmp import InfoTypeAndValue, general
from osslcmp._asn1 import der
from osslcmp.message.bodyparts import algorithm_from_der
from osslcmp.server import EmbeddedCA, GeneralRequest, Server

CA = EmbeddedCA()
ALGORITHM = algorithm_from_der(ECDSA_SHA256)
VALUE = der.encode(der.SEQUENCE, der.encode(der.BIT_STRING, b"\0secret"))
"""An EncryptedValue."""

Items = list[InfoTypeAndValue]

#: What an authority answers, how it is read, and what is read.
ANSWERS: dict[str, tuple[InfoTypeAndValue, Callable[[Items], Any], Any]] = {
    "caCerts": (general.ca_certs_info([CA.root, CA.issuer]), general.ca_certs_of, [CA.root, CA.issuer]),
    "caProtEncCert": (
        general.certificate_info(general.CA_PROT_ENC_CERT, CA.issuer),
        lambda items: general.certificate_of(items, general.CA_PROT_ENC_CERT),
        CA.issuer,
    ),
    "caKeyUpdateInfo": (
        general.ca_key_update_info([CA.root] * 3),
        general.ca_key_update_of,
        (CA.root, CA.root, CA.root),
    ),
    "no caKeyUpdateInfo": (general.ca_key_update_info(None), general.ca_key_update_of, None),
    "currentCRL": (general.crl_info(CA.crl()), general.crl_of, CA.crl()),
    "no currentCRL": (general.crl_info(None), general.crl_of, None),
    "signKeyPairTypes": (
        general.algorithms_info(general.SIGN_KEY_PAIR_TYPES, [ECDSA_SHA256]),
        lambda items: general.algorithms_of(items, general.SIGN_KEY_PAIR_TYPES),
        [ALGORITHM],
    ),
    "preferredSymmAlg": (
        general.algorithm_info(general.PREFERRED_SYMM_ALG, ECDSA_SHA256),
        lambda items: general.algorithm_of(items, general.PREFERRED_SYMM_ALG),
        ALGORITHM,
    ),
    "keyPairParamRep": (
        general.algorithm_info(general.KEY_PAIR_PARAM_REP, None),
        lambda items: general.algorithm_of(items, general.KEY_PAIR_PARAM_REP),
        None,
    ),
    "suppLangTags": (general.lang_tags("en"), general.lang_tags_of, ["en"]),
    "revPassphrase": (general.rev_passphrase_info(VALUE), general.rev_passphrase_of, VALUE),
    "unsupportedOIDs": (
        general.unsupported_oids_info(["1.2.3", general.CRLS]),
        general.unsupported_oids_of,
        [x509.ObjectIdentifier("1.2.3"), general.CRLS],
    ),
    "rootCaKeyUpdate": (
        general.root_ca_key_update_info(CA.root, CA.issuer),
        lambda items: items[0].oid,
        None,
    ),
    "certReqTemplate": (general.cert_req_template_info(None), lambda items: items[0].value, None),
    "crls": (general.crls_info([]), lambda items: items[0].value, None),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers(name: str) -> None:
    """Over the wire, and through libcrypto, which has an item of its own for most of them."""
    item, read, expected = ANSWERS[name]
    server = Server(Scripted(general=[item]))
    client = osslcmp.Client(transport=server, reference="ref", secret="secret")
    found = client.genm([InfoTypeAndValue("1.2.3.4")])
    assert found == [item]
    if expected is not None:
        assert read(found) == expected


def test_questions() -> None:
    """What a client tells or asks with a value."""
    seen: list[GeneralRequest] = []

    def note(request: GeneralRequest) -> Items:
        seen.append(request)
        return []

    server = Server(Scripted(general=note))
    client = osslcmp.Client(transport=server, reference="ref", secret="secret")
    root = general.certificate_info(general.ROOT_CA_CERT, CA.root)
    key = general.key_pair_param_request("1.2.840.10045.2.1")
    client.genm([root, key, general.rev_passphrase_info(VALUE), general.lang_tags(["de", "en"])])
    infos = list(seen[0].infos)
    assert general.root_ca_cert_of(infos) == CA.root
    asked = general.key_pair_param_request_of(infos)
    assert asked is not None
    assert asked.dotted_string == "1.2.840.10045.2.1"
    assert general.rev_passphrase_of(infos) == VALUE
    assert general.lang_tags_of(infos) == ["de", "en"]


def test_what_cannot_be_a_passphrase() -> None:
    with pytest.raises(ValueError, match="revPassphrase"):
        general.rev_passphrase_info(der.encode_integer(1))


def test_every_kind_of_question() -> None:
    """The embedded CA answers all in one message, in their order, and names those that it does not know: what is nobody's,
    and what only a server sends."""
    ca = EmbeddedCA({"ref": "secret"})
    client = osslcmp.Client(transport=ca.server(), reference="ref", secret="secret")
    plain = [
        general.CA_PROT_ENC_CERT,
        general.SIGN_KEY_PAIR_TYPES,
        general.ENC_KEY_PAIR_TYPES,
        general.PREFERRED_SYMM_ALG,
        general.CA_KEY_UPDATE_INFO,
        general.CURRENT_CRL,
        general.CA_CERTS,
        general.CERT_REQ_TEMPLATE,
    ]
    unknown = [x509.ObjectIdentifier("1.2.3.4"), general.KEY_PAIR_PARAM_REP, general.CRLS]
    asked = [
        *(InfoTypeAndValue(oid) for oid in plain),
        *(InfoTypeAndValue(oid) for oid in unknown),
        InfoTypeAndValue(unknown[0]),
        general.lang_tags(["fr"]),
        general.key_pair_param_request("1.2.3"),
    ]
    found = client.genm(asked)
    answered = [*plain, general.SUPP_LANG_TAGS, general.KEY_PAIR_PARAM_REP]
    assert [item.oid for item in found] == [*answered, general.UNSUPPORTED_OIDS]
    empty = {item.oid for item in found if item.value is None}
    assert empty == {
        general.CA_PROT_ENC_CERT,
        general.CA_KEY_UPDATE_INFO,
        general.CERT_REQ_TEMPLATE,
        general.SUPP_LANG_TAGS,
        general.KEY_PAIR_PARAM_REP,
    }
    assert general.unsupported_oids_of(found) == unknown
    assert client.genm([InfoTypeAndValue(general.UNSUPPORTED_OIDS)]) == []


def test_many_questions() -> None:
    """The CRL is answered once, however often and in however many ways it is asked for: it may be large."""
    ca = EmbeddedCA({"ref": "secret"})
    client = osslcmp.Client(transport=ca.server(), reference="ref", secret="secret")
    (found,) = client.genm([InfoTypeAndValue(general.CURRENT_CRL)] * 500)
    assert found.value
    issuer = der.encode(der.explicit(4), ca.issuer.subject.public_bytes())
    source = der.encode(der.explicit(1), sequence(issuer))
    times = (datetime.datetime(2000, 1, day, tzinfo=datetime.timezone.utc) for day in range(1, 32))
    lists = (sequence(sequence(source, der.encode_moment(time))) for time in times)
    (found,) = client.genm([InfoTypeAndValue(general.CRL_STATUS_LIST, one) for one in lists])
    assert found.value
    with pytest.raises(osslcmp.RejectedError, match="33 questions") as caught:
        client.genm([InfoTypeAndValue(f"1.2.{number}") for number in range(33)])
    assert caught.value.failure_info == osslcmp.FailureInfo.badRequest
