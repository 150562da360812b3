"""The page of the rules: what is in force, which line or variable sets it, and what it says of one tool."""

from pathlib import Path

import pytest

from server.console.pages import PageOptions
from server.settings.load import read_settings
from tests.server.console.browsing import opened_record, operator, words_of
from tests.server.operating import ringfence

SETTINGS = """\
[policy]
paid = "page"

[[budget]]
per = "day"
limit = "25"

[accounts.clinic]
provider = "voicetel"
base_url = "https://voicetel.test"
"""


async def test_each_rule_names_the_line_or_the_variable_that_sets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ringfence.toml"
    file.write_text(SETTINGS, encoding="utf-8")
    file.with_suffix(".env").write_text(
        "RINGFENCE_ACCOUNTS__CLINIC__API_KEY=0123456789abcdef0123456789abcdef\n", encoding="utf-8"
    )
    file.with_suffix(".env").chmod(0o600)
    monkeypatch.setenv("RINGFENCE_COMPLIANCE__BULK_LIMIT", "3")
    monkeypatch.setenv("RINGFENCE_ROUTEE__APPLICATION_ID", "app")
    monkeypatch.setenv("RINGFENCE_ROUTEE__APPLICATION_SECRET", "a-secret-of-routee")
    settings = read_settings(file)
    async with opened_record(tmp_path) as record, operator(record, options=PageOptions.of(settings)) as page:
        text = words_of(await page.open("/rules")).replace("<wbr>", "")
    for rule, value, place in (
        ("policy.paid", "page", "ringfence.toml, line 2"),
        ("budget per day", "25 USD overall", "ringfence.toml, line 4"),
        ("compliance.bulk_limit", "3", "RINGFENCE_COMPLIANCE__BULK_LIMIT"),
        ("clinic", "VoiceTel", "ringfence.env, RINGFENCE_ACCOUNTS__CLINIC__…"),
        ("routee", "Routee", "RINGFENCE_ROUTEE__…"),
    ):
        row = text[text.index(f'<th scope="row">{rule}</th>') :].partition("</tr>")[0]
        assert f"<td>{value}</td><td>{place}</td>" in row
    assert '<th scope="row">policy.write</th><td>allow</td><td class="faint">default</td>' in text
    assert "a-secret-of-routee" not in text
    assert "0123456789abcdef" not in text
    printed = await ringfence(tmp_path / "state", "policy", "show", "--config", str(file))
    assert "ringfence.toml, line 2" in printed


@pytest.mark.parametrize("tool", ["voicetel_order_numbers", "voicetel_list_numbers", "list_events"])
async def test_a_tool_is_explained_as_on_the_command_line(tool: str, tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        text = words_of(await page.open(f"/rules?tool={tool}")).replace("<wbr>", "")
    printed = await ringfence(tmp_path / "state", "policy", "explain", tool)
    lines = [line for line in printed.splitlines() if line]
    assert lines
    assert all(f"<li><p>{line}</p></li>" in text for line in lines)


async def test_a_misspelt_tool_gets_the_nearest_names(tmp_path: Path) -> None:
    async with opened_record(tmp_path) as record, operator(record) as page:
        text = words_of(await page.open("/rules?tool=voicetel_order_number"))
        odd = (await page.open("/rules?tool=<script>")).text
    assert 'href="/approvals/rules?tool=voicetel_order_numbers#explain"' in text
    assert "There is no tool of this name." in odd
    assert "<script>" not in odd


async def test_rules_that_never_apply_are_named(tmp_path: Path) -> None:
    file = tmp_path / "ringfence.toml"
    rules = '[policy.toolsets]\n"routee.messaging" = "deny"\n[voicetel]\napi_key = "0123456789abcdef0123456789abcdef"\n'
    file.write_text(rules, encoding="utf-8")
    settings = read_settings(file)
    async with opened_record(tmp_path) as record, operator(record, options=PageOptions.of(settings)) as page:
        assert "routee is not set up, so this never applies" in words_of(await page.open("/rules"))
