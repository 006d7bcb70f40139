"""The compiled part of the package; everything else stands in pyproject.toml."""

from __future__ import annotations

import platform
import sys
import sysconfig
from pathlib import Path

import cffi  # noqa: F401  # without it setuptools would only warn, and leave the compiled part out
from setuptools import setup

# One wheel serves every CPython from 3.10 on; free-threaded builds have no limited API.
abi3 = platform.python_implementation() == "CPython" and not sysconfig.get_config_var("Py_GIL_DISABLED")

# The manual is made from the tables that the options are read with; these need nothing compiled.
sys.path.insert(0, str(Path(__file__).parent / "src"))
from osslcmp.cli.man import page  # noqa: E402

manuals = []
try:
    text = page()
except ImportError as error:  # built without isolation, where argparse-manpage is not installed
    print(f"without the manual page: {error}", file=sys.stderr)
else:
    manual = Path("build", "osslcmp.1")
    manual.parent.mkdir(exist_ok=True)
    manual.write_text(text, encoding="utf-8")
    manuals.append(str(manual))

setup(
    cffi_modules=["build_cffi.py:ffibuilder"],
    data_files=[("share/man/man1", manuals)],
    options={
        # What an earlier build left may be of another OpenSSL.
        "build_ext": {"force": "1"},
        "bdist_wheel": {"py_limited_api": "cp310"} if abi3 else {},
    },
)
