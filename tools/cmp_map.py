"""What an option of ``openssl cmp`` is in Python: the tables of ``docs/guides/from-openssl-cmp.md``.

The options, their groups, arguments and releases are those of ``osslcmp cmp``; here stands only what does the same. A
Sphinx extension: it puts the tables in the place of the comment ``<!-- cmp-map -->``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openssl_map import fill_in
from osslcmp.cli.openssl_cmp.options import ARGUMENTS, OPTIONS, TOPICS, Option

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MARK = "<!-- cmp-map -->"

#: Of OpenSSL alone: ``osslcmp cmp`` refuses it.
ENGINE = Option("Provider", "engine", "s", "")

#: Option, and what does the same. ``request(...)`` is any of ``ir``, ``cr``, ``p10cr``, ``kur`` and ``begin``.
_TABLE = """
help `help(osslcmp.Client)`
config none: arguments are in your code; `LibraryContext(config=)` reads a configuration of OpenSSL itself
section none
verbosity the level of the logger `osslcmp.openssl`
cmd the method: `Client.ir`, `Client.cr`, `Client.kur`, `Client.p10cr`, `Client.rr`, `Client.genm`
infotype `Client.genm`, or the method of that kind: `Client.ca_certs`, `Client.current_crl` ...
profile `request(profile=)`, on each release
geninfo `request(general_info=)`, `Client(general_info=)`
template `CertReqTemplate.template`, from `Client.cert_req_template`
keyspec `CertReqTemplate.key_algorithms`, `CertReqTemplate.rsa_key_lengths`
newkey `request(key=)`, the first argument
newkeypass `request(key_password=)`
centralkeygen `request(central_key=)`
newkeyout `Enrollment.key`
subject `request(subject=)`
days `request(days=)`; also `request(not_before=)`, `request(not_after=)`
reqexts `request(extensions=)`: objects of `cryptography`
sans `request(sans=)`, `request(sans_critical=)`
san_nodefault `request(sans_default=)` is false
policies `request(policies=)`: objects of `cryptography`
policy_oids `request(policies=)`: OIDs
policy_oids_critical `request(policies_critical=)`
popo `request(popo=)`: `POPOMethod.NONE`, `POPOMethod.RAVERIFIED`, `POPOMethod.SIGNATURE`, `POPOMethod.KEYENC`
csr the argument of `Client.p10cr`; else `request(csr=)`
out_trusted `request(check=)`, with CRLs too; `request(confirm_trusted=)` as OpenSSL does it
implicit_confirm `request(implicit_confirm=)`
disable_confirm `request(disable_confirm=)`
certout `Enrollment.certificate`, `Enrollment.fullchain_pem`, `Enrollment.save`
chainout `Enrollment.chain`
oldcert `request(certificate=)`; for rr the first argument of `Client.rr`
issuer `request(issuer=)`; for rr `Client.rr(issuer=)`
serial `Client.rr(serial=)`, on each release
revreason `Client.rr(reason=)`; left out it is *unspecified*, `None` is -1
server `Client(server=)`, the first argument: a whole URL
proxy `Client(proxy=)`
no_proxy `Client(no_proxy=)`
recipient `Client(recipient=)`
path part of the URL; `transport.well_known_url` makes those of RFC 9811
keep_alive `Client(keep_alive=)`
msg_timeout `Client(message_timeout=)`; 60 s if left out
total_timeout `Client(total_timeout=)`; 600 s if left out
trusted `Client(trusted=)`; and see `Client(server_usage=)`: by default stricter than OpenSSL
untrusted `Client(untrusted=)`
srvcert `Client(server_certificate=)`
expect_sender `Client(expected_sender=)`
ignore_keyusage `Client(ignore_key_usage=)`
unprotected_errors `Client(unprotected_errors=)`
ta_in_ip_extracerts `Context.set_option` with `Option.PERMIT_TA_IN_EXTRACERTS_FOR_IR`, from 3.5 on
no_cache_extracerts `Context.set_option` with `Option.NO_CACHE_EXTRACERTS`
srvcertout `Enrollment.server_certificate`
extracertsout `Enrollment.extra_certs`
cacertsout `Enrollment.ca_pubs`; for genm `Client.ca_certs`
oldwithold the first argument of `Client.root_ca_update`
newwithnew `RootCAUpdate.new_with_new`
newwithold `RootCAUpdate.new_with_old`
oldwithnew `RootCAUpdate.old_with_new`
crlcert `Client.crl_update(certificate=)`
oldcrl `Client.crl_update(last_crl=)`
crlout what `Client.crl_update` returns
ref `Client(reference=)`
secret `Client(secret=)`: bytes or a text, from wherever you keep it
cert `Client(certificate=)`; what else is in the file: `Client(chain=)`
own_trusted `Context.build_cert_chain`
key `Client(key=)`
keypass `Client(key_password=)`: also a callable that is asked when it is needed
digest `Client(digest=)`, and `Client(owf=)` for the MAC
mac `Client(mac=)`
extracerts `Client(extra_certs=)`
unprotected_requests `Client(unprotected_requests=)`
certform `Enrollment.certificate_der`, `Enrollment.fullchain_pem`
crlform `public_bytes` of the CRL
keyform none: the form is found
otherpass none: certificates have no password
provider-path `load_provider(path=)`
provider `load_provider(name=)`; for one client `LibraryContext.load_provider` and `Client(library=)`
provparam `load_provider(params=)`, from 3.2 on
propquery `LibraryContext(propq=)`
engine none, nor has `osslcmp cmp` it: a provider, and a key URI as `Client(key=)` ([Keys](../keys.md))
rand none: OpenSSL seeds itself
writerand none
tls_used `https://` in `Client(server=)`
tls_cert `TLS(certificate=)`, as `Client(tls=)`
tls_key `TLS(key=)`
tls_keypass `TLS(key_password=)`
tls_extra `TLS(chain=)`
tls_trusted `TLS(trusted=)`; left out, the system's anchors, where `openssl cmp` checks nothing
tls_host `TLS(host=)`
batch none: nothing is ever asked at a terminal
repeat a loop; a client has no state between its methods
reqin `transport.FileTransport(reqin=)`, as `Client(transport=)`
reqin_new_tid none
reqout `transport.FileTransport(reqout=)`; to look at them, `Client(trace=)`
reqout_only `transport.FileTransport(reqout=)`: raises when there is no answer
rspin `transport.FileTransport(rspin=)`
rspout `transport.FileTransport(rspout=)`
use_mock_srv `Client(transport=)`: a `server.Server` is one
port `server.Server.serve`
max_msgs none: it ends with the `with` block
srv_ref `server.EmbeddedCA(secrets=)`, or `server.Authority.shared_secret`
srv_secret the same
srv_cert `server.Server(certificate=)`, `server.Server(chain=)`
srv_key `server.Server(key=)`
srv_keypass `server.Server(key_password=)`
srv_trusted `server.Server(trusted=)`
srv_untrusted `CertificateCheck(untrusted=)` as `server.Server(trusted=)`
ref_cert `server.Authority.revoke` and `server.Authority.issue` decide
rsp_cert `server.Issued(certificate=)`; `server.EmbeddedCA` issues a fresh one
rsp_key `server.Issued(private_key=)`; `server.EmbeddedCA(central_keys=)`
rsp_keypass none: a key object
rsp_crl `general.crls_info`, from `server.Authority.general`
rsp_extracerts `server.Issued(chain=)`
rsp_capubs `server.Issued(ca_pubs=)`; `server.EmbeddedCA(ca_pubs=)`
rsp_newwithnew `general.root_ca_key_update_info`, from `server.Authority.general`
rsp_newwithold the same
rsp_oldwithnew the same
poll_count `server.waiting(times=)` as `server.EmbeddedCA(policy=)`; `server.Waiting`
check_after `server.waiting(check_after=)`, `server.Waiting(check_after=)`
grant_implicitconf `server.Server(grant_implicit_confirm=)`
pkistatus `server.Issued(status=)`, `server.Revoked(status=)`, `server.Rejected`
failure `server.Rejected(failure_info=)`
failurebits the same: `FailureInfo` are flags
statusstring `server.Issued(text=)`, `server.Rejected(text=)`
send_error none: what is refused is in the answer, for a genm in an error message
send_unprotected `testing.unprotected`, a step of a script
send_unprot_err `server.Server(send_unprotected_errors=)`
accept_unprotected `server.Server(accept_unprotected=)`
accept_unprot_err none
accept_raverified `server.Server(accept_raverified=)`
policy `CertificateCheck(policies=)`, as `Client(trusted=)` or `request(check=)`
purpose `CertificateCheck(purpose=)`
verify_name none: name the conditions
verify_depth `CertificateCheck(depth=)`
auth_level `CertificateCheck(auth_level=)`
attime `CertificateCheck(time=)`
verify_hostname `CertificateCheck(host=)`
verify_email `CertificateCheck(email=)`
verify_ip `CertificateCheck(ip=)`
ignore_critical `CertificateCheck(ignore_critical=)`
issuer_checks none: it has no effect
crl_check `CertificateCheck(crls=)`
crl_check_all `CertificateCheck(crl_check=)` is `"all"`
policy_check `CertificateCheck(policy_check=)`
explicit_policy `CertificateCheck(explicit_policy=)`
inhibit_any `CertificateCheck(inhibit_any=)`
inhibit_map `CertificateCheck(inhibit_map=)`
x509_strict `CertificateCheck(strict=)`
extended_crl `CertificateCheck(extended_crl=)`
use_deltas `CertificateCheck(use_deltas=)`
policy_print none
check_ss_sig `CertificateCheck(check_ss_signature=)`
trusted_first none: always
suiteB_128_only none: `osslcmp cmp` has it
suiteB_128 none: the same
suiteB_192 none: the same
partial_chain `CertificateCheck(partial_chain=)`
no_alt_chains none: it has no effect
no_check_time `CertificateCheck(no_check_time=)`
allow_proxy_certs `CertificateCheck(allow_proxy_certs=)`
json the attributes of `Enrollment`, and of the exceptions
trace `Trace(file=)` as `Client(trace=)`
"""


def rows() -> dict[str, str]:
    """What does the same, by the name of the option."""
    found = dict(line.split(" ", 1) for line in _TABLE.strip().splitlines())
    if len(found) != len(_TABLE.strip().splitlines()):
        raise LookupError("an option has two rows")
    return found


def _lines() -> Iterator[str]:
    python = rows()
    for title in TOPICS.values():
        yield f"### {title}\n"
        yield "| option | OpenSSL | Python |"
        yield "|---|---|---|"
        for option in (*OPTIONS, ENGINE):
            if option.group == title:
                since = "" if option.name in ("json", "trace") else ".".join(map(str, option.since))
                yield f"| `-{option.name}` {ARGUMENTS[option.kind]} | {since} | {python[option.name]} |"
        yield ""


def tables() -> str:
    """The tables in Markdown. Raises ``KeyError`` for an option that has no row."""
    return "\n".join(_lines())


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    return fill_in(app, MARK, tables)
