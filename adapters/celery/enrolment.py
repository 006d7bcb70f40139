"""Enrolment of a fleet with Celery: each device's CSR becomes a certificate, however long the CA takes.

While the CA says *waiting*, the transaction is in the result backend, and its task comes back when the CA has said: any
worker goes on with it then. A worker may be killed at any moment: its task is delivered again, and goes on where the
backend says. If that was before the CA's first answer was kept, the request is made anew, and the CA revokes what nobody
confirms.

    export CMP_SERVER=https://cmp.example/.well-known/cmp CMP_TRUSTED=root.pem CMP_REFERENCE=fleet CMP_SECRET_FILE=secret
    export CELERY_BROKER=redis://127.0.0.1/0 CELERY_BACKEND=redis://127.0.0.1/1
    celery -A enrolment worker
    python -c 'import enrolment; print(enrolment.enrol.delay(open("device.csr").read()).get())'
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import NoReturn

from celery import Celery, Task
from celery.exceptions import Ignore

import osslcmp

WAITING = "WAITING"
"""The state of a task whose transaction waits for the CA."""
MESSAGE_TIMEOUT = 20  # seconds

app = Celery("enrolment", broker=os.environ["CELERY_BROKER"], backend=os.environ["CELERY_BACKEND"])
app.conf.update(
    task_acks_late=True,  # who is killed has not done it
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    # Seconds after which Redis delivers again what a killed worker had: longer than the longest wait for a message.
    broker_transport_options={"visibility_timeout": float(os.environ.get("CELERY_VISIBILITY", "120"))},
    broker_connection_retry_on_startup=True,
)


def _client() -> osslcmp.Client:
    return osslcmp.Client(
        os.environ["CMP_SERVER"],
        trusted=os.environ["CMP_TRUSTED"],
        reference=os.environ["CMP_REFERENCE"],
        secret=Path(os.environ["CMP_SECRET_FILE"]).read_bytes().splitlines()[0],
        message_timeout=MESSAGE_TIMEOUT,
    )


class EnrolmentError(Exception):
    """The CA refused, or its answer is not to be trusted: in words."""


@app.task(bind=True)
def enrol(self: Task, csr: str) -> str:
    """The certificate and its chain as PEM, for a CSR as PEM. Raises EnrolmentError."""
    kept = self.backend.get_task_meta(self.request.id)
    if kept["status"] == "SUCCESS":  # done by a worker that was killed before it could say so
        return str(kept["result"])
    dump = base64.b64decode(kept["result"]["dump"]) if kept["status"] == WAITING else None
    client = _client()
    try:
        transaction = client.begin("p10cr", csr=csr.encode()) if dump is None else client.resume(dump)
        if not transaction.done:
            transaction.poll()
    except osslcmp.TransferError:  # the server is away; what is kept stays
        _come_back(self, csr, MESSAGE_TIMEOUT)
    except osslcmp.CMPError as error:
        raise EnrolmentError(str(error)) from None
    if not transaction.done:
        text = base64.b64encode(transaction.dump()).decode()
        self.update_state(state=WAITING, meta={"dump": text})
        _come_back(self, csr, max(transaction.check_after or 0, 1))
    return transaction.result.fullchain_pem.decode()


def _come_back(task: Task, csr: str, seconds: float) -> NoReturn:
    """Let any worker go on with it then."""
    task.apply_async((csr,), task_id=task.request.id, countdown=seconds)
    raise Ignore  # its state stays as it is
