"""Command lines for ``openssl cmp`` and ``osslcmp cmp``, by what is tested.

Each line: ``+`` must succeed, ``-`` must fail, ``?`` as with ``openssl cmp``; ``+3.4``: from that release on, before it
the line must fail; then what it tests, a colon and the options. ``{}`` is explained in ``comparison.py``.

Before 4.0 ``openssl cmp`` takes ``-ref_cert`` on the command line for ``-rsp_cert``: a configuration section names it.
"""

# ruff: noqa: E501
from __future__ import annotations

from typing import NamedTuple

__all__ = ["ROWS", "Row"]

_TABLE = r"""
+ everything saved: {mock} {mac} {ir} -chainout chain -cacertsout ca -extracertsout extra
+ saved as DER: {mock} {mac} {ir} -certform DER -cacertsout ca
+3.2 server certificate saved: {mock} {sig} {ir} -srvcertout srv
+3.2 no server certificate to save: {mock} {mac} {ir} -srvcertout srv
+ certificate and chain to one file: {mock} {mac} {ir} -chainout new.pem
- nowhere to save: {mock} {mac} -cmd ir -newkey {key} -subject /CN=x
+ cr with signature: {mock} {sig} -cmd cr {ask} -reqout req
+ p10cr: {mock} {mac} -cmd p10cr -csr {csr} -certout new.pem -reqout req
+ p10cr, DER: {mock} {mac} -cmd p10cr -csr {csr_der} -certout new.pem
- p10cr without CSR: {mock} {mac} -cmd p10cr -certout new.pem
+ kur: {mock} {sig} -cmd kur -newkey {key} -oldcert {new} -certout new.pem -reqout req
? kur of another: {mock} {sig} -cmd kur -newkey {key} -oldcert {second} -certout new.pem
- kur of other than the reference: -config {conf} -section reference {mock} {sig} -cmd kur -newkey {key} -oldcert {second} -certout new.pem
+ rr with reason: {mock} {sig} -cmd rr -oldcert {new} -revreason 4 -reqout req
? rr of another: {mock} {sig} -cmd rr -oldcert {second}
- rr of other than the reference: -config {conf} -section reference {mock} {sig} -cmd rr -oldcert {second}
+ rr by CSR: {mock} {sig} -cmd rr -csr {csr} -reqout req
+3.2 rr by number: {mock} {sig} -cmd rr -issuer '{issuer}' -serial {serial} -ref_cert {new} -reqout req
+3.2 rr by number though there is a certificate: {mock} {sig} -cmd rr -issuer /CN=x -serial 0x1F -oldcert {new} -reqout req
- rr by half a number: {mock} {sig} -cmd rr -serial 17 -oldcert {new}
- rr by no number: {mock} {sig} -cmd rr -issuer /CN=x -serial 1x
+ genm: {mock} {mac} -cmd genm -infotype signKeyPairTypes -reqout req -rspout rsp
+ genm without type: {mock} {mac} -cmd genm -reqout req
- genm of unknown type: {mock} {mac} -cmd genm -infotype nonsense
? genm caCerts: {mock} {mac} -cmd genm -infotype caCerts -cacertsout ca
? genm caCerts without file: {mock} {mac} -cmd genm -infotype caCerts
+3.2 genm rootCaCert: {mock} {mac} -cmd genm -infotype rootCaCert -trusted {root} -oldwithold {root} -newwithnew nn -newwithold no -oldwithnew on -rsp_newwithnew {root}
+3.2 genm rootCaCert, all three: {mock} {mac} -cmd genm -infotype rootCaCert -oldwithold {root} -newwithnew nn -newwithold no -oldwithnew on -rsp_newwithnew {root} -rsp_newwithold {root} -rsp_oldwithnew {root}
+3.4 genm crlStatusList: {mock} {mac} -cmd genm -infotype crlStatusList -crlcert {new} -crlout crl -rsp_crl {crl}
+3.4 genm crlStatusList, older: {mock} {mac} -cmd genm -infotype crlStatusList -oldcrl {old_crl} -crlout crl -crlform PEM -rsp_crl {crl} -reqout req
+3.4 genm crlStatusList, as new: {mock} {mac} -cmd genm -infotype crlStatusList -oldcrl {crl} -crlout crl -rsp_crl {crl}
- genm crlStatusList, nothing known: {mock} {mac} -cmd genm -infotype crlStatusList -crlout crl -rsp_crl {crl}
+3.4 genm certReqTemplate: -config {conf} -section reference {mock} {mac} -cmd genm -infotype certReqTemplate -template t -keyspec k
? genm certReqTemplate without template: -config {conf} -section reference {mock} {mac} -cmd genm -infotype certReqTemplate

+3.3 profile: {mock} {mac} -cmd cr {ask} -profile profile1 -reqout req
- unknown profile: {mock} {mac} -cmd cr {ask} -profile profile2
+ geninfo: {mock} {mac} {ir} -geninfo 1.2.3:int:987 -reqout req
- geninfo without int: {mock} {mac} {ir} -geninfo 1.2.3:987
+3.3 several geninfo: {mock} {mac} {ir} -geninfo '1.2.3:int:-5, 1.2.4:str:a b,id-kp:str:' -reqout req
- geninfo with more: {mock} {mac} {ir} -geninfo 1.2.3:int:987@

+ subject: {mock} {mac} -cmd ir -newkey {key} -certout n -reqout req -subject '/CN=a\/b/O=x+OU=y\+z/NONSENSE=1/L=/ST=\\'
- subject without slash: {mock} {mac} -cmd ir -newkey {key} -certout n -subject CN=x
- subject without value: {mock} {mac} -cmd ir -newkey {key} -certout n -subject /CN
- subject ends in an escape: {mock} {mac} -cmd ir -newkey {key} -certout n -subject '/CN=x\'
+ issuer, recipient, sender: {mock} {mac} {ir} -issuer /CN=i -recipient /CN=r -reqout req
- other sender: {mock} {mac} {ir} -expect_sender /CN=other
+ days: {mock} {mac} {ir} -days 7 -reqout req
+ extensions: -config {conf} -section cmp {mock} {mac} {ir} -reqexts sans -reqout req
- no such extensions: -config {conf} -section cmp {mock} {mac} {ir} -reqexts none
- bad extensions: -config {conf} -section cmp {mock} {mac} {ir} -reqexts wrong
+ policies: -config {conf} -section cmp {mock} {mac} {ir} -policies policies -reqout req
+ policy OIDs: {mock} {mac} {ir} -policy_oids '1.2.3.4 1.2.3.5' -policy_oids_critical -reqout req
- policies twice: -config {conf} -section cmp {mock} {mac} {ir} -policies policies -policy_oids 1.2.3
+ alternative names: {mock} {mac} {ir} -sans 'one.example, 127.0.0.1 ::1,http://x.example/, critical' -reqout req
+ address as alternative name: {mock} {mac} {ir} -sans me@x.example -reqout req
- alternative names twice: -config {conf} -section cmp {mock} {mac} {ir} -reqexts sans -sans x.example
+ names of the old certificate: {mock} {sig} {ir} -oldcert {new} -reqout req
+ not the names of the old certificate: {mock} {sig} {ir} -oldcert {new} -san_nodefault -reqout req
+ proof RAVERIFIED: {mock} -accept_raverified {mac} {ir} -popo 0
- proof RAVERIFIED not accepted: {mock} {mac} {ir} -popo 0
? proof by encipherment: {mock} {mac} {ir} -popo 2
? no proof: {mock} {mac} {ir} -popo -1
- public key without proof: {mock} {mac} -cmd ir -newkey {public} -subject /CN=x -certout n
+ public key, no proof needed: {mock} -accept_raverified {mac} -cmd ir -newkey {public} -subject /CN=x -certout n -popo 0 -reqout req
+ data of a CSR: {mock} {mac} -cmd ir -csr {csr} -newkey {key} -certout new.pem -reqout req
+ certificate for the own key: {mock} {sig} -cmd ir -subject /CN=x -certout n -disable_confirm -rsp_cert {client_only}
+ confirmation disabled: {mock} {mac} {ir} -disable_confirm -reqout req1,req2
+ implicit confirmation: {mock} -grant_implicitconf {mac} {ir} -implicit_confirm -reqout req1,req2
+ trusted: {mock} {mac} {ir} -out_trusted {root}
- not trusted: {mock} {mac} {ir} -out_trusted {other_root}
+3.5 key made by the CA: {mock} -srv_cert {maker} -srv_key {maker_key} -rsp_key {key} {sig} -cmd ir -subject /CN=x -certout n -centralkeygen -newkeyout nk -cert {rsa} -key {rsa_key}
+3.5 key made by the CA, encrypted: {mock} -srv_cert {maker} -srv_key {maker_key} -rsp_key {key} {sig} -cmd ir -subject /CN=x -certout n -centralkeygen -newkeyout nk -newkeypass pass:x -cert {rsa} -key {rsa_key}
- key made by the CA, with a proof: {mock} -rsp_key {key} {sig} {ir} -centralkeygen -newkeyout nk -popo 1
- key made by the CA, not saved: {mock} -rsp_key {key} {sig} -cmd ir -subject /CN=x -certout n -centralkeygen
- CA has no key: {mock} {sig} -cmd ir -subject /CN=x -certout n -centralkeygen -newkeyout nk

+ encrypted key: {mock} {sig} {ir} -key {encrypted} -keypass pass:12345 -keyform PEM
+ password without its kind: {mock} {sig} {ir} -key {encrypted} -keypass 12345
- wrong password: {mock} {sig} {ir} -key {encrypted} -keypass pass:1
- no password: {mock} {sig} {ir} -key {encrypted}
+ password in a file: {mock} {sig} {ir} -key {encrypted} -keypass file:{password}
- no password file: {mock} {sig} {ir} -key {encrypted} -keypass file:absent
+ password in the environment: {mock} {sig} {ir} -key {encrypted} -keypass env:TEST_PASSWORD
- no password in the environment: {mock} {sig} {ir} -key {encrypted} -keypass env:ABSENT
+ PKCS12: {mock} {sig} {ir} -cert {p12} -key {p12} -keypass pass:12345 -keyform P12
+ DER: {mock} {sig} -cmd ir -subject /CN=x -certout n -rsp_cert {client_only} -cert {cert_der} -key {key_der} -keyform DER -extracerts {issuing} -reqout req
- DER as PEM: {mock} {sig} {ir} -key {key_der} -keyform PEM
- PEM as DER: {mock} {sig} {ir} -keyform DER
+ DER, found out: {mock} {sig} {ir} -key {key_der} -keyform 1
+ URI: {mock} {sig} {ir} -key file:{client_key}
- nonsense form: {mock} {sig} {ir} -keyform xyz
- nonsense certificate form: {mock} {mac} {ir} -certform xyz
+ new key encrypted: {mock} {mac} -cmd ir -newkey {encrypted} -newkeypass pass:12345 -subject /CN=x -certout n -rsp_cert {client_only}
+ trust anchors encrypted: {mock} {sig} {ir} -untrusted {p12} -otherpass pass:12345
- trust anchor is none: {mock} {sig} {ir} -trusted {key}
- another trust anchor: {mock} {sig} {ir} -trusted {other_root}
- key of another: {mock} {sig} {ir} -key {key}
+ pinned: {mock} {sig} {ir} -srvcert {server}
- pinned another: {mock} {sig} {ir} -srvcert {second}
+ own chain checked: {mock} {sig} {ir} -own_trusted {root}
- own chain not trusted: {mock} {sig} {ir} -own_trusted {other_root}
- signer may not sign: {mock} -srv_cert {unusable} -srv_key {unusable_key} {sig} {ir}
+ signer may not sign, ignored: {mock} -srv_cert {unusable} -srv_key {unusable_key} {sig} {ir} -ignore_keyusage
+ digest: {mock} {sig} {ir} -digest sha384 -reqout req
+ MAC: {mock} {mac} {ir} -digest sha512 -mac hmac-sha1 -reqout req
- no digest: {mock} {sig} {ir} -digest nonsense
- no MAC: {mock} {mac} {ir} -mac nonsense
+ unprotected: {mock} -accept_unprotected {mac} -trusted {root} -untrusted {issuing} {ir} -unprotected_requests -reqout req
- all unprotected: {mock} -accept_unprotected -send_unprotected {ir} -unprotected_requests -unprotected_errors -ref ref
? unprotected answers: {mock} -send_unprotected {mac} {ir}
- unprotected not accepted: {mock} {ir} -unprotected_requests -ref ref -secret pass:secret
- wrong secret: {mock} -ref ref -secret pass:wrong {ir}
+3.3 certificates not kept: {mock} {sig} {ir} -no_cache_extracerts
+4.0 trust anchor in answers: {mock} {sig} {ir} -ta_in_ip_extracerts
- neither secret nor key: {mock} -ref ref {ir}

+ refused: {mock} {mac} {ir} -pkistatus 1
- rejection: {mock} -pkistatus 2 -failure 2 -statusstring 'not today' {mac} {ir} -rspout rsp -extracertsout extra
- bits: {mock} -pkistatus 2 -failurebits 5 {mac} {ir}
- bits out of range: {mock} -failurebits 134217728 {mac} {ir}
- failure out of range: {mock} -failure 27 {mac} {ir}
- status out of range: {mock} -pkistatus 7 {mac} {ir}
- error: {mock} -send_error {mac} {ir} -rspout rsp
- error, unprotected: {mock} -send_error -send_unprot_err {mac} {ir}
? error, unprotected and taken: {mock} -send_error -send_unprot_err {mac} {ir} -unprotected_errors
- refused confirmation: {mock} -accept_unprot_err {mac} {ir} -out_trusted {other_root}
+ polls: {mock} -poll_count 2 -check_after 0 {mac} {ir} -total_timeout 60
+ polls for rr: {mock} -poll_count 2 -check_after 0 {sig} -cmd rr -oldcert {new} -total_timeout 60 -rspout p1,p2,p3,p4,p5
+ polls for genm: {mock} -poll_count 2 -check_after 0 {mac} -cmd genm -infotype signKeyPairTypes -total_timeout 60 -rspout p1,p2,p3,p4,p5
- no credentials: -use_mock_srv -rsp_cert {new} {mac} {ir}
- no reference: -use_mock_srv -srv_secret pass:secret -rsp_cert {new} {mac} {ir}
+ secret alone: -use_mock_srv -srv_ref ref -srv_secret file:{secret} {rsp} {mac} {ir}
- encrypted key of the server: {mock} -srv_key {encrypted} -srv_keypass pass:wrong {mac} {ir}
+3.5 password for the answer: {mock} -rsp_key {encrypted} -rsp_keypass pass:12345 {mac} {ir}
- nothing to answer: -use_mock_srv -srv_ref ref -srv_secret pass:secret {mac} {ir}

+ twice: {mock} {mac} {ir} -repeat 2 -batch
+ requests from files: {mock} {mac} {ir} -reqin {req1},{req2} -reqin_new_tid
+ answers from files: {mac} {ir} -rspin {rsp1},{rsp2}
- too few answers: {mac} {ir} -rspin {rsp1}
- no answer: {mac} {ir} -rspin {req1},{rsp2}
- no message: {mac} {ir} -rspin {key}
+3.3 request written only: {mac} {ir} -reqout_only req
+3.3 key of a request: {mock} -accept_raverified {mac} -cmd ir -subject /CN=x -certout n -popo 0 -reqin {req1},{req2}
- no server: {mac} {ir}
- server and mock server: {mock} -server 127.0.0.1:1 {mac} {ir}
- nobody there: -server 127.0.0.1:1 -path x -keep_alive 2 -msg_timeout 5 -proxy '' -no_proxy 127.0.0.1 {mac} {ir}
- timeouts: -server 127.0.0.1:1 -msg_timeout 5 -total_timeout 4 {mac} {ir}

+ three sections: -config {conf} -section 'cmp, a b' {mock} -newkey {key} -reqout req
- earlier section: -config {conf} -section 'a,cmp' {mock} -newkey {key}
- no such section: -config {conf} -section 'a,none' {mock} -newkey {key} -certout n
+ default section: -config {conf} -section default {mock} -secret pass:secret {ir}
+ empty section: -config {conf} -section '' {mock} -secret pass:secret {ir}
+ reset: {mock} {mac} {ir} -expect_sender /CN=other -expect_sender ''
- help wins: {mock} -nonsense
+ talkative: {mock} {mac} {ir} -verbosity 8
"""

_CHECKS = r"""
+ harmless: -ignore_critical -issuer_checks -trusted_first -partial_chain -no_alt_chains -allow_proxy_certs -extended_crl -use_deltas -check_ss_sig -policy_check -inhibit_any -inhibit_map -policy_print -verify_depth 4 -auth_level 1 -x509_strict
- CRLs: -crl_check
- CRLs of all: -crl_check_all
? policy: -policy 1.2.3 -explicit_policy
- no policy: -policy nonsense
? purpose: -purpose sslclient
- no purpose: -purpose nonsense
? name: -verify_name smime_sign
- no name: -verify_name nonsense
- long ago: -attime 1000000000
? long ago, unchecked: -attime 1000000000 -no_check_time
- time: -attime x
? depth: -verify_depth 0
- level: -auth_level 5
+ host of signers: -verify_hostname x.example
+ address of signers: -verify_email a@x.example
+ IP of signers: -verify_ip 192.0.2.1
+ host of the new: -verify_hostname enrolled.example -out_trusted {root}
- other host of the new: -verify_hostname other.example -out_trusted {root}
- other address of the new: -verify_email a@x.example -out_trusted {root}
- other IP of the new: -verify_ip 192.0.2.1 -out_trusted {root}
- no IP: -verify_ip x
? Suite B 128: -suiteB_128
? Suite B 128 only: -suiteB_128_only
? Suite B 192: -suiteB_192
"""


class Row(NamedTuple):
    """A command line and what must come of it: 0, 1, or ``None`` for whatever ``openssl cmp`` does."""

    title: str
    line: str
    status: int | None
    since: tuple[int, int]

    def expected(self, release: tuple[int, int, int]) -> int | None:
        """The exit status with this release."""
        if release[:2] >= self.since:
            return self.status
        # An option is missing then.
        return 1


def _rows(table: str, around: str) -> list[Row]:
    rows = []
    for text in filter(None, table.splitlines()):
        mark, rest = text.split(" ", 1)
        title, line = rest.split(": ", 1)
        major, _, minor = (mark[1:] or "3.0").partition(".")
        status = {"+": 0, "-": 1, "?": None}[mark[0]]
        rows.append(Row(title, around.replace("...", line), status, (int(major), int(minor))))
    return rows


ROWS = [*_rows(_TABLE, "..."), *_rows(_CHECKS, "{mock} {sig} {ir} ...")]
