"""The page of deliveries: what became of messages by day, why some did not arrive, and who wants no more."""

from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

from clients.shared.inbound_texts import InboundText
from server.console.pages import PageOptions
from server.settings.model import settings_class
from server.store.store import Store
from tests.clocks import StoppedClock
from tests.server.console.browsing import opened_record, operator, token_in, words_of
from tools.webhooks import Callback

TO = "+306912345601"


def _report(message: str, state: str, reason: str | None = None, *, part: int = 1, **more: str) -> Callback:
    return Callback(
        provider="routee",
        kind="sms",
        subject=message,
        identity=f"{message} {state} {part}",
        state=state,
        reason=reason,
        part=part,
        number=more.get("number", TO),
    )


async def _put(record: Store, *reports: Callback) -> None:
    for report in reports:
        await record.events.take_in(report)


async def test_each_message_counts_once_in_its_latest_state_however_reports_arrive(tmp_path: Path) -> None:
    async with (
        opened_record(tmp_path) as record,
        operator(record, clock=StoppedClock(datetime.now(UTC))) as page,
    ):
        await _put(
            record,
            _report("one", "Queued"),
            _report("one", "Delivered"),
            _report("two", "Undelivered", "Unknown Number"),
            _report("two", "Queued"),
            _report("three", "Sent"),
            _report("four", "Delivered", part=1),
            _report("four", "Failed", "Expired", part=2),
        )
        text = words_of(await page.open("/deliveries"))
    for name, count in (("Arrived", 2), ("Under way", 1), ("Did not arrive", 2), ("Came in", 0)):
        assert f"<dt>{name}</dt><dd>{count}</dd>" in text
    assert "nobody has the number" in text
    assert "Do not send it again as it was." in text
    assert "it could not be delivered before its time to live was over" in text
    assert "Sending again later makes sense." in text


async def test_days_are_those_of_the_operators_zone(tmp_path: Path) -> None:
    """A report of now is one of yesterday where it is still yesterday."""
    now = datetime.now(UTC)
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        settings = settings_class()(time_zone=zone)
        local = now.astimezone(PageOptions(settings=settings).zone)
        folder = tmp_path / zone.replace("/", "-")
        folder.mkdir()
        async with (
            opened_record(folder) as record,
            operator(record, clock=StoppedClock(now), options=PageOptions(settings=settings)) as page,
        ):
            await _put(record, _report("one", "Delivered"))
            text = words_of(await page.open("/deliveries"))
        assert f'<th scope="row" class="day">{local:%a} {local.day} {local:%b}</th>' in text
        row = text[text.index(f"{local:%a} {local.day} {local:%b}</th>") :].partition("</tr>")[0]
        assert '<td class="number">1</td>' in row


async def test_text_from_outside_stays_text_and_is_marked(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>\u202e & more"
    async with opened_record(tmp_path) as record, operator(record, clock=StoppedClock(datetime.now(UTC))) as page:
        incoming = Callback(
            provider="routee",
            kind="inbound",
            subject="m1",
            identity="m1",
            state="Received",
            number="<b>Bank</b>",
            ours="+302101234567",
            text=hostile,
        )
        await _put(record, incoming, _report("two", "Failed", "<i>why</i>", number="<u>me</u>"))
        text = (await page.open("/deliveries")).text
    for tag in ("<script>alert", "<b>Bank", "<i>why", "<u>me", "\u202e"):
        assert tag not in text
    assert '<span class="outside">&lt;b&gt;Bank&lt;/b&gt;</span>' in text
    assert "<blockquote>&lt;script&gt;alert(1)" in text
    assert "Text from outside" in text


async def test_who_may_want_no_more_messages_is_settled_with_a_button(tmp_path: Path) -> None:
    asked = [
        InboundText(sender="+12015550177", text="Stop it please, or else", message="m1"),
        InboundText(sender="+12015550178", text="Please leave me alone", message="m2"),
        InboundText(sender="$(reboot)", text="STOP", message="m3"),
    ]
    async with opened_record(tmp_path) as record, operator(record) as page:
        await record.optouts.take_in("routee", asked)
        shown = (await page.open("/deliveries")).text
        token = token_in(shown)
        for sender, deed in (("+12015550177", "add"), ("+12015550178", "dismiss"), ("$(reboot)", "dismiss")):
            assert f'value="{sender}"' in unescape(shown)
            assert (await page.send("/deliveries/wishes", token=token, sender=sender, do=deed)).status_code == 303
        assert await record.optouts.requests() == []
        assert await record.optouts.all() == [("+12015550177", "the operator, on the approval page")]
        for sender, deed in (("$(reboot)", "add"), ("+12015550177", ""), ("+12015550177", "forget")):
            assert (await page.send("/deliveries/wishes", token=token, sender=sender, do=deed)).status_code == 400


async def test_opt_outs_are_shown_with_where_they_came_from_and_looked_up_in_any_spelling(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        numbers = [f"+1201555{place:04d}" for place in range(60)]
        await record.optouts.add(numbers, source="imported from list.txt")
        await record.optouts.add(["+12125550100"], source="texted routee")
        overview, first = (await page.open("/deliveries")).text, (await page.open("/deliveries/opt-outs")).text
        second = (await page.open("/deliveries/opt-outs?after=%2B12015550049")).text
        one_source = (await page.open("/deliveries/opt-outs?source=texted+routee")).text
        found = words_of(await page.open("/deliveries/opt-outs?number=%2B1+212+555+0100"))
        missing = words_of(await page.open("/deliveries/opt-outs?number=%2B12125550199"))
        odd = words_of(await page.open("/deliveries/opt-outs?number=<b>"))
    assert 'imported from list.txt</a></th><td class="number">60' in overview
    assert "+12015550049" in first
    assert "+12015550050" not in first
    assert "after=%2B12015550049" in first
    assert "+12015550059" in second
    assert "+12125550100" in one_source
    assert "+12015550001" not in one_source
    assert "opted out: nothing is sent to it" in found
    assert "+12125550199 did not opt out." in missing
    assert "<b> is no telephone number" in odd


async def test_old_reports_are_not_counted_unless_asked_for(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record:
        await _put(record, _report("one", "Delivered"))
        later = StoppedClock(datetime.now(UTC) + timedelta(days=20))
        async with operator(record, clock=later) as page:
            week = (await page.open("/deliveries")).text
            month = (await page.open("/deliveries?days=30")).text
    assert "<dt>Arrived</dt><dd>0</dd>" in week
    assert "<dt>Arrived</dt><dd>1</dd>" in month
