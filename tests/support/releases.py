"""What the loaded OpenSSL does by itself, whichever one osslcmp was built against."""

from __future__ import annotations

import osslcmp

#: A client waits for answers other than certificates; before, *waiting* is an error there.
CLIENT_WAITS_FOR_ALL = osslcmp.openssl_version >= (3, 3, 0)
