"""The ladder diagram as a picture (SVG), drawn by rich; it loads no font and has a light and a dark look."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import Trace

#: rich's own frame names fonts of a web site; this one takes what the reader has.
_FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {terminal_width} {terminal_height}" role="img">
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px ui-monospace, Menlo, Consolas, monospace }}
{styles}
</style>
<rect width="100%" height="100%" rx="6" fill="BACKGROUND"/>
<defs>{lines}</defs>
<g class="{unique_id}-matrix" xml:space="preserve">{matrix}</g>
</svg>
"""


def picture(trace: Trace, width: int, *, dark: bool) -> str:
    """The picture, ``width`` columns wide."""
    try:
        from rich.console import Console
        from rich.padding import Padding
        from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
    except ImportError as error:
        raise ImportError("a picture needs rich: pip install 'osslcmp[cli]'") from error
    theme = SVG_EXPORT_THEME if dark else DEFAULT_TERMINAL_THEME
    console = Console(file=io.StringIO(), record=True, width=width, highlight=False, force_terminal=True)
    console.print(Padding(trace, (0, 2)))
    frame = _FRAME.replace("BACKGROUND", theme.background_color.hex)
    return console.export_svg(theme=theme, code_format=frame, unique_id="ladder")
