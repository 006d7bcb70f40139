"""Names as people write and tools print them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from support.openssl import new_csr, run
from support.pki import key_pem, make_key

from osslcmp._openssl.name_texts import parse_general_name, parse_name

#: A text as some tool prints it, and how `openssl req -subj` is told the same.
PRINTED = {
    "openssl x509 -subject": ("CN = device, O = Example", "/O=Example/CN=device"),
    "openssl 3.2": ("CN=device, O=Example", "/O=Example/CN=device"),
    "openssl, values of one RDN": ("CN = a + OU = b, O = c", "/O=c/CN=a+OU=b"),
    "openssl, quotes": (r'CN = "a, \"b\" \\ c", O = d', r'/O=d/CN=a, "b" \\ c'),
    "openssl, octets": (r"CN = J\C3\BCrgen", "/CN=Jürgen"),
    "Java": (
        "EMAILADDRESS=a@b.example, SERIALNUMBER=4711, CN=x, T=Dr, DNQ=q, ST=Bavaria, C=DE",
        "/C=DE/ST=Bavaria/dnQualifier=q/title=Dr/CN=x/serialNumber=4711/emailAddress=a@b.example",
    ),
    "Windows": (
        'E=a@b.example, CN=x, OU="a, ""b""", S=Bavaria, C=DE, OID.2.5.4.97=v',
        '/organizationIdentifier=v/C=DE/ST=Bavaria/OU=a, "b"/CN=x/emailAddress=a@b.example',
    ),
    "EJBCA": (
        "UID=u,GIVENNAME=g,SURNAME=s,unstructuredName=n,DC=example,cn=x,o=y,c=DE",
        "/C=DE/O=y/CN=x/DC=example/unstructuredName=n/SN=s/GN=g/UID=u",
    ),
    "capitals": ("DMDNAME=a,UNIQUEIDENTIFIER=b,MAIL=c", "/mail=c/uniqueIdentifier=b/dmdName=a"),
    "GnuTLS": (
        "jurisdictionOfIncorporationCountryName=DE,telephoneNumber=1",
        "/telephoneNumber=1/jurisdictionC=DE",
    ),
    "Cisco": (
        "serialNumber=A+hostname=r.example,ipaddress=10.0.0.1",
        "/unstructuredAddress=10.0.0.1/serialNumber=A+unstructuredName=r.example",
    ),
    "qualified certificates": ("GENDER=F,POBox=5", "/postOfficeBox=5/id-pda-gender=F"),
    "slash at the end": ("/O=y/CN=x/", "/O=y/CN=x/"),
    "X509_NAME_oneline": (r"/CN=J\xC3\xBCrgen", "/CN=Jürgen"),
    "separators as text": (r'O=a\/CN\=b, CN="a/O=b",OU=a/b=c', r"/OU=a\/b=c/CN=a\/O=b/O=a\/CN=b"),
    "LDAP, semicolons": ("cn=x ; ou=y;dc=example;dc=com", "/DC=com/DC=example/OU=y/CN=x"),
    "RFC 4514": (r"CN=\ a\,b\+c\;d\"e\#\=\ ,O=\41\C3\A9,OU=x y", r'/OU=x y/O=Aé/CN= a,b\+c;d"e#= '),
    "hexadecimal": ("2.5.4.97=#0C0141,CN=#0c03c3a978", "/CN=éx/organizationIdentifier=A"),
    "other scripts": ("O=例え,CN=Ελ", "/CN=Ελ/O=例え"),
    "our slash form": ("/O=a\\/b+OU=c\\+d/CN= x ", "/O=a\\/b+OU=c\\+d/CN= x "),
    "types of OpenSSL alone": (
        "jurisdictionC=DE,x500UniqueIdentifier=u",
        "/x500UniqueIdentifier=u/jurisdictionC=DE",
    ),
}


@pytest.mark.parametrize("source", PRINTED)
def test_encoded_as_by_openssl_req(source: str, tmp_path: Path) -> None:
    """The octets of the name are those of `openssl req` for the same text, types of strings included."""
    text, slashed = PRINTED[source]
    csr, key = tmp_path / "csr", tmp_path / "key"
    key.write_bytes(key_pem(make_key()))
    run(["req", "-new", "-utf8", "-config", os.devnull, "-subj", slashed, "-key", key, "-out", csr]).must()
    expected = x509.load_pem_x509_csr(csr.read_bytes()).subject
    assert parse_name(text).public_bytes().hex() == expected.public_bytes().hex()


@pytest.mark.parametrize(
    "nameopt", ["RFC2253", "RFC2253,utf8,-esc_msb", "oneline", "oneline,sep_semi_plus_space"]
)
def test_printed_and_read_again(nameopt: str, tmp_path: Path) -> None:
    """What `openssl req -subject` prints is read back; `oneline` has the RDNs in the other order."""
    _, csr = new_csr(tmp_path, r'/C=DE/DC=example/O= a, "b"; \+ \\ #x/CN=#y+OU=<z> /UID=u/emailAddress=a@b')
    printed = run(["req", "-in", csr, "-noout", "-subject", "-nameopt", nameopt]).must().out
    subject = x509.load_pem_x509_csr(csr.read_bytes()).subject
    rdns = subject.rdns if "RFC2253" in nameopt else subject.rdns[::-1]
    assert parse_name(printed.removeprefix("subject=").rstrip("\n")) == x509.Name(rdns)


@pytest.mark.parametrize(
    ("text", "character", "why"),
    [
        ("CN=x, O", 6, "expected type=value"),
        ("O=Example, Inc.,CN=x", 11, "a separator within a value needs a backslash"),
        ("CN=a+b", 6, "expected type=value"),
        ("CN=x,", 6, "expected type=value"),
        ("CN=x,nonsense=1", 6, "unknown attribute type 'nonsense'"),
        ("/CN=x/nonsense=1", 7, "unknown attribute type 'nonsense'"),
        ("/CN=x//O=y", 7, "expected type=value"),
        ("+CN=x", 1, "expected type=value"),
        ('CN="x', 4, "a quote that does not end"),
        ('CN="x"y', 7, "expected , ; or +"),
        ("CN=x\\", 5, "a backslash at the end"),
        ("/CN=x\\", 6, "a backslash at the end"),
        ("CN=#0g", 4, "hexadecimal"),
        ("CN=#0c05", 5, "no DER"),
        ("CN=#3000", 5, "none of a text"),
        (r"CN=\c3x", 4, "UTF-8"),
        (r"CN=\zz", 4, r"\z is no escape"),
        ("CN=\ud800", 4, "surrogate"),
        ("O=x,C=Germany", 5, "string too long"),
        ("O=x,C=Ä1", 5, "illegal characters"),
        ("O=x,CN=", 5, "empty"),
        ("subject=CN = x, O = y", 1, "leave out 'subject'"),
        ("Subject: CN=x", 1, "leave out what stands before"),
        ('"CN=x"', 1, "leave out what stands before and around"),
        ("CN=x/emailAddress=a@b", 5, "/emailAddress= separates nothing here"),
        ("O=a,C=DE/O=y/CN=x", 9, "/O= separates nothing here"),
        ("/O=y, CN=x", 5, ", CN= separates nothing here"),
        (r"/CN=\xFF", 5, "UTF-8"),
        ("2.5.4.99999999999999999999999999999999999999999999999999999=x", 1, "valid OID"),
        ("9.9.9=x", 1, "expected type=value"),
        ("2.5.4.=x", 1, "expected type=value"),
    ],
)
def test_errors_say_where(text: str, character: int, why: str) -> None:
    """What does not parse says at which character and why."""
    with pytest.raises(ValueError, match=r"\Aname: ") as caught:
        parse_name(text)
    assert str(caught.value).startswith(f"name: {text!r}, at character {character}: ")
    assert why in str(caught.value).replace("'" + text, "")


@pytest.mark.parametrize(
    ("text", "character"),
    [("CN = a\n    O = b", 7), ("/CN=a\nO=b", 6), ("  commonName = a \r\n  organizationName = b\n", 17)],
)
def test_one_rdn_a_line(text: str, character: int) -> None:
    """What ``-nameopt multiline`` prints is no name of one RDN."""
    with pytest.raises(ValueError, match=rf"at character {character}: a new line and no comma"):
        parse_name(text)
    assert parse_name("CN=a,\n O=b\n") == parse_name("CN=a,O=b")


def test_long_and_twice() -> None:
    """Not all of a long text is repeated; an RDN has each value once."""
    with pytest.raises(
        ValueError, match=r"\Aname: 'CN=xxx.*\.\.\.', at character 1: .*string too long"
    ) as caught:
        parse_name("CN=" + "x" * 10**5)
    assert len(str(caught.value)) < 500
    with pytest.raises(ValueError, match=r"\Aname: 'CN=a\+CN=a' cannot be used: duplicate"):
        parse_name("CN=a+CN=a")


@pytest.mark.parametrize("text", ["", "/"])
def test_empty(text: str) -> None:
    """The empty name."""
    assert parse_name(text) == x509.Name([])


SANS = {
    "DNS:x.example": "<DNSName(value='x.example')>",
    "DNS: x.example": "<DNSName(value='x.example')>",
    "dns:*.x.example": "<DNSName(value='*.x.example')>",
    "IP:10.0.0.1": "<IPAddress(value=10.0.0.1)>",
    "IP Address:::1": "<IPAddress(value=::1)>",
    "email:a@b.example": "<RFC822Name(value='a@b.example')>",
    "URI:urn:uuid:1": "<UniformResourceIdentifier(value='urn:uuid:1')>",
    "URI:odd:x": "<UniformResourceIdentifier(value='odd:x')>",
    "RID:1.2.3.4": "<RegisteredID(value=<ObjectIdentifier(oid=1.2.3.4, name=Unknown OID)>)>",
    "dirName:CN = x, O = y": "<DirectoryName(value=<Name(CN=x,O=y)>)>",
    "otherName:1.2.3;UTF8:v": (
        "<OtherName(type_id=<ObjectIdentifier(oid=1.2.3, name=Unknown OID)>, value=b'\\x0c\\x01v')>"
    ),
    "otherName:1.2.3;UTF8:ü": (
        "<OtherName(type_id=<ObjectIdentifier(oid=1.2.3, name=Unknown OID)>, value=b'\\x0c\\x02\\xc3\\xbc')>"
    ),
    "dNSName=x.example": "<DNSName(value='x.example')>",
    "DNS Name=x.example": "<DNSName(value='x.example')>",
    "DNS.1:x.example": "<DNSName(value='x.example')>",
    "iPAddress: 10.0.0.1": "<IPAddress(value=10.0.0.1)>",
    "rfc822name=a@b.example": "<RFC822Name(value='a@b.example')>",
    "a=b@x.example": "<RFC822Name(value='a=b@x.example')>",
    "URL=https://x.example": "<UniformResourceIdentifier(value='https://x.example')>",
    "uniformResourceId=https://x.example": "<UniformResourceIdentifier(value='https://x.example')>",
    "registeredID=1.2.3.4": "<RegisteredID(value=<ObjectIdentifier(oid=1.2.3.4, name=Unknown OID)>)>",
    "directoryName=CN=x": "<DirectoryName(value=<Name(CN=x)>)>",
    **dict.fromkeys(
        ("upn=a@b", "Principal Name=a@b", "othername: UPN:a@b", "othername: UPN::a@b"),
        "<OtherName(type_id=<ObjectIdentifier(oid=1.3.6.1.4.1.311.20.2.3, name=Unknown OID)>, value=b'\\x0c\\x03a@b')>",
    ),
    "10.0.0.1": "<IPAddress(value=10.0.0.1)>",
    "2001:db8::1": "<IPAddress(value=2001:db8::1)>",
    "https://u@x.example:8/p?q#f%20": ("<UniformResourceIdentifier(value='https://u@x.example:8/p?q#f%20')>"),
    "urn:dev:mac:0024befffe804ff1": "<UniformResourceIdentifier(value='urn:dev:mac:0024befffe804ff1')>",
    "sip:a@b.example": "<UniformResourceIdentifier(value='sip:a@b.example')>",
    "a.b+c@x.example": "<RFC822Name(value='a.b+c@x.example')>",
    "device": "<DNSName(value='device')>",
    "*.x.example": "<DNSName(value='*.x.example')>",
    "x.example.": "<DNSName(value='x.example.')>",
    "DNS:*.x.example.": "<DNSName(value='*.x.example.')>",
    "bücher.example.": "<DNSName(value='xn--bcher-kva.example.')>",
    "a@x.example.": "<RFC822Name(value='a@x.example.')>",
    "_srv._tcp.x.example": "<DNSName(value='_srv._tcp.x.example')>",
    "bücher.example": "<DNSName(value='xn--bcher-kva.example')>",
    "DNS:*.bücher.example": "<DNSName(value='*.xn--bcher-kva.example')>",
    "a@bücher.example": "<RFC822Name(value='a@xn--bcher-kva.example')>",
    "https://bücher.example/ü": "<UniformResourceIdentifier(value='https://xn--bcher-kva.example/%C3%BC')>",
}


@pytest.mark.parametrize("text", SANS)
def test_alternative_names(text: str) -> None:
    """The syntax of OpenSSL, or what a bare text is."""
    if not text.isascii():
        pytest.importorskip("idna")
    assert repr(parse_general_name("sans", text)) == SANS[text]


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "a b", "x.example,", "x.example..", ".", "1.2.3.4.", "x..example", "-x.example", "a" * 64,
        ("a" * 60 + ".") * 5 + "x",
        "*", "x.*.y", "DNS:a,DNS:b", "DNS:", "DNS:a b", "IP:", "IP:10.0.0.0/8", "IP:x", "10.0.0.256", "1.2.3",
        "fe80::1%eth0", "[::1]", "x.example:443", "DSN:x.example", "ip4:10.0.0.1", "mailto:", "@x.example", "a@",
        "a b@x.example", "ü@x.example", "a@b c", "email:copy", "URI:x", "URI:http://a b", "http://", "http://x/\n",
        "x:https://y", "subjectAltName=DNS:x", "CN=x",
        "RID:", "RID:nonsense", "otherName:x", "otherName:1.2.3;SEQUENCE:s", "dirName:", "dirName:x", "critical",
        "x\0y", "bü cher.example", "RID:1.2\0",
    ],
)  # fmt: skip
def test_no_alternative_name(text: str) -> None:
    """What is none is refused by the name of the argument and the text."""
    with pytest.raises(ValueError, match=r"\Asans: ") as caught:
        parse_general_name("sans", text)
    assert str(caught.value).startswith(f"sans: {text!r}: ")
    assert len(str(caught.value)) > len(f"sans: {text!r}: ")


def test_no_text() -> None:
    """Neither a name nor a text."""
    name: Any = b"x.example"
    with pytest.raises(TypeError, match=r"sans: x509\.GeneralName or str, not bytes"):
        parse_general_name("sans", name)


def test_idna_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An internationalised name without the library that converts it."""
    monkeypatch.setitem(sys.modules, "idna", None)
    with pytest.raises(ValueError, match=r"sans: 'bücher.example': .*install idna"):
        parse_general_name("sans", "bücher.example")
