"""What the loaded OpenSSL does by itself, and what can be called of it."""

from __future__ import annotations

import pytest

import osslcmp
from osslcmp._openssl.lib import built_version

#: A client waits for answers other than certificates; before, *waiting* is an error there.
CLIENT_WAITS_FOR_ALL = osslcmp.openssl_version >= (3, 3, 0)
from_3_3 = pytest.mark.skipif(
    not CLIENT_WAITS_FOR_ALL, reason="only OpenSSL 3.3 and later waits for answers to rr, genm and certConf"
)
#: Whether a release was built against that is earlier than the loaded one: only its functions can be called.
CROSSED = osslcmp.openssl_version[:2] > built_version[:2]
#: The release whose functions can be called.
USABLE = built_version if CROSSED else osslcmp.openssl_version

_LOADED = ".".join(map(str, osslcmp.openssl_version))
_BUILT = ".".join(map(str, built_version[:2]))
#: What an UnsupportedError says was found.
FOUND = f"{_BUILT}, against which osslcmp was built, and {_LOADED} loaded" if CROSSED else _LOADED
