"""The path of a request by HTTP: ``/.well-known/cmp[/p/LABEL][/OPERATION]`` (RFC 9811, section 3.6)."""

from __future__ import annotations

from dataclasses import dataclass

from ...enums import BodyType

WELL_KNOWN_PATH = "/.well-known/cmp"

# What may open a transaction under each operation (RFC 9483, section 6.1).
_OPERATIONS = {
    "initialization": BodyType.IR,
    "certification": BodyType.CR,
    "keyupdate": BodyType.KUR,
    "pkcs10": BodyType.P10CR,
    "revocation": BodyType.RR,
    "getcacerts": BodyType.GENM,
    "getrootupdate": BodyType.GENM,
    "getcertreqtemplate": BodyType.GENM,
    "getcrls": BodyType.GENM,
    "nested": BodyType.NESTED,
}


@dataclass(frozen=True)
class Place:
    """Where a message was sent to."""

    label: str | None = None
    """The CA or certificate profile that the path names."""
    operation: str | None = None

    def takes(self, body_type: int) -> bool:
        """Whether a transaction may begin here with a body of this type."""
        wanted = _OPERATIONS.get(self.operation or "")
        return wanted is None or wanted == body_type


def parse(path: str) -> Place | None:
    """What a path says. One that is not well-known says nothing, and a well-known one that names no operation of CMP
    is ``None``.

    Args:
        path: as WSGI has it (``PATH_INFO``): unquoted, each character an octet.
    """
    if not path.startswith(WELL_KNOWN_PATH + "/"):
        return Place()
    rest = path[len(WELL_KNOWN_PATH) + 1 :].encode("latin-1", "replace").decode("utf-8", "replace").split("/")
    label = None
    if rest[0] == "p" and len(rest) > 1:
        label, rest = rest[1] or None, rest[2:]
    if rest in ([], [""]):
        return Place(label)
    return Place(label, rest[0]) if len(rest) == 1 and rest[0] in _OPERATIONS else None
