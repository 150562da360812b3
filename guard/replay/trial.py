"""Tries rules on the record: reads what was asked or allowed, decides again, and reports what would have changed."""

from collections.abc import Sequence
from datetime import datetime

from guard.allowances.allowance import Allowance
from guard.catalog import OperationCatalog
from guard.replay.recorded import CallRecord
from guard.replay.replay import NotReplayable, Replay
from guard.replay.report import Report, ask_for_groups
from guard.rules.rules import Rules


async def try_rules(
    record: CallRecord,
    rules: Rules,
    allowances: Sequence[Allowance],
    catalog: OperationCatalog,
    since: datetime,
    until: datetime,
) -> Report:
    """Replay the calls between two times under rules and allowances. Nothing is written, and no provider is asked.

    `since` is taken back to the beginning of its day in UTC, so that daily caps and allowances count whole days.
    """
    begins = since.replace(hour=0, minute=0, second=0, microsecond=0)
    before = await record.sums_before(begins.replace(day=1).date(), begins.date())
    replay = Replay(rules, allowances, catalog, record, begins=begins, before=before)
    report = Report(begins, until, group_allowances=ask_for_groups(allowances))
    report.expired = await record.count_expired(begins, until)
    report.refused_then = await record.count_refused(begins, until)
    async for job in record.jobs(begins, until):
        try:
            replayed = await replay.run(job)
        except NotReplayable as why:
            report.leave_out(job.calls, str(why))
            continue
        for one in replayed:
            report.add(one)
    return report
