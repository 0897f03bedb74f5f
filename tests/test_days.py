"""`hipwise chat --days`: days on a clock that is moved by hand, for scripts and for people."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest

from bots import bootstrap
from bots.commands import chat as chat_command
from bots.console.days import read_span
from chat import library
from days import NEXT, Script, Turn, came, lived, opted_in, scheduled, taps

words = library().words
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
FIELDS = ["kind", "text", "question", "choices", "urgency", "conditions"]


def only(*lines: object) -> Script:
    for line in lines:  # noqa: UP028 - it is sent what was answered
        yield line  # type: ignore[misc] # some are no lines that are allowed


def kinds(lines: Turn) -> list[str]:
    return [line["kind"] for line in lines]


# ---------------------------------------------------------------- For scripts


def test_every_line_has_its_time_and_what_came_by_itself_its_occasion() -> None:
    def script() -> Script:
        yield from opted_in()
        yield NEXT

    *messages, ended, end = lived(script(), days=3, since=MONDAY)

    assert all(datetime.fromisoformat(line["at"]).tzinfo for line in (*messages, ended, end))
    assert (ended["kind"], end["kind"]) == ("end_of_turn", "end")
    (first,) = scheduled(messages)
    assert list(first) == [*FIELDS, "occasion", "occurrence", "at"]
    assert (first["kind"], first["occasion"]) == ("prompt", "checkin")
    assert first["occurrence"] == "checkin:2026-11-24T18:30:2026-11-24"
    assert first["at"] == end["at"] == "2026-11-24T20:30:00+00:00"


def test_the_clock_stands_until_it_is_moved() -> None:
    lines = lived(only({"text": "/hip"}, {"text": "no"}, {"advance": "90m"}, {"text": "/help"}), since=MONDAY)

    assert sorted({line["at"] for line in lines}) == ["2026-11-23T09:00:00+00:00", "2026-11-23T10:30:00+00:00"]


def test_while_the_clock_stands_words_still_answer_what_was_asked_last() -> None:
    def script() -> Script:
        yield from opted_in()
        ran = yield {"text": "/ran"}
        yield from taps(ran, words("checkins", "buttons", "now"))
        yield {"text": "/hip"}
        turns.append((yield {"text": "none of these"}))
        turns.append((yield {"text": "/settings"}))
        yield from taps(turns[-1], words("checkins", "buttons", "quiet"))
        turns.append((yield {"text": "22 to 7"}))

    turns: list[Turn] = []
    lived(script(), since=MONDAY)

    assert turns[0][0]["question"] == "health"
    assert words("checkins", "done") in turns[2][0]["text"]


def test_what_comes_within_a_stretch_of_time_comes_at_its_own() -> None:
    def script() -> Script:
        yield from opted_in(plan="Tue and Thu 11:00")
        turns.append((yield {"advance": "4d"}))

    turns: list[Turn] = []
    lived(script(), since=MONDAY)

    assert came(turns[0]) == ["Tue 24 14:00 checkin", "Wed 25 08:00 nudge", "Thu 26 14:00 checkin", "Fri 27 08:00 nudge"]
    assert turns[0][-1] == {"kind": "end_of_turn", "at": "2026-11-27T09:00:00+00:00"}


@pytest.mark.parametrize("advance", ["2d", "72h", "9999d", "99999d"])
def test_past_the_end_it_ends(advance: str) -> None:
    lines = lived(only({"advance": advance}, {"text": "/help"}), days=2, since=MONDAY)

    assert lines == [{"kind": "end", "at": "2026-11-25T09:00:00+00:00"}]


def test_where_nothing_is_to_come_the_next_message_is_the_end() -> None:
    assert lived(only(NEXT, NEXT), days=366, since=MONDAY) == [{"kind": "end", "at": "2027-11-24T09:00:00+00:00"}]


def test_the_end_of_the_input_is_the_end() -> None:
    assert kinds(lived(only({"text": "/help"}), since=MONDAY)) == ["notice", "end_of_turn", "end"]
    assert kinds(lived(only(), since=MONDAY)) == ["end"]


HOSTILE = (
    *("", "0h", "-2h", "+2h", "2", "h", "2 weeks", "1.5h", "2h 30m", "next one", "\u0661h", "100000d", "1e9h", "x" * 100_000),
    *(2, 2.5, True, None, ["next"], {"by": "2h"}),
)


@pytest.mark.parametrize("advance", HOSTILE, ids=lambda value: repr(value)[:20])
def test_a_line_that_says_nothing_of_time_is_answered_and_moves_nothing(advance: object) -> None:
    lines = lived(only({"advance": advance}), since=MONDAY)

    assert kinds(lines) == ["notice", "end_of_turn", "end"]
    assert lines[0]["text"].startswith(words("ui", "unreadable")[:20])
    assert {line["at"] for line in lines} == {"2026-11-23T09:00:00+00:00"}


@pytest.mark.parametrize("line", ["{", "[" * 100_000, '"next"', "[]", '{"Advance": "next"}', "next", "\x00"])
def test_a_line_that_is_none_of_the_objects_is_answered_and_moves_nothing(line: str) -> None:
    lines = lived(only(line, " ", ""), since=MONDAY)

    assert kinds(lines) == ["notice", "end_of_turn", "end"]
    assert lines[-1]["at"] == "2026-11-23T09:00:00+00:00"


def test_a_line_with_words_is_answered_to_the_words() -> None:
    lines = lived(only({"text": "/help", "advance": "2d"}), since=MONDAY)

    assert lines[-1]["at"] == "2026-11-23T09:00:00+00:00"


def test_without_days_nothing_moves_a_clock(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"advance": "next"}\n')))

    assert chat_command.run(["--json"]) == 0

    notice, end = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert list(notice) == FIELDS
    assert end == {"kind": "end_of_turn"}


@pytest.mark.parametrize("number", ["0", "367", "-1", "1.5", "", "month", "1e2", "9" * 5000])
def test_days_are_one_to_those_of_a_leap_year(capsys: pytest.CaptureFixture[str], number: str) -> None:
    with pytest.raises(SystemExit) as left:
        chat_command.run(["--days", number])

    assert left.value.code == 2
    assert "--days" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "minutes"), [("1m", 1), ("30min", 30), ("2h", 120), ("2 h", 120), (" 2H ", 120), ("1d", 1440), ("2", None)]
)
def test_a_span_is_a_number_and_a_unit(text: str, minutes: int | None) -> None:
    assert read_span(text) == (None if minutes is None else timedelta(minutes=minutes))


def test_nothing_is_left_of_the_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def script() -> Script:
        yield from opted_in()
        there.extend(tmp_path.rglob("*.db"))

    there: list[Path] = []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    lived(script(), since=MONDAY)

    assert len(there) == 1
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- For people


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Give a function that types lines at `chat --days` and returns what is shown."""

    def typed(*lines: str, days: int = 30) -> str:
        text = "".join(f"{line}\n" for line in lines)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        with mock.patch.object(bootstrap, "now", return_value=MONDAY):
            assert chat_command.run(["--days", str(days)]) == 0
        return capsys.readouterr().out

    return typed


OPTED_IN = ("1", "Berlin", "Tue and Thu 18:30, long run Sunday 9")


def test_an_empty_line_goes_to_the_next_message_below_its_day_and_its_time(live: Callable[..., str]) -> None:
    shown = live(*OPTED_IN, "", "2", "next")

    asked = words("checkins", "open", "today")
    assert f"\nTuesday, 24 November 2026\n\n21:30\n{asked}\n" in shown
    assert f"\nThursday, 26 November 2026\n\n21:30\n{asked}\n" in shown
    assert words("checkins", "not_run") in shown


def test_a_day_is_told_once(live: Callable[..., str]) -> None:
    shown = live("1", "Berlin", "Tue 11:00", "", "", "+2h", "+30m")

    assert shown.count("Wednesday, 25 November 2026") == 1
    assert [line for line in shown.splitlines() if line[2:3] == ":"] == ["09:00", "14:00", "08:00", "10:00", "10:30"]


def test_a_stretch_of_time_ends_with_the_time_that_it_is(live: Callable[..., str]) -> None:
    assert live(*OPTED_IN, "+1d", "+30m").endswith("\nTuesday, 24 November 2026\n\n10:00\n\n10:30\n")


def test_a_number_presses_what_came_by_itself(live: Callable[..., str]) -> None:
    assert words("checkins", "ask", "worst")[:60] in live(*OPTED_IN, "next", "1")


def test_before_anything_is_agreed_to_the_clock_stands(live: Callable[..., str]) -> None:
    shown = live("", "next", "+1h")

    assert shown.count("Nothing is to come") == 2
    assert shown.endswith("\n10:00\n")


def test_when_the_days_are_over_no_line_is_read(live: Callable[..., str]) -> None:
    shown = live("+1d", "/help", days=1)

    assert shown.endswith("The days are over.\n")


@pytest.mark.parametrize("leave", ["/quit", " /EXIT "])
def test_quit_leaves_the_days(live: Callable[..., str], leave: str) -> None:
    assert live(leave, "+1d") == live()


def test_no_line_is_wider_than_the_terminal(live: Callable[..., str]) -> None:
    assert [line for line in live("next", *OPTED_IN, "+9d", days=3).splitlines() if len(line) > 88 and line[:1] != " "] == []
