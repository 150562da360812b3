"""The durable queue of the worker, kept by DBOS in the database of the record. The only door to DBOS.

It hands each piece of work to one worker of all, and to another one when that worker's process ends in the middle. So
work is done at least once; that a call leaves once is the guard's journal's business.

DBOS runs without its admin server, its conductor, and telemetry: it talks to the database alone. It has threads of its
own, and every function here blocks.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from dbos import DBOS, DBOSConfig, SetWorkflowID

from clients.redaction import redact

_QUEUE: Final = "approved"
_WORKFLOW: Final = "carry_out"

_VERSION: Final = "1"
"""Version of what is in the queue. Workers of another one leave it alone."""

_SCHEMA: Final = "ringfence_worker"
"""Schema of DBOS's tables in PostgreSQL, beside those of the record."""

_LOOK_EVERY: Final = 0.5
"""Seconds between two looks of a worker into the queue."""

AT_ONCE: Final = 4
"""How many actions and plans one worker carries out side by side."""

_KEPT: Final = timedelta(days=30)
"""How long the queue remembers work that is finished."""

_ENDED: Final = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


@dataclass(frozen=True, slots=True)
class QueueSetup:
    """Where the queue lies, and whose it is."""

    address: str
    """URL of its database."""

    worker: str
    """Identifies this worker among all that ever shared the queue."""


class WorkQueue:
    """The queue of one process; a process has one at a time."""

    def __init__(self, setup: QueueSetup, carry_out: Callable[[str], str]) -> None:
        """`carry_out` is called with the id of an action or a plan, in a thread of the queue."""
        self._setup = setup
        self._carry_out = carry_out
        self._workflow = carry_out

    def open(self) -> None:
        """Create the tables if they are missing, and begin to take work."""
        _pass_logs_on()
        if self._setup.address.startswith("postgresql"):
            redact.learn(self._setup.address)
        config: DBOSConfig = {
            "name": "ringfence",
            "system_database_url": self._setup.address,
            "dbos_system_schema": _SCHEMA,
            "executor_id": self._setup.worker,
            "application_version": _VERSION,
            "use_listen_notify": False,
            "sys_db_pool_size": AT_ONCE + 4,
            "log_level": "WARNING",
            "enable_otlp": False,
        }
        DBOS(config=config)

        def carry_out(item: str) -> str:
            return self._carry_out(item)

        self._workflow = DBOS.workflow(name=_WORKFLOW)(carry_out)
        DBOS.launch()
        DBOS.register_queue(_QUEUE, worker_concurrency=AT_ONCE, polling_interval_sec=_LOOK_EVERY)
        self._forget_old()

    def close(self) -> None:
        """Take no more work, and end the threads."""
        DBOS.destroy(destroy_registry=True)

    def put(self, item: str, due_at: datetime) -> None:
        """Put an action or a plan into the queue, once for each time that it is due, whoever else does so.

        What is in there and ended without a change of the record is put in once more.
        """
        key = f"{item} {due_at.astimezone(UTC).isoformat()}"
        while (known := DBOS.get_workflow_status(key)) is not None and known.status in _ENDED:
            key += "+"
        if known is None:
            with SetWorkflowID(key):
                DBOS.enqueue_workflow(_QUEUE, self._workflow, item)

    def workers(self) -> list[str]:
        """Return the workers that have taken work and not finished it."""
        pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        return sorted({one.executor_id for one in pending if one.executor_id is not None})

    def take_over(self, workers: Collection[str]) -> None:
        """Let others take the work that workers had whose processes ended."""
        DBOS._recover_pending_workflows(list(workers))  # pyright: ignore[reportPrivateUsage] - the only way without its service

    def is_empty(self) -> bool:
        """Return True if nothing waits and nothing is being carried out."""
        return not DBOS.list_workflows(status=["ENQUEUED", "PENDING"], limit=1, load_input=False, load_output=False)

    def _forget_old(self) -> None:
        before = (datetime.now(UTC) - _KEPT).isoformat()
        old = DBOS.list_workflows(status=list(_ENDED), end_time=before, load_input=False, load_output=False)
        if old:
            DBOS.delete_workflows([one.workflow_id for one in old])


def _pass_logs_on() -> None:
    """Let the log of this process have what DBOS logs, in place of a handler of its own."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
