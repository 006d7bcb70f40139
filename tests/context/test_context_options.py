"""``set_option`` and ``get_option``: every option, its range, its type."""

from __future__ import annotations

import pytest

import osslcmp
from osslcmp import Context, Option, POPOMethod, RevocationReason, Severity, lib

FLAGS = (
    Option.SUBJECTALTNAME_NODEFAULT,
    Option.SUBJECTALTNAME_CRITICAL,
    Option.POLICIES_CRITICAL,
    Option.IMPLICIT_CONFIRM,
    Option.DISABLE_CONFIRM,
    Option.UNPROTECTED_SEND,
    Option.UNPROTECTED_ERRORS,
    Option.IGNORE_KEYUSAGE,
)
SOME = {
    Option.LOG_VERBOSITY: (*Severity,),
    Option.KEEP_ALIVE: (0, 1, 2),
    Option.MSG_TIMEOUT: (0, 1, 120, 0x7FFFFFFF),
    Option.TOTAL_TIMEOUT: (0, 1, 3600, 0x7FFFFFFF),
    Option.VALIDITY_DAYS: (0, 1, 3650),
    Option.POPO_METHOD: (*POPOMethod,),
    Option.REVOCATION_REASON: (*RevocationReason,),
    Option.OWF_ALGNID: (lib.NID_sha256, lib.NID_sha512),
    Option.MAC_ALGNID: (lib.NID_hmac_sha1,),
    Option.DIGEST_ALGNID: (lib.NID_sha256, lib.NID_sha512),
    Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR: (0,),
    **dict.fromkeys(FLAGS, (0, 1)),
}
OF_LATER_RELEASES = {Option.USE_TLS: "use_tls", Option.NO_CACHE_EXTRACERTS: "no_cache_extracerts"}


def test_all_options_are_covered() -> None:
    """The tables of this file name every option."""
    assert {*SOME, *OF_LATER_RELEASES} == {*Option}


@pytest.mark.parametrize(("option", "value"), [(o, v) for o, values in SOME.items() for v in values])
def test_round_trip(option: Option, value: int) -> None:
    """What is set is what is there, in C as well."""
    context = Context()
    context.set_option(option, value)
    assert context.get_option(option) == value
    # For these, C gets what somebody listens to, and nothing: the time is reckoned here.
    if option not in (Option.LOG_VERBOSITY, Option.TOTAL_TIMEOUT):
        assert lib.OSSL_CMP_CTX_get_option(context.calls.pointer, option) == value


@pytest.mark.parametrize(("option", "feature"), OF_LATER_RELEASES.items())
def test_option_of_a_later_release(option: Option, feature: str) -> None:
    """Set and read where it exists, refused where not."""
    context = Context()
    if osslcmp.features[feature]:
        for value in (1, 0):
            context.set_option(option, value)
            assert context.get_option(option) == value
        return
    with pytest.raises(osslcmp.UnsupportedError):
        context.set_option(option, 1)
    with pytest.raises(osslcmp.UnsupportedError):
        context.get_option(option)


@pytest.mark.parametrize("option", FLAGS)
def test_flags_take_bool(option: Option) -> None:
    """True and False are what one writes."""
    context = Context()
    context.set_option(option, True)
    assert context.get_option(option) == 1
    context.set_option(option, False)
    assert context.get_option(option) == 0


@pytest.mark.parametrize(
    ("option", "value"),
    [
        (Option.LOG_VERBOSITY, -1),
        (Option.LOG_VERBOSITY, 9),
        (Option.KEEP_ALIVE, -1),
        (Option.KEEP_ALIVE, 3),
        (Option.MSG_TIMEOUT, -1),
        (Option.TOTAL_TIMEOUT, -1),
        (Option.TOTAL_TIMEOUT, 0x80000000),
        (Option.VALIDITY_DAYS, -1),
        (Option.VALIDITY_DAYS, 1 << 40),
        (Option.POPO_METHOD, -2),
        (Option.POPO_METHOD, 4),
        (Option.REVOCATION_REASON, -2),
        (Option.REVOCATION_REASON, 7),  # RFC 5280 leaves it out
        (Option.REVOCATION_REASON, 11),
        (Option.DIGEST_ALGNID, -5),
        *((option, value) for option in FLAGS for value in (-1, 2)),
    ],
)
def test_out_of_range(option: Option, value: int) -> None:
    """Refused before C is asked; what was set stays."""
    context = Context()
    before = context.get_option(option)
    with pytest.raises(ValueError, match=rf"{option.name}: {value} is out of range"):
        context.set_option(option, value)
    assert context.get_option(option) == before


@pytest.mark.parametrize("value", [1.0, "1", None, b"1", [1]])
def test_wrong_type(value: object) -> None:
    """Only integers."""
    with pytest.raises(TypeError, match="KEEP_ALIVE: an int"):
        Context().set_option(Option.KEEP_ALIVE, value)  # type: ignore[arg-type]


@pytest.mark.parametrize("option", [-1, 99, 14, "KEEP_ALIVE", None])
def test_no_option(option: object) -> None:
    """Numbers that are no option."""
    with pytest.raises(ValueError, match="no osslcmp"):
        Context().set_option(option, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no osslcmp"):
        Context().get_option(option)  # type: ignore[arg-type]


@pytest.mark.parametrize("option", [Option.OWF_ALGNID, Option.DIGEST_ALGNID])
@pytest.mark.parametrize("nid", [0, lib.NID_commonName, 99999])
def test_no_digest(option: Option, nid: int) -> None:
    """A number that is no digest of the loaded OpenSSL."""
    context = Context()
    with pytest.raises((osslcmp.RequestError, ValueError)):
        context.set_option(option, nid)
    assert context.get_option(option) == lib.NID_sha256


def test_defaults() -> None:
    """Timeouts are finite; OpenSSL's own are not."""
    context = Context()
    assert 0 < context.get_option(Option.MSG_TIMEOUT) <= 120
    assert 0 < context.get_option(Option.TOTAL_TIMEOUT) <= 3600
    assert context.get_option(Option.KEEP_ALIVE) == 1
    assert context.get_option(Option.POPO_METHOD) == POPOMethod.SIGNATURE
    assert context.get_option(Option.REVOCATION_REASON) == RevocationReason.none


def test_plain_numbers() -> None:
    """The number of an option is as good as its name."""
    context = Context()
    context.set_option(25, 1)
    assert context.get_option(25) == 1
    assert context.get_option(Option.IMPLICIT_CONFIRM) == 1
