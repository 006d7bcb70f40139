"""``osslcmp cmp``: the options of ``openssl cmp`` on this library, as one table. It imports nothing for the help."""

# Nor does it load what delays annotations.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HELP = ("-help", "--help", "-h", "--h")

#: Name, kind, help. Kinds: ``-`` flag, ``s`` text, ``f`` file or URI, ``P`` password source,
#: ``n`` number, ``N`` number >= 0, ``p`` number > 0, ``M`` large number; ``=a|b`` after it: values that can be listed,
#: others may be possible. ``@3.2`` after the kind: needs that release. ``= topic group`` begins a group; a line that is
#: indented goes on.
TABLE = """
= general General
help - show this help
config f configuration file; "" for none; default: $OPENSSL_CONF or the installed openssl.cnf
section s its section(s) to take options from; "" is 'default'; default: cmp
verbosity N=0|1|2|3|4|5|6|7|8 log level: 3 errors, 4 warnings, 6 info (default), 7 debug, 8 trace
= message Generic message
cmd s=ir|cr|kur|p10cr|rr|genm request to send: ir, cr, kur, p10cr, rr or genm
infotype s=signKeyPairTypes|encKeyPairTypes|preferredSymmAlg|currentCRL|
  caProtEncCert|implicitConfirm|caCerts|rootCaCert|certReqTemplate|crlStatusList
  what to ask for in genm, such as signKeyPairTypes, caCerts, rootCaCert, certReqTemplate
profile s @3.3 name of a certificate profile for the header's generalInfo
geninfo s OID:int:N (from 3.3 also OID:str:S, comma-separated) for the header's generalInfo
template f @3.4 file to save the certTemplate of a certReqTemplate answer
keyspec f @3.4 file to save the key specification of a certReqTemplate answer
= enroll Certificate enrollment
newkey f private or public key to certify; default: that of the CSR or of -key
newkeypass P password source for -newkey
centralkeygen - @3.5 let the CA generate the key
newkeyout f @3.5 file to save the key that the CA generated, PEM
subject s subject to ask for, as /type=value/...; default for kur: that of -csr, -oldcert or -cert
days N validity to ask for, in days
reqexts s section of the configuration with the extensions to ask for
sans s subject alternative names to ask for: IP addresses, DNS names, URIs; 'critical' marks them
san_nodefault - take no subject alternative names from -oldcert or -cert
policies s section of the configuration with the certificate policies to ask for
policy_oids s OIDs of certificate policies to ask for
policy_oids_critical - mark these policies critical
popo n=-1|0|1|2 proof of possession: -1 none, 0 RAVERIFIED, 1 signature (default), 2 key encipherment
csr f PKCS#10 request, PEM or DER: to send by p10cr or to take data from
out_trusted f certificates that a new certificate must chain to
implicit_confirm - ask for implicit confirmation
disable_confirm - send no certConf although implicit confirmation was not granted (violates RFC 9810)
certout f file to save the new certificate
chainout f file to save the chain of the new certificate
= revoke Certificate enrollment and revocation
oldcert f certificate to update or to revoke, and reference for defaults; default: -cert
issuer s issuer to ask for (from 3.2 also that of a certificate to revoke); default recipient
serial s @3.2 serial number of the certificate to revoke
revreason n=-1|0|1|2|3|4|5|6|8|9|10 reason of revocation: 0 to 6, 8 to 10, or -1 for none (default)
= transfer Message transfer
server s [http[s]://]address[:port][/path] of the server
proxy s [http[s]://]address[:port] of an HTTP proxy; default: $http_proxy or $https_proxy
no_proxy s servers to reach without proxy; default: $no_proxy
recipient s name of the CA, as /type=value/...
path s HTTP path at the server; default: that of -server
keep_alive N=0|1|2 persistent HTTP connection: 0 no, 1 ask for it (default), 2 require it
msg_timeout N seconds for one message and its answer, 0 for no limit; default: 120
total_timeout N seconds for the transaction with polling, 0 for no limit (default)
= server Server authentication
trusted f trust anchors for signed answers, unless -srvcert is given
untrusted f certificates that help to build chains
srvcert f certificate that answers must be signed with
expect_sender s name that answers must come from; default: subject of -srvcert
ignore_keyusage - accept signers whose key usage lacks digitalSignature
unprotected_errors - accept errors and refusals that are not protected (violates RFC 9810)
ta_in_ip_extracerts - @4.0 accept trust anchors from the extraCerts of an ip, as 3GPP TS 33.310 does
no_cache_extracerts - @3.3 do not keep the certificates that came in extraCerts
srvcertout f @3.2 file to save the validated certificate of the server
extracertsout f file to save the certificates that came in extraCerts
cacertsout f file to save the CA certificates that came in caPubs (from 3.2 also by genm caCerts)
oldwithold f @3.2 root CA certificate to find an update for, by genm rootCaCert
newwithnew f @3.2 file to save the new root CA certificate
newwithold f @3.2 file to save the new root CA key signed by the old one
oldwithnew f @3.2 file to save the old root CA key signed by the new one
crlcert f @3.4 certificate to ask a CRL for, by genm crlStatusList
oldcrl f @3.4 CRL to ask an update for, by genm crlStatusList
crlout f @3.4 file to save the CRL that came
= client Client authentication
ref s reference value: tells the server which secret it is
secret P password source of the shared secret; protects messages by MAC instead of a signature
cert f our certificate; more in the file help to build its chain
own_trusted f certificates that our own chain must end at
key f our private key
keypass P password source for -key, -cert and -oldcert
digest s=sha256|sha384|sha512|sha3-256|sha3-384|sha3-512 digest for signatures and MAC, default sha256
mac s=hmac-sha1|hmacWithSHA256|hmacWithSHA384|hmacWithSHA512 MAC algorithm, default hmac-sha1
extracerts f certificates to send in extraCerts
unprotected_requests - send requests without protection
= format Credentials format
certform s=PEM|DER PEM (default) or DER for certificates that are saved
crlform s=PEM|DER @3.4 PEM or DER (default) for CRLs that are saved
keyform s=PEM|DER|P12 only form of key files: PEM or DER; P12: any; default: any
otherpass P password source for certificates of others
= provider Provider
provider-path f folder to load providers from; goes before -provider
provider s=default|base|legacy|fips|null provider to load, may be repeated
provparam s @3.5 [provider:]key=value for the providers loaded after it
propquery s property query for fetching algorithms
= random Random state
rand f files to seed the random number generator with
writerand f file to write random data to at the end
= tls TLS connection
tls_used - use HTTPS
tls_cert f our TLS certificate, with its chain
tls_key f its private key
tls_keypass P password source for both
tls_extra f more certificates to send in the handshake
tls_trusted f trust anchors for the TLS server, whose host name is checked then
tls_host s host name to check instead of that of -server
= debug Client-side debugging
batch - never ask for a password
repeat p how often to do it
reqin f files with requests to send instead of our own
reqin_new_tid - give them a fresh transactionID
reqout f files to save our requests
reqout_only f @3.3 file to save our first request; nothing is sent
rspin f files with answers to use instead of asking the server
rspout f files to save the answers
use_mock_srv - use the mock server in this process
= mock Mock server
port s serve as mock server on this port ([address:]port), 0 for a free one
max_msgs N end after so many messages, 0 for never (default)
srv_ref s reference value of the server
srv_secret P password source of the server's shared secret
srv_cert f certificate of the server
srv_key f its private key
srv_keypass P password source for both
srv_trusted f trust anchors for clients
srv_untrusted f certificates that help to verify clients
ref_cert f @3.2 certificate expected in rr and in the oldCertID of kur; default: -rsp_cert
rsp_cert f certificate to answer with
rsp_key f @3.5 its private key, for central key generation
rsp_keypass P @3.5 password source for both
rsp_crl f @3.4 CRL to answer with
rsp_extracerts f certificates to send in extraCerts
rsp_capubs f CA certificates to send in the caPubs of ip
rsp_newwithnew f @3.2 new root CA certificate to answer with
rsp_newwithold f @3.2 new root CA key signed by the old one to answer with
rsp_oldwithnew f @3.2 old root CA key signed by the new one to answer with
poll_count N how often a client must poll for a certificate
check_after N seconds to tell clients to wait between polls, default 1
grant_implicitconf - grant implicit confirmation
pkistatus N=0|1|2|3|4|5|6 PKIStatus to answer with, 0 to 6
failure N=0|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19|20|21|22|23|24|25|26 number of a failInfo bit to answer with,
  0 to 26
failurebits N failInfo bits to answer with, as one number
statusstring s text to answer with
send_error - answer with error messages
send_unprotected - send answers without protection
send_unprot_err - send refusals and errors without protection
accept_unprotected - accept requests without valid protection
accept_unprot_err - accept errors of clients without protection
accept_raverified - accept RAVERIFIED as proof of possession
= verify Validation
policy s acceptable policy
purpose s=sslclient|sslserver|nssslserver|smimesign|smimeencrypt|crlsign|any|ocsphelper|timestampsign purpose that
  certificates must be fit for
verify_name s=default|pkcs7|smime_sign|ssl_client|ssl_server named set of verification parameters
verify_depth n longest chain
auth_level n=0|1|2|3|4|5 security level of chains
attime M verify as of this time, in seconds since 1970
verify_hostname s host name that certificates must be for
verify_email s email address that certificates must be for
verify_ip s IP address that certificates must be for
ignore_critical - ignore unknown critical extensions
issuer_checks - no effect
crl_check - check the leaf against CRLs
crl_check_all - check the whole chain against CRLs
policy_check - check certificate policies
explicit_policy - require an acceptable policy
inhibit_any - do not let anyPolicy match
inhibit_map - do not map policies
x509_strict - no workarounds for broken certificates
extended_crl - indirect CRLs and the like
use_deltas - use delta CRLs
policy_print - report on policies
check_ss_sig - check the signatures of roots
trusted_first - look for issuers among the trusted first (default)
suiteB_128_only - Suite B, 128 bit only
suiteB_128 - Suite B, 128 bit or more
suiteB_192 - Suite B, 192 bit only
partial_chain - let chains end at any trusted certificate
no_alt_chains - no effect
no_check_time - ignore validity periods
allow_proxy_certs - accept proxy certificates
= osslcmp Of osslcmp itself
json - print the outcome as one JSON object on stdout, messages go to stderr
trace f file to record the messages in as they come and go, for osslcmp trace and osslcmp show
"""

EXAMPLE = """\
osslcmp cmp -cmd ir -server 127.0.0.1:8080/pkix/ -ref 1234 -secret env:PASS \\
            -subject "/CN=me" -newkey key.pem -certout cert.pem"""

_WIDTH = 80
_COLUMN = 12


def groups() -> list[list[str]]:
    """The table without its lines folded: of each group its topic and title, then its options."""
    lines = TABLE.replace("|\n  ", "|").replace("\n  ", " ")
    return [group.strip().split("\n") for group in lines.split("\n= ")[1:]]


def overview() -> str:
    """All topics on one screen of 80 columns and 24 lines."""
    lines = ["Usage: osslcmp cmp [options]       options and their meaning as in 'openssl cmp'", ""]
    lines += [" " + line for line in EXAMPLE.split("\n")]
    lines += ["", "-help TOPIC explains the options of a topic, -help -OPTION one, -help all all:"]
    lines += [_row(title.partition(" ")[0], options) for title, *options in groups()]
    lines += ["Password sources: pass:TEXT env:NAME file:PATH fd:NUMBER stdin"]
    return "\n".join(lines)


def _row(topic: str, options: list[str]) -> str:
    """As many options as there is room for."""
    row = f"  {topic:<{_COLUMN - 2}}"
    for number, option in enumerate(options):
        name = option.partition(" ")[0]
        left = len(options) - number
        more = f" ... {left - 1} more" if left > 1 else ""
        if len(row) + len(name) + 2 + len(more) > _WIDTH:
            return f"{row} ... {left} more"
        row += f" -{name}"
    return row


def main(arguments: "Sequence[str]") -> int:
    """Do what the options say. Returns the exit status, 0 or 1."""
    if not arguments or arguments[0] in HELP:
        if arguments[1:]:
            from .options import print_help

            return print_help(arguments[1])
        print(overview())
        return 0 if arguments else 1
    from . import command

    return command.main(list(arguments))
