"""Coroutines in tests: run one to its end, wait for a condition, a transport that is one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from osslcmp import BodyType, Message


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine; afterwards no task may be left."""

    async def whole() -> None:
        before = asyncio.all_tasks()
        await asyncio.wait_for(test, 180)
        assert asyncio.all_tasks() == before

    asyncio.run(whole())


async def until(condition: Callable[[], object]) -> None:
    """Come back when it holds."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        await asyncio.sleep(0.005)


def by_task(answer: Callable[[bytes], bytes], seen: list[BodyType] | None = None) -> Any:
    """A coroutine function as transport."""

    async def transport(request: bytes) -> bytes:
        if seen is not None:
            seen.append(Message.from_der(request).type)
        await asyncio.sleep(0)
        return answer(request)

    return transport
