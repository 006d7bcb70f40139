"""A target for the fuzzer's own tests: it misbehaves in whatever way a plan says."""

from __future__ import annotations

import os
import signal
import sys
import time
from random import Random

import osslcmp
from fuzz.targets import Plan, Target


class Misbehaving(Target):
    """Does what its plan says."""

    name = "misbehaving"

    def renew(self) -> None:
        """Nothing to make."""
        self._kept: list[bytes] = []

    def plan(self, rng: Random) -> Plan:
        """Something for each number."""
        return {"ops": [["raise"], ["nothing"], ["nothing"]] if rng.random() < 0.01 else [], "flag": True}

    def run(self, plan: Plan) -> None:
        """Do it."""
        self.sent = b"sent"
        for (op,) in plan["ops"]:
            match op:
                case "crash":
                    os.kill(os.getpid(), signal.SIGSEGV)
                case "hang":
                    time.sleep(1000)
                case "spin":
                    while True:
                        pass
                case "print":
                    os.write(2, b"told nobody asked")
                case "raise":
                    raise RuntimeError("not documented")
                case "exit":
                    sys.exit(3)
                case "eat":
                    self._kept.append(b"x" * (300 << 20))
                case "documented":
                    osslcmp.Message.from_der(b"")
