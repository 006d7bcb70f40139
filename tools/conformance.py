"""Writes docs/conformance.md: the rules of RFC 9483 and RFC 9810 for a server, from the table of the tests.

python tools/conformance.py > docs/conformance.md
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.conformance import CASES, Case, answer_to, told  # noqa: E402

HEAD = """# Conformance

What the server takes and refuses of RFC 9483 (the Lightweight CMP Profile) and RFC 9810, message by message, with
`strictness="strict"`; beside it what libcrypto (OpenSSL 3.0) does by itself, which is what `strictness="openssl"` leaves
it at. The table is made by `tools/conformance.py` from the messages that `tests/server/checks/test_conformance.py` sends on
each OpenSSL release: each line is a test there, `test_rule[...]`.

Not asked for, although the profile does: the common name of a sender under MAC need not be its senderKID. OpenSSL's
clients, which this server is there for, too, name the subject that they ask for, or nobody; so in an ir or cr it may be
either of these, and in other messages what it likes.
libcrypto's server has no side for nested messages: they are taken apart and answered here.

Refused, because libcrypto cannot do it, with a text that says so:

| what | release | failInfo |
|---|---|---|
| PBMAC1, DHBasedMac, KEM-based MAC as protection | all | `badAlg` |
| pvno 3 | before 3.5 | `unsupportedVersion` |
| proof of possession by encrCert or challengeResp, which KEM and other encryption keys need | all | `badPOP` |
| proof of possession by thisMessage or encryptedKey | all | `badPOP` |
| proof of possession for a template without a subject (the NULL-DN and a subjectAltName do) | all | `badCertTemplate` |
| a key made by the CA | before 3.5 | `badCertTemplate` |
| such a key for a client with a shared secret (PWRI) | from 3.5 on | `badRequest` |
| what has no structure in libcrypto | all | `badDataFormat` |
"""


def _line(case: Case, libcrypto: bool) -> str:
    here = "accepted" if case.failure is None else str(case.failure.name)
    alone = told(answer_to(case, "openssl")) if libcrypto else "?"
    return f"| {case.rule} | {case.what} | {case.by} | {alone} | {here} |"


def page(*, libcrypto: bool = True) -> str:
    """The page.

    Args:
        libcrypto: ask the libcrypto at hand what it does by itself; else that column is full of question marks.
    """
    parts = [HEAD]
    for section, cases in groupby(sorted(CASES, key=_order), key=lambda case: case.section):
        parts.append(
            f"\n## RFC {section}\n\n| rule | message | protection | libcrypto | here |\n|---|---|---|---|---|"
        )
        parts.append("\n" + "\n".join(_line(case, libcrypto) for case in cases) + "\n")
    return "".join(parts)


def _order(case: Case) -> list[int]:
    return [int(number) for number in case.section.replace(", ", ".").split(".")]


if __name__ == "__main__":
    sys.stdout.write(page())
