"""A trace as one HTML page that loads nothing: the ladder diagram, and the decoded messages beside it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape as escaped
from typing import TYPE_CHECKING

from .._text import lines
from ..message.describe import Tree, tree
from .ladder import protection_text

if TYPE_CHECKING:
    from . import Trace, TraceEntry

#: Characters of a line that are shown.
_LINE = 10000
_STYLE = """
:root { color-scheme: light dark; --line: #8888; --sent: #0b6fb8; --got: #1d7f3f; --bad: #c0281f;
  --back: #fff; --soft: #f3f4f6; --text: #1b1f24; }
@media (prefers-color-scheme: dark) { :root { --sent: #5fb3f0; --got: #5fce86; --bad: #ff7b72;
  --back: #14171b; --soft: #1f242b; --text: #e3e7ec; } }
* { box-sizing: border-box }
body { margin: 0; font: 14px/1.45 system-ui, sans-serif; background: var(--back); color: var(--text) }
header { padding: 1rem 1.5rem 0 }
h1 { font-size: 1.25rem; margin: 0 } h2 { font-size: 1rem; margin: 1.2rem 0 .3rem }
.dim { opacity: .7 }
main { display: grid; grid-template-columns: minmax(20rem, 2fr) 3fr; gap: 1.5rem; padding: 0 1.5rem 2rem }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow: auto; padding-bottom: 1rem }
.ends { display: flex; justify-content: space-between; font-size: .85rem }
.ladder { border: solid var(--line); border-width: 0 2px; margin: 0 1rem; padding: .3rem 0 }
.step { display: block; padding: .35rem 0; color: inherit; text-decoration: none }
.step:hover, .step:focus { background: var(--soft) }
.what { padding: 0 .7rem; overflow-wrap: anywhere }
.kind { font-weight: 600; font-family: ui-monospace, monospace }
.shaft { position: relative; height: .6rem; border-bottom: 2px solid; margin: 0 2px }
.shaft::after { content: ""; position: absolute; bottom: -6px; border: 5px solid transparent }
.sent .shaft::after { right: 0; border-right-width: 0; border-left: 9px solid }
.got .shaft::after { left: 0; border-left-width: 0; border-right: 9px solid }
.sent .kind, .sent .shaft { color: var(--sent) } .got .kind, .got .shaft { color: var(--got) }
.bad .kind, .bad .shaft, .failed { color: var(--bad) }
.time { float: right; font-size: .8rem; opacity: .7 }
article { border: 1px solid var(--line); border-radius: 6px; margin: 1rem 0; padding: .6rem 1rem; }
article:target { outline: 2px solid var(--sent) }
h3 { margin: 0 0 .4rem; font-size: 1rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .9rem; margin: .1rem 0 }
dt { opacity: .7 } dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap }
dd dl { border-left: 2px solid var(--line); padding-left: .7rem }
pre { background: var(--soft); padding: .6rem; overflow: auto; font-size: 12px; max-height: 40rem }
summary { cursor: pointer; opacity: .8 }
@media (max-width: 60rem) { main { grid-template-columns: 1fr } nav { position: static; max-height: none } }
"""


def escape(text: str) -> str:
    """Text that may be a peer's, for the page."""
    return escaped(lines(text, _LINE))


def page(trace: Trace, title: str) -> str:
    """The page as a string."""
    transactions = trace.transactions
    ordered = [entry for entries in transactions.values() for entry in entries]
    numbers = {id(entry): number for number, entry in enumerate(ordered, 1)}
    ladders: list[str] = []
    details: list[str] = []
    for transaction_id, entries in transactions.items():
        name = "no transaction" if transaction_id is None else transaction_id.hex()
        ladders.append(f'<h2>{escape(name)}</h2><p class="dim">{escape(protection_text(entries))}</p>')
        ladders.append('<div class="ends"><span>client</span><span>server</span></div><div class="ladder">')
        ladders += (_step(entry, numbers[id(entry)]) for entry in entries)
        ladders.append("</div>")
        details += (_article(entry, numbers[id(entry)]) for entry in entries if entry.message is not None)
    began = next((f"{entry.time:%Y-%m-%d %H:%M:%S} UTC" for entry in trace), "empty")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<header><h1>{escape(title)}</h1><p class="dim">{escape(began)}, {len(details)} messages</p></header>
<main>
<nav>{"".join(ladders)}</nav>
<div>{"".join(details)}</div>
</main>
</body>
</html>
"""


def _step(entry: TraceEntry, number: int) -> str:
    time = f'<span class="time">{entry.seconds:.3f} s</span>'
    if entry.type is None:
        return f'<div class="what failed">{time}✗ {escape(entry.summary)}</div>'
    looks = _looks(entry)
    kind = f'<span class="kind">{escape(entry.type.name.lower())}</span>'
    what = f'<div class="what">{time}{kind} {escape(entry.summary)}</div>'
    return f'<a class="step {looks}" href="#m{number}">{what}<div class="shaft"></div></a>'


def _looks(entry: TraceEntry) -> str:
    assert entry.type is not None
    return ("sent" if entry.sent else "got") + (" bad" if entry.type.name == "ERROR" else "")


def _article(entry: TraceEntry, number: int) -> str:
    message = entry.message
    assert message is not None
    way = "client → server" if entry.sent else "server → client"
    encoded = base64.encodebytes(message.der).decode()
    return (
        f'<article id="m{number}" class="{_looks(entry)}">'
        f'<h3><span class="kind">{escape(message.type.name.lower())}</span> '
        f'<span class="dim">{way}, {entry.time:%H:%M:%S}.{entry.time.microsecond // 1000:03} UTC, '
        f"{len(message.der)} octets</span></h3>"
        f"{''.join(_listed(tree(message)))}"
        f"<details><summary>as OpenSSL prints it</summary><pre>{escaped(message.text())}</pre>"
        "</details>"
        f"<details><summary>DER, base64</summary><pre>{escape(encoded)}</pre></details></article>"
    )


def _listed(branch: Tree) -> Iterator[str]:
    yield "<dl>"
    for label, value in branch:
        yield f"<dt>{escape(label)}</dt><dd>"
        if isinstance(value, str):
            yield escape(value)
        else:
            yield from _listed(value)
        yield "</dd>"
    yield "</dl>"
