"""Sphinx: the guides in this folder and an API reference from the docstrings. ``./dev docs`` builds it."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

project = "osslcmp"
author = "the authors of osslcmp"
release = version = installed("osslcmp")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "openssl_map",
    "cmp_map",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"osslcmp {release}"
html_show_copyright = False
html_show_sourcelink = False
html_static_path = ["static"]
html_css_files = ["tables.css"]
html_copy_source = False
copybutton_prompt_text = r"[$#] |>>> "
copybutton_prompt_is_regexp = True

myst_enable_extensions = ["fieldlist"]
myst_heading_anchors = 3
# README.md and its neighbours link each other by path; what is not a page here is a file of the repository.
suppress_warnings = ["myst.xref_missing"]

# A class is documented with what it inherits: Context is made of several.
autodoc_default_options = {"members": True, "inherited-members": "Exception,int,Protocol,Generic,tuple"}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
# Not autodoc_preserve_defaults: it reads defaults from the source, and some signatures are made.
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100

# Every reference to something of ours must lead somewhere; those to other projects cannot, without the network.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(?!osslcmp\.[A-Za-z]).*"),
    (r"py:.*", r"osslcmp\.((\w+\.)*_\w+|client\.(arguments|settings|workers)\.).*"),
]
# Types of arguments that nobody makes himself.
nitpick_ignore = [
    ("py:class", "osslcmp.context.confirmation.CertConf"),
    ("py:class", "osslcmp.server.http.app.Application"),
    ("py:class", "osslcmp.server.http.app.Request"),
    ("py:class", "osslcmp.server.http.app.Response"),
    ("py:class", "osslcmp.server.http.events.Answered"),
    ("py:class", "osslcmp.server.http.paths.Place"),
    ("py:class", "osslcmp.server.transaction_store.TransactionStore"),
    ("py:class", "osslcmp.server.ca.general.RootUpdate"),
    ("py:class", "osslcmp.server.wire.RawMessage"),
]
