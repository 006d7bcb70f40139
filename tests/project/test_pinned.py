"""What the CMP headers gained in which release, pinned: the same here, in the declarations and on ``lib``."""

from __future__ import annotations

import pytest

import build_cffi
from osslcmp import lib
from osslcmp._openssl.lib import NEEDED

HEADERS = {"cmp.h", "cmp_util.h", "crmf.h", "http.h"}

#: Functions and constants of these headers by the release that brought them, but for the macros of stacks.
PINNED = {
    "3.0.8": """
        OSSL_CMP_CTX_reset_geninfo_ITAVs OSSL_CMP_PKISTATUS_request OSSL_CMP_PKISTATUS_trans
        OSSL_CMP_PKISTATUS_unspecified
    """,
    "3.0.9": "OSSL_CMP_MSG_update_recipNonce",
    "3.0.16": "OSSL_HTTP_DEFAULT_MAX_CRL_LEN",
    "3.2": """
        OSSL_CMP_CTX_get0_libctx OSSL_CMP_CTX_get0_propq OSSL_CMP_CTX_get0_trusted
        OSSL_CMP_CTX_get0_validatedSrvCert OSSL_CMP_CTX_set0_trusted OSSL_CMP_CTX_set1_serialNumber
        OSSL_CMP_ITAV_get0_caCerts OSSL_CMP_ITAV_get0_rootCaCert OSSL_CMP_ITAV_get0_rootCaKeyUpdate
        OSSL_CMP_ITAV_new_caCerts OSSL_CMP_ITAV_new_rootCaCert OSSL_CMP_ITAV_new_rootCaKeyUpdate
        OSSL_CMP_OPT_USE_TLS OSSL_CMP_PVNO_2 OSSL_CMP_PVNO_3 OSSL_CMP_get1_caCerts
        OSSL_CMP_get1_rootCaKeyUpdate OSSL_CRMF_CERTTEMPLATE_get0_publicKey
    """,
    "3.3": """
        OSSL_CMP_CTX_get0_geninfo_ITAVs OSSL_CMP_ERROR OSSL_CMP_GENM OSSL_CMP_HDR_get0_geninfo_ITAVs
        OSSL_CMP_ITAV_get0_certProfile OSSL_CMP_ITAV_new0_certProfile OSSL_CMP_MSG_get0_certreq_publickey
        OSSL_CMP_OPT_NO_CACHE_EXTRACERTS OSSL_CMP_SRV_CTX_init_trans OSSL_HTTP_DEFAULT_MAX_RESP_HDR_LINES
        OSSL_HTTP_REQ_CTX_set_max_response_hdr_lines
    """,
    "3.4": """
        OSSL_CMP_ATAVS_free OSSL_CMP_ATAVS_it OSSL_CMP_ATAVS_new OSSL_CMP_ATAV_create OSSL_CMP_ATAV_free
        OSSL_CMP_ATAV_get0_algId OSSL_CMP_ATAV_get0_type OSSL_CMP_ATAV_get0_value OSSL_CMP_ATAV_get_rsaKeyLen
        OSSL_CMP_ATAV_new_algId OSSL_CMP_ATAV_new_rsaKeyLen OSSL_CMP_ATAV_push1 OSSL_CMP_ATAV_set0
        OSSL_CMP_CRLSTATUS_create OSSL_CMP_CRLSTATUS_free OSSL_CMP_CRLSTATUS_get0 OSSL_CMP_CRLSTATUS_new1
        OSSL_CMP_ITAV_get0_crlStatusList OSSL_CMP_ITAV_get0_crls OSSL_CMP_ITAV_get1_certReqTemplate
        OSSL_CMP_ITAV_new0_certReqTemplate OSSL_CMP_ITAV_new0_crlStatusList OSSL_CMP_ITAV_new_crls
        OSSL_CMP_get1_certReqTemplate OSSL_CMP_get1_crlUpdate OSSL_CRMF_ATTRIBUTETYPEANDVALUE_dup
        OSSL_CRMF_ATTRIBUTETYPEANDVALUE_free OSSL_CRMF_CERTTEMPLATE_dup d2i_OSSL_CMP_ATAVS
        i2d_OSSL_CMP_ATAVS
    """,
    "3.5": """
        OSSL_CRMF_ENCRYPTEDKEY_free OSSL_CRMF_ENCRYPTEDKEY_get1_encCert OSSL_CRMF_ENCRYPTEDKEY_get1_pkey
        OSSL_CRMF_ENCRYPTEDKEY_init_envdata OSSL_CRMF_ENCRYPTEDKEY_it OSSL_CRMF_ENCRYPTEDKEY_new
        OSSL_CRMF_ENCRYPTEDVALUE_decrypt OSSL_CRMF_MSG_centralkeygen_requested d2i_OSSL_CRMF_ENCRYPTEDKEY
        i2d_OSSL_CRMF_ENCRYPTEDKEY
    """,
    "3.5.7": "OSSL_CMP_PKISTATUS_checking_response OSSL_CMP_PKISTATUS_rejected_by_client",
}

BUILT = (lib.OPENSSL_VERSION_MAJOR, lib.OPENSSL_VERSION_MINOR, lib.OPENSSL_VERSION_PATCH)


def declared() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in build_cffi.declaration_files(build_cffi.release_folders()):
        if path.name in HEADERS:
            names = {each.name for each in build_cffi.read_declarations(path) if each.kind != "type"}
            found.setdefault(build_cffi.release_of(path.parent), set()).update(
                name for name in names if not name.startswith("sk_")
            )
    return found


def test_declarations() -> None:
    """Nothing more, nothing less; the rest of 3.0 is held against OpenSSL's headers by test_declarations.py."""
    assert {release: names for release, names in declared().items() if release != "3.0" and names} == {
        release: set(names.split()) for release, names in PINNED.items()
    }
    assert len(declared()["3.0"]) > 300


@pytest.mark.parametrize("release", PINNED)
def test_lib(release: str) -> None:
    """A name is on ``lib`` exactly when the OpenSSL that was built against has it."""
    there = build_cffi.in_release(release, BUILT)
    assert {name for name in PINNED[release].split() if hasattr(lib, name) is not there} == set()


def test_features() -> None:
    """Each proves itself by a function of the release that it names."""
    for feature, (release, symbol) in NEEDED.items():
        assert symbol in PINNED[release].split(), feature
