"""Certificates in files that are renewed in time, with their keys, whenever the process is killed.

What ``osslcmp renew`` does, for applications: :func:`load` reads its TOML files, :func:`renew` looks at one certificate and
renews it if it is due, :func:`renew_all` at many, and runs their reload commands.

Key and certificate are replaced together: the paths that others read become symbolic links to ``current`` in the state
directory of the certificate, which is itself a link to a directory with both, and one ``rename`` makes it point to another
one. At no moment is there a file that is half written, or a key beside the certificate of another one.
"""

from __future__ import annotations

from .config import Renewal, load
from .renewing import Outcome, renew, renew_all

__all__ = ["Outcome", "Renewal", "load", "renew", "renew_all"]
