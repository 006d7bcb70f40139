"""What a process of ``osslcmp serve`` answers with, until SIGHUP has it read its settings again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from .._text import get_logger
from . import serve_options
from ._common import UsageError
from .serve_authority import open_authority, open_server, tls_settings

if TYPE_CHECKING:
    from ..server.ca.persistent import PersistentCA
    from ..server.http.metrics import Metrics
    from ..server.http.serving import RunningServer
    from ..server.persistent import PersistentServer

logger = get_logger("osslcmp.server")


def reread(arguments: Sequence[str]) -> tuple[dict[str, Any], PersistentCA, PersistentServer] | None:
    """The settings as they are now, with the authority and the server that they describe; None, and a line in the log, if
    they are of no use."""
    try:
        settings = serve_options.read(arguments)
        settings.pop("new_root", None)
        return settings, *_opened(settings)
    except (UsageError, OSError, ValueError, ImportError) as error:
        logger.error("the configuration is not reloaded: %s", error)
        return None


def _opened(settings: dict[str, Any]) -> tuple[PersistentCA, PersistentServer]:
    ca = open_authority(settings)
    with ExitStack() as failing:
        failing.callback(ca.close)
        if settings.get("new_root"):
            ca.update_root()
        server = open_server(ca, settings)
        failing.pop_all()
    return ca, server


class Site:
    """The authority, its server, and who watches.

    Args:
        settings: the options, as ``serve_options.read`` has them.
        arguments: those of the command line, to be read again.

    Raises:
        UsageError: the settings make no sense.
        OSError, ValueError, ImportError: it cannot be opened.
    """

    def __init__(self, settings: dict[str, Any], arguments: Sequence[str]) -> None:
        self._arguments, self._settings = arguments, settings
        self._metrics: Metrics | None = None
        self.ca, self._server = _opened(settings)

    def close(self) -> None:
        """Close the authority."""
        self.ca.close()

    def serve(self, host: str, port: int, **http: Any) -> RunningServer:
        """Start to answer; the arguments are those of ``Server.serve``."""
        return self._server.serve(host, port, **http, **self._watched(self._settings, self.ca, self._server))

    def reload(self, running: RunningServer) -> None:
        """Answer as the settings say now; if they are of no use, a line in the log tells, and all stays as it is."""
        found = reread(self._arguments)
        if found is None:
            return
        settings, ca, server = found
        try:
            server.take_over(running, **self._watched(settings, ca, server))
        except (OSError, ValueError, ImportError) as error:
            logger.error("the configuration is not reloaded: %s", error)
            ca.close()
            return
        self.ca.close()
        self.ca, self._server, self._settings = ca, server, settings
        logger.warning("the configuration was reloaded")

    def _watched(
        self, settings: dict[str, Any], ca: PersistentCA, server: PersistentServer
    ) -> dict[str, Any]:
        """What ``serve`` and ``take_over`` need besides."""
        from ..server.http import app, events

        observers, pages = [*app.OBSERVERS], {"/healthz": app.healthy(ca.check)}
        if settings.get("log_format") == "json":
            observers.append(events.log)
            logging.getLogger(events.LOGGER).setLevel(logging.INFO)
        if settings.get("metrics"):
            if self._metrics is None:
                from ..server.http.metrics import Metrics

                self._metrics = Metrics()
            observers.append(self._metrics.observe)
            pages["/metrics"] = self._metrics.page(lambda: server.open_transactions)
        return {"tls": tls_settings(settings), "observers": observers, "pages": pages}
