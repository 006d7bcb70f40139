"""The compiled part of the package; everything else stands in pyproject.toml."""

from __future__ import annotations

import platform
import sysconfig

import cffi  # noqa: F401  # without it setuptools would only warn, and leave the compiled part out
from setuptools import setup

# One wheel serves every CPython from 3.10 on; free-threaded builds have no limited API.
abi3 = platform.python_implementation() == "CPython" and not sysconfig.get_config_var("Py_GIL_DISABLED")

setup(
    cffi_modules=["build_cffi.py:ffibuilder"],
    options={
        # What an earlier build left may be of another OpenSSL.
        "build_ext": {"force": "1"},
        "bdist_wheel": {"py_limited_api": "cp310"} if abi3 else {},
    },
)
