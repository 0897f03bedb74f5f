"""Whatever comes in gets a polite and correct answer, and never costs what was told before."""

import asyncio
import json
import tomllib
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.commands import content as content_command
from bots.console import json_lines
from chat import Chat, JsonRecords, library
from content import loader
from content.loader import ContentError
from core.companion import Companion
from core.dialogue import Command, Inbound, Prompt, Reply, Tap, Text
from core.ledger import Delivery
from core.members import Address, Preferences
from core.record import Change, Record
from test_dialogue import STATES, answered, at_a_question, at_the_first_question, kept, ticked

words = library().words

LONG = "it hurts at the side " * 500
EMOJI = "\U0001f915\U0001f9b4\U0001f3c3\U0001f3fd\u200d\u2640\ufe0f"
RIGHT_TO_LEFT = "\u0623\u0644\u0645 \u0641\u064a \u0627\u0644\u0648\u0631\u0643 \u05db\u05d0\u05d1 \u05d1\u05d9\u05e8\u05da"
CONTROLS = "".join(map(chr, range(32))) + "\x7f\x85\u200b\u202e\u2066\ufeff"
STRANGE = {
    "nothing": "",
    "spaces": "   \n\t ",
    "10,000 characters": LONG[:10_000],
    "10,000 digits": "1" * 10_000,
    "10,000 emoji": "\U0001f915" * 10_000,
    "10,000 denials": ("no cant pee " * 1_000)[:10_000],
    "emoji": EMOJI,
    "right to left": RIGHT_TO_LEFT,
    "right-to-left override": "\u202eqqqq",
    "control characters": CONTROLS,
    "half of a pair": "\ud83e",
    "combining marks": "a" + "\u0301" * 500,
    "other digits": "\u0663 \u0967 \u2460 \u00b2",
    "a brace": "{zzz} {0} %s {{",
    "markup": "<b>*_`[x](http://x)`</b>",
    "a query": "'; DROP TABLE sessions; --",
    "a path": "../../etc/passwd",
}


def safety_line() -> str:
    return words("ui", "safety_line", emergency=library().region(None).emergency)


def is_error(replies: tuple[Reply, ...]) -> bool:
    return any(words("ui", "error") in r.text for r in replies)


# ---------------------------------------------------------------- Typed


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("state", ["nothing open", *STATES])
async def test_strange_text_is_answered_kindly_and_changes_nothing(chat: Chat, state: str, text: str) -> None:
    if state in STATES:
        await STATES[state](chat)
    before = chat.sessions.kept.get(chat.address, (None, chat.sessions.default))

    await chat.says(text)

    expected = "no_words" if not text.strip() else "say_hip" if state == "nothing open" else "not_understood"
    assert chat.notice.text == f"{words('ui', expected)}\n\n{safety_line()}"
    assert chat.sessions.kept[chat.address] == before


@pytest.mark.parametrize(
    "name",
    ["", "hipp", "HIP!", "diagnose", "admin", "start again", "\u0647", EMOJI, "x" * 10_000, "\x00", "\ud83e", "hip@other_bot"],
)
@pytest.mark.parametrize("state", ["nothing open", "question", "review", "result"])
async def test_an_unknown_command_is_told_so_with_the_safety_line(chat: Chat, state: str, name: str) -> None:
    if state in STATES:
        await STATES[state](chat)
    before, screen = chat.sessions.kept.get(chat.address), chat.last[-1:]

    await chat.sends(Command(chat.address, name))

    assert chat.notice.text == f"{words('ui', 'unknown_command')}\n\n{safety_line()}"
    if state == "result":  # it was just read: its buttons come along, and it is not said again
        assert (chat.last[1:], chat.notice.choices) == ((), screen[0].choices)
    else:
        assert chat.last[1:] == screen
    assert chat.sessions.kept[chat.address] == (before or (None, chat.sessions.default))


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("name", ["care", "faq", "hip", "stop", "why", "settings", "warning"])
async def test_a_command_with_something_strange_behind_it_still_works(chat: Chat, name: str, text: str) -> None:
    await chat.sends(Command(chat.address, name, text))

    assert chat.last
    assert not is_error(chat.last)


@given(state=st.sampled_from(sorted(STATES)), text=st.text(max_size=400))
@settings(max_examples=100, deadline=None)
async def test_any_text_in_any_state_is_answered_with_words(state: str, text: str) -> None:
    chat = Chat()
    await STATES[state](chat)

    await chat.says(text)

    assert all(r.text.strip() for r in chat.last)
    assert chat.last
    assert not is_error(chat.last)


@given(data=st.data(), inbounds=st.integers(min_value=1, max_value=12))
@settings(max_examples=40, deadline=None)
async def test_no_wild_sequence_of_presses_words_and_commands_breaks_a_check(data: st.DataObject, inbounds: int) -> None:
    chat = Chat()
    await chat.says("/hip")
    typed = st.sampled_from(
        ["back", "no", "1", "2", "not sure", "done", "stop", "/hip", "/why", "/stop", "/care", "/settings", "x"]
    )
    for _ in range(inbounds):
        seen = [b.tap for r in chat.said for b in r.choices]
        step = data.draw(st.sampled_from(seen) | typed)
        await (chat.sends(Tap(chat.address, step)) if step in seen else chat.says(step))

        assert chat.last
        assert not is_error(chat.last)


# ---------------------------------------------------------------- Two turns at once


class SlowRecords(JsonRecords):
    """Sessions that let others have a turn while they load and save, as a database does; they remember the order."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []

    async def load(self, address: Address) -> Record:
        self.order.append("load")
        for _ in range(5):
            await asyncio.sleep(0)
        return await super().load(address)

    async def save(self, address: Address, change: Change) -> tuple[Delivery, ...] | None:
        for _ in range(5):
            await asyncio.sleep(0)
        deliveries = await super().save(address, change)
        self.order.append("save")
        return deliveries


async def at_once(chat: Chat, *inbounds: Inbound) -> list[tuple[Reply, ...]]:
    return await asyncio.gather(*(chat.companion.handle(i) for i in inbounds))


async def test_two_ticks_at_once_both_hold() -> None:
    chat = Chat(sessions=SlowRecords())
    await at_the_first_question(chat)
    first, second = chat.prompt.choices[0].tap, chat.prompt.choices[4].tap

    replies = await at_once(chat, Tap(chat.address, first), Tap(chat.address, second))

    chat.last = replies[-1]
    assert ticked(chat) == [0, 4]


async def test_the_turns_of_one_member_are_taken_one_after_the_other() -> None:
    sessions = SlowRecords()
    chat = Chat(sessions=sessions)

    await at_once(chat, *(Command(chat.address, "hip") for _ in range(4)))

    assert sessions.order == ["load", "save"] * 4


async def test_the_turns_of_two_members_do_not_wait_for_each_other() -> None:
    sessions = SlowRecords()
    chat = Chat(sessions=sessions)

    await at_once(chat, Command(chat.address, "hip"), Command(Address("test", "member-2"), "hip"))

    assert sessions.order == ["load", "load", "save", "save"]
    assert all(session for session, _ in sessions.kept.values())


async def test_a_double_tap_on_none_answers_one_question() -> None:
    chat = Chat(sessions=SlowRecords())
    await at_the_first_question(chat)
    none = next(b.tap for b in chat.prompt.choices if b.role == "none")

    first, second = await at_once(chat, Tap(chat.address, none), Tap(chat.address, none))

    assert list(answered(chat)) == ["body"]
    assert isinstance(first[-1], Prompt)
    assert second[-1] == first[-1]


async def test_a_tick_and_a_word_of_danger_at_once_are_both_heard() -> None:
    chat = Chat(sessions=SlowRecords())
    await at_the_first_question(chat)

    tick, danger = await at_once(chat, Tap(chat.address, chat.prompt.choices[0].tap), Text(chat.address, "chest pain"))

    assert danger[0].text.startswith("Call ")
    chat.last = tick
    assert ticked(chat) == [0]


async def test_done_with_a_late_tick_at_once_keeps_what_was_ticked_before() -> None:
    chat = Chat(sessions=SlowRecords())
    await at_the_first_question(chat)
    late = chat.prompt.choices[1].tap
    await chat.taps(chat.prompt.choices[0].label)
    done = chat.button(words("ui", "buttons", "done")).tap

    _, after = await at_once(chat, Tap(chat.address, done), Tap(chat.address, late))

    assert answered(chat) == {"body": ["ill"]}
    assert after[0].text.startswith(words("ui", "old_button"))


# ---------------------------------------------------------------- Broken lines for `chat --json`


class Lines:
    """Lines as standard input gives them, and what was written for them."""

    def __init__(self, *lines: str) -> None:
        self.lines, self.written = lines, [""]

    async def __aiter__(self) -> Any:
        for line in self.lines:
            yield line

    async def answers(self, chat: Chat) -> list[dict[str, Any]]:
        self.written = []
        await json_lines.talk(chat.companion, self, self.written.append)
        return [json.loads(line) for line in self.written]


BROKEN = [
    "{",
    "null",
    "[]",
    "7",
    "nonsense",
    '"/hip"',
    "{}",
    '{"text": 5}',
    '{"tap": null}',
    '{"tap": ["x"]}',
    '{"say": "hi"}',
    '{"text": "a"} {"text": "b"}',
    '{"text": "a",}',
    "{'text': 'a'}",
    "[" * 100_000,
    '{"text": ' * 10_000,
    "\x00",
    "\ufffd\ufffd",
    "NaN",
]


@pytest.mark.parametrize("line", BROKEN, ids=lambda line: line[:20])
async def test_a_broken_line_is_answered_ends_its_turn_and_changes_nothing(chat: Chat, line: str) -> None:
    written = await Lines('{"text": "/hip"}', line, '{"text": "no"}').answers(chat)

    ends = [i for i, plain in enumerate(written) if plain == {"kind": "end_of_turn"}]
    assert len(ends) == 3
    broken = written[ends[0] + 1 : ends[1]]
    assert [plain["kind"] for plain in broken] == ["notice"]
    assert library().words("ui", "unreadable") in broken[0]["text"]
    assert written[-2]["question"] == "health"


async def test_the_answer_to_a_broken_line_ends_with_the_safety_line_as_every_error_does(chat: Chat) -> None:
    written = await Lines("{").answers(chat)

    assert written[0]["text"].endswith(safety_line())


@pytest.mark.parametrize("line", ["", "\n", "  \n", "\t"])
async def test_an_empty_line_is_passed_over(chat: Chat, line: str) -> None:
    assert await Lines(line).answers(chat) == []


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("key", ["text", "tap"])
async def test_a_strange_value_in_a_line_is_answered(chat: Chat, key: str, text: str) -> None:
    written = await Lines('{"text": "/hip"}', json.dumps({key: text})).answers(chat)

    assert written[-1] == {"kind": "end_of_turn"}
    assert written[-2]["question"] == "body"
    assert all(words("ui", "error") not in plain.get("text", "") for plain in written)


# ---------------------------------------------------------------- Content with a missing key


def without(source: str, target: Path, *path: str | int) -> None:
    """Copy the content with one key of one file taken out."""
    copytree(loader.HERE, target, ignore=lambda _, names: [n for n in names if n.endswith(".py") or n == "__pycache__"])
    table: Any = tomllib.loads((target / source).read_text(encoding="utf-8"))
    inner = table
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    (target / source).write_text(as_toml(table), encoding="utf-8")


def as_toml(table: dict[str, Any]) -> str:
    """Return a table as TOML, every value in one line."""
    return "".join(f"{json.dumps(key)} = {value_of(value)}\n" for key, value in table.items())


def value_of(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(k)} = {value_of(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(value_of, value)) + "]"
        case str() | bool() | int() | float():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)  # a date


MISSING: list[tuple[str, tuple[str | int, ...]]] = [
    ("hip/rules.toml", ("rule", 0, "urgency")),
    ("hip/rules.toml", ("sets",)),
    ("hip/questions.toml", ("question", 0, "choices")),
    ("hip/findings.toml", ("age", "codes")),
    ("hip/conditions.toml", ("gtps", "sources")),
    ("hip/pathway.toml", ("look_again",)),
    ("regions.toml", ("GB", "emergency")),
    ("sources.toml", ("FNSFMED", "title")),
    ("care/conditions.toml", ("gtps", "sources")),
]


@pytest.mark.parametrize(("file", "path"), MISSING, ids=[f"{f}:{'.'.join(map(str, p))}" for f, p in MISSING])
def test_content_with_a_missing_key_is_refused_with_file_and_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, path: tuple[str | int, ...]
) -> None:
    without(file, tmp_path / "content", *path)

    with pytest.raises(ContentError) as refused:
        loader.load(root=tmp_path / "content")
    assert file in str(refused.value)
    assert str(path[-1]) in str(refused.value)
    assert content_command.run(["--root", str(tmp_path / "content")]) == 2
    assert str(path[-1]) in capsys.readouterr().out


MISSING_WORDS = [
    ("questions.toml", ("body", "ask")),
    ("ui.toml", ("safety_line",)),
    ("rules.toml", ("groin_limp",)),
    ("danger.toml", ("chest", "answer")),
    ("dispositions.toml", ("emergency", "first")),
]


@pytest.mark.parametrize(("file", "path"), MISSING_WORDS, ids=[f"{f}:{'.'.join(p)}" for f, p in MISSING_WORDS])
def test_words_that_are_missing_are_named_with_their_file_and_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, path: tuple[str, ...]
) -> None:
    without(f"locale/en/{file}", tmp_path / "content", *path)

    assert content_command.run(["--root", str(tmp_path / "content")]) == 2

    assert f"locale/en/{file}: {'.'.join(path)}: has no words" in capsys.readouterr().out


async def test_a_member_who_meets_missing_words_is_told_kindly_and_can_go_on(tmp_path: Path) -> None:
    without("locale/en/questions.toml", tmp_path / "content", "health", "ask")
    chat = Chat(loader.load(root=tmp_path / "content"))
    await at_the_first_question(chat)
    before = kept(chat)

    await chat.taps(words("questions", "body", "none"))

    assert chat.notice.text == f"{words('ui', 'error')}\n\n{safety_line()}"
    assert kept(chat) == before
    whole = Chat(clock=chat.clock, sessions=chat.sessions)
    await whole.says("no")
    assert whole.prompt.question == "health"


# ---------------------------------------------------------------- Errors and the safety line


async def test_every_error_in_every_state_ends_with_the_safety_line(chat: Chat) -> None:
    for go in STATES.values():
        await go(chat)
        for inbound in (
            Text(chat.address, "asdfgh"),
            Command(chat.address, "nonsense"),
            Tap(chat.address, "forged"),
        ):
            await chat.sends(inbound)
            assert chat.notice.text.endswith(safety_line())
        await chat.says("/stop")
        assert chat.notice.text.endswith(safety_line())


async def test_the_safety_line_has_the_number_of_the_members_country(chat: Chat) -> None:
    chat.sessions.default = Preferences(region="AU")
    await at_a_question(chat)

    await chat.says("asdfgh")

    assert chat.notice.text.endswith(words("ui", "safety_line", emergency="000"))


class BrokenRecords(JsonRecords):
    """Sessions that cannot be loaded, or not saved."""

    def __init__(self, fails: str) -> None:
        super().__init__()
        self.fails = fails

    async def load(self, address: Address) -> Record:
        if self.fails == "load":
            raise OSError("disk")
        return await super().load(address)

    async def save(self, address: Address, change: Change) -> tuple[Delivery, ...] | None:
        if self.fails == "save":
            raise OSError("disk")
        return await super().save(address, change)


@pytest.mark.parametrize("fails", ["load", "save"])
async def test_a_store_that_fails_is_answered_kindly_with_the_safety_line(chat: Chat, fails: str) -> None:
    companion = Companion(library(), BrokenRecords(fails), chat.clock, lambda: "0123456789abcdef")

    replies = await companion.handle(Command(chat.address, "hip"))

    assert [r.text for r in replies] == [f"{words('ui', 'error')}\n\n{safety_line()}"]
