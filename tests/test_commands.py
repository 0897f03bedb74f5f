"""The command line: what each command prints and returns, for people, for scripts and without a terminal."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bots import __main__ as main
from bots.commands import chat as chat_command
from bots.commands import content as content_command
from bots.commands import run as run_command
from bots.console import chat as console
from bots.console.inbound import LONGEST, typed
from bots.settings import Settings, read_settings
from chat import Chat, library
from content import loader
from core.clinical import Disposition
from core.dialogue import Command, Text
from core.errors import SettingsError
from terminal import at_a_terminal
from test_dialogue import PATHWAY, button, kept

ROOT = Path(__file__).parent.parent
words = library().words
PLAIN = console.Style(colour=False, width=88)
Talk = Callable[..., list[dict[str, Any]]]


# ---------------------------------------------------------------- hipwise


@pytest.mark.parametrize("argv", [[], ["-h"], ["--help"], ["help"]])
def test_without_a_command_the_commands_are_listed(capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    assert main.main(argv) == 0

    out = capsys.readouterr().out
    assert [name for name in main.COMMANDS if f"hipwise {name}" not in out] == []


@pytest.mark.parametrize("name", ["chatt", "", "CHAT", "../chat", "\u0647", "__main__", "bots.commands.chat", "x" * 10_000])
def test_an_unknown_command_is_wrong_use_and_lists_the_commands(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main.main([name]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert "no command" in err
    assert "hipwise chat" in err


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str], name: str) -> None:
    with pytest.raises(SystemExit) as left:
        main.main([name, "--help"])

    assert left.value.code == 0
    assert f"hipwise {name}" in capsys.readouterr().out


@pytest.mark.parametrize("name", main.COMMANDS)
def test_an_option_that_is_not_there_is_wrong_use(capsys: pytest.CaptureFixture[str], name: str) -> None:
    with pytest.raises(SystemExit) as left:
        main.main([name, "--no-such-option"])

    assert left.value.code == 2
    assert f"usage: hipwise {name}" in capsys.readouterr().err


# ---------------------------------------------------------------- hipwise chat --json


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Talk:
    """Give a function that sends lines to `chat --json` and returns the objects that come back."""

    def say(*lines: object) -> list[dict[str, Any]]:
        text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode("utf-8", "surrogateescape")), "utf-8"))
        assert chat_command.run(["--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return say


def turns(written: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return what was written, by turns."""
    found: list[list[dict[str, Any]]] = [[]]
    for plain in written:
        if plain == {"kind": "end_of_turn"}:
            found.append([])
        else:
            found[-1].append(plain)
    assert found.pop() == []
    return found


def test_each_line_is_answered_and_then_the_turn_ends(talk: Talk) -> None:
    answered = turns(talk({"text": "/hip"}, {"text": "no"}, {"text": "/why"}))

    assert [[plain["kind"] for plain in turn] for turn in answered] == [
        ["notice", "prompt"],
        ["prompt"],
        ["notice", "prompt"],
    ]


def test_a_message_has_all_its_fields_and_no_other(talk: Talk) -> None:
    written = talk({"text": "/hip"}, {"text": "breathless"}, {"text": "done"}, {"text": "/care"}, {"text": "/settings"})

    messages = [plain for turn in turns(written) for plain in turn]
    assert {plain["kind"] for plain in messages} == {"notice", "prompt", "verdict"}
    for plain in messages:
        assert list(plain) == ["kind", "text", "question", "choices", "urgency", "conditions"]
        assert (plain["question"] is not None) == (plain["kind"] == "prompt")
        assert (plain["urgency"] is not None) == (plain["kind"] == "verdict")
        for choice in plain["choices"]:
            assert list(choice) == ["tap", "label", "findings", "role", "ticked"]
            assert set(choice["findings"]) <= PATHWAY.codes
            assert choice["ticked"] in (None, True, False)


def test_an_emergency_has_its_conditions_too(talk: Talk) -> None:
    ((*_, verdict),) = turns(talk({"text": "/hip"}, {"text": "breathless"}, {"text": "done"}))[-1:]

    assert verdict["urgency"] == "emergency"
    assert verdict["conditions"][0] == "dvt"


def test_every_choice_of_a_question_says_which_findings_it_leads_to(talk: Talk) -> None:
    prompt = turns(talk({"text": "/hip"}))[0][-1]

    body = PATHWAY.by_id["body"]
    answers = [choice for choice in prompt["choices"] if choice["role"] == "answer"]
    assert [choice["findings"] for choice in answers] == [sorted(PATHWAY.leads_to["body", c.id]) for c in body.choices]
    assert [choice["ticked"] for choice in answers] == [False] * len(answers)


class Script:
    """A script that plays a patient through `chat --json`, line by line, in this process."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat

    async def sends(self, line: dict[str, str]) -> list[dict[str, Any]]:
        from bots.console import json_lines

        inbound = json_lines.read_line(json.dumps(line))
        assert inbound is not None
        return [json_lines.as_json(reply) for reply in await self.chat.companion.handle(inbound)]


@pytest.mark.parametrize(
    "holds",
    [
        set(),
        {"age_18_44", "place_groin_front", "run_builds", "dur_2_6w", "onset_gradual"},
        {"age_10_17", "place_thigh", "walk_limp"},
        {"age_60_plus", "place_low_back", "saddle_numb"},
        {"age_18_44", "place_knee", "place_lower_leg", "leg_swollen"},
    ],
    ids=lambda holds: " ".join(sorted(holds)) or "nothing",
)
async def test_a_script_comes_to_a_result_and_every_question_has_a_choice_that_adds_nothing(
    chat: Chat, holds: set[str]
) -> None:
    script = Script(chat)
    turn = await script.sends({"text": "/hip"})
    while turn[-1]["kind"] != "verdict":
        choices = turn[-1]["choices"]
        assert [c for c in choices if c["role"] == "none" and c["findings"] == []]
        fits = [c for c in choices if c["role"] == "answer" and holds & set(c["findings"])]
        left = [c for c in fits if not c["ticked"]]
        role = "done" if fits else "none"
        pressed = left[0] if left else next(c for c in choices if c["role"] == role)
        turn = await script.sends({"tap": pressed["tap"]})

    assert turn[-1]["urgency"] in {d.value for d in Disposition}


def test_the_tap_of_a_choice_presses_it() -> None:
    """A subprocess is one conversation, so the token that came out can be sent back in."""
    command = [sys.executable, "-m", "bots", "chat", "--json"]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as bot:
        assert bot.stdin
        assert bot.stdout

        def send(line: dict[str, str]) -> list[dict[str, Any]]:
            print(json.dumps(line), file=bot.stdin, flush=True)
            return list(iter(lambda: json.loads(bot.stdout.readline() if bot.stdout else ""), {"kind": "end_of_turn"}))

        first = send({"text": "/hip"})[-1]
        tick = next(c for c in first["choices"] if "breathless_chest_pain" in c["findings"])
        again = send({"tap": tick["tap"]})[-1]
        assert [c["ticked"] for c in again["choices"] if "breathless_chest_pain" in c["findings"]] == [True]
        done = next(c for c in again["choices"] if c["role"] == "done")
        assert send({"tap": done["tap"]})[-1]["urgency"] == "emergency"
        bot.stdin.close()
        assert bot.wait(timeout=10) == 0


def test_bytes_that_are_not_text_are_answered_and_spoil_their_line_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = b'\xff\xfe{"text"\n{"text": "\xff"}\n{"text": "/hip"}\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines), "utf-8"))

    assert chat_command.run(["--json"]) == 0

    answered = turns([json.loads(line) for line in capsys.readouterr().out.splitlines()])
    assert [turn[-1]["kind"] for turn in answered] == ["notice", "notice", "prompt"]


def test_nothing_in_is_nothing_out(talk: Talk) -> None:
    assert talk() == []


# ---------------------------------------------------------------- hipwise chat


async def lines_of(*lines: str) -> Any:
    for line in lines:
        yield line


async def types(chat: Chat, *lines: str) -> str:
    """Type lines at the terminal and return everything that it showed."""
    shown: list[str] = []
    chat.address = typed("x").address
    await console.talk(chat.companion, lines_of(*lines), shown.append, PLAIN)
    return "\n".join(shown)


async def test_the_terminal_opens_a_check_at_once_with_numbered_choices(chat: Chat) -> None:
    shown = await types(chat)

    first = PATHWAY.by_id["body"].choices[0].id
    assert f"   1 [ ] {words('questions', 'body', 'choices', first)}" in shown


async def test_a_number_presses_what_stands_beside_it(chat: Chat) -> None:
    shown = await types(chat, "2", "8")

    assert "   2 [x]" in shown
    assert words("dispositions", "emergency", "first", emergency="112, 999 or 911") in shown


async def test_a_number_below_a_menu_presses_the_menu_and_not_the_question_beneath(chat: Chat) -> None:
    shown = await types(chat, "/settings", "1", "5")

    fifth = [id for id in library().regions if id != "XX"][4]
    assert words("regions", fifth) in shown.splitlines()[-1]
    assert chat.sessions.kept[chat.address][1].region == fifth
    assert json.loads(kept(chat) or "{}")["ticked"] == []


async def test_a_number_below_the_list_of_pages_opens_that_page(chat: Chat) -> None:
    shown = await types(chat, "/faq", "1")

    assert words.list("care", library().shelf("faq")[0].id, "body")[0][:60] in shown.replace("\n", " ")


@pytest.mark.parametrize("leave", ["/quit", "/exit", "/QUIT", " /quit "])
async def test_quit_leaves_and_nothing_more_is_read(chat: Chat, leave: str) -> None:
    shown = await types(chat, leave, "/help")

    assert words("ui", "help").splitlines()[0] not in shown


async def test_empty_lines_are_passed_over(chat: Chat) -> None:
    assert await types(chat, "", "  ", "\n") == await types(Chat())


async def test_no_line_of_the_terminal_is_wider_than_it(chat: Chat) -> None:
    shown = await types(chat, "/care bursitis", "/help", "no", "no", "3", "1", "/settings")

    wide = [line for line in shown.splitlines() if len(line) > PLAIN.width and not line.startswith("  ")]
    assert wide == []


async def test_without_colour_there_is_no_colour(chat: Chat) -> None:
    assert "\x1b" not in await types(chat, "no", "/why", "chest pain")


async def test_colour_only_repeats_what_the_words_say(chat: Chat) -> None:
    shown: list[str] = []
    await console.talk(chat.companion, lines_of("2", "8"), shown.append, console.Style(colour=True, width=88))

    plain = await types(Chat(), "2", "8")
    coloured = "\n".join(shown)
    assert "\x1b[1;31m" in coloured
    for code in ("\x1b[1;31m", "\x1b[36m", "\x1b[2m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == plain


@pytest.mark.parametrize(
    ("line", "inbound"),
    [
        ("/hip", Command(typed("x").address, "hip")),
        (" /HIP \n", Command(typed("x").address, "hip")),
        ("/care  side of hip ", Command(typed("x").address, "care", "side of hip")),
        ("/", Command(typed("x").address, "")),
        ("hip", Text(typed("x").address, "hip")),
        ("a" * 20_000, Text(typed("x").address, "a" * LONGEST)),
    ],
    ids=["command", "loud command", "command with words", "slash", "text", "long text"],
)
def test_a_line_is_a_command_or_text(line: str, inbound: Command | Text) -> None:
    assert typed(line) == inbound


def test_piped_text_is_answered_as_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"chest pain\n\xff\n"), "utf-8"))

    assert chat_command.run([]) == 0

    assert "Call 112, 999 or 911 now" in capsys.readouterr().out


# ---------------------------------------------------------------- hipwise run


def test_without_a_token_and_without_a_terminal_run_says_so_and_is_wrong_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    assert run_command.run([]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert "no terminal" in err
    assert "README.md" in err


def test_a_process_without_a_terminal_ends_with_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bots", "run"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert "no terminal" in done.stderr


def test_run_at_a_terminal_opens_the_conversation_with_one_line_on_how_to_connect(tmp_path: Path) -> None:
    code, shown = at_a_terminal(tmp_path, b"/quit\n")

    assert code == 0
    before, question, _ = shown.partition(words("questions", "body", "ask"))
    assert question
    assert [line for line in before.splitlines() if "To connect" in line] == [run_command.CONNECT.splitlines()[-1]]
    assert "README.md" in before


def test_the_end_of_the_input_leaves_the_terminal(tmp_path: Path) -> None:
    code, shown = at_a_terminal(tmp_path, b"no\n", b"\x04")

    assert code == 0
    assert "Traceback" not in shown


# ---------------------------------------------------------------- hipwise content


def test_the_shipped_content_is_in_order_and_says_what_nobody_has_signed(capsys: pytest.CaptureFixture[str]) -> None:
    code = content_command.run([])

    out = capsys.readouterr().out
    assert code == 0, out
    assert "The content is in order" in out
    assert "Not signed off" in out


def test_the_hash_to_sign_is_printed_for_one_item(capsys: pytest.CaptureFixture[str]) -> None:
    assert content_command.run(["--hash", "rule:groin_limp"]) == 0

    assert len(capsys.readouterr().out.strip()) >= 8


@pytest.mark.parametrize("item", ["rule:no_such_rule", "groin_limp", "", "rule:"])
def test_the_hash_of_nothing_is_wrong_use(capsys: pytest.CaptureFixture[str], item: str) -> None:
    code = content_command.run(["--hash", item or "x"])

    assert code == 2
    assert "There is no" in capsys.readouterr().out


def test_a_folder_that_is_no_content_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert content_command.run(["--root", str(tmp_path)]) == 2

    assert "file not found" in capsys.readouterr().out


# ---------------------------------------------------------------- Settings


@pytest.mark.parametrize(
    ("environment", "settings"),
    [
        ({}, Settings()),
        ({"HIPWISE_REGION": "GB"}, Settings(region="GB")),
        ({"HIPWISE_REGION": " nz "}, Settings(region="NZ")),
        ({"HIPWISE_REGION": ""}, Settings()),
        ({"HIPWISE_LANGUAGE": "EN"}, Settings()),
    ],
)
def test_settings_come_from_the_environment(environment: dict[str, str], settings: Settings) -> None:
    read = read_settings(environment, regions=loader.load_regions(), languages=loader.languages())

    assert (read.region, read.language) == (settings.region, settings.language)


def test_all_that_is_wrong_with_the_settings_is_said_at_once() -> None:
    wrong = {"HIPWISE_REGION": "Atlantis", "HIPWISE_LANGUAGE": "tlh"}

    with pytest.raises(SettingsError) as refused:
        read_settings(wrong, regions=loader.load_regions(), languages=loader.languages())

    assert "HIPWISE_REGION=ATLANTIS" in str(refused.value)
    assert "HIPWISE_LANGUAGE=tlh" in str(refused.value)


@pytest.mark.parametrize(("region", "number"), [("GB", "999"), ("gb", "999"), ("US", "911"), ("", "112, 999 or 911")])
def test_the_region_of_the_environment_is_the_default(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, region: str, number: str
) -> None:
    monkeypatch.setenv("HIPWISE_REGION", region)

    verdict = turns(talk({"text": "/hip"}, {"text": "breathless"}, {"text": "done"}))[-1][-1]

    assert number in verdict["text"].splitlines()[0]
    assert (button("set_region") in [c["label"] for c in verdict["choices"]]) is (not region)


@pytest.mark.parametrize("argv", [["--json"], []])
def test_settings_that_cannot_be_used_end_in_2_and_say_which(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], argv: list[str]
) -> None:
    monkeypatch.setenv("HIPWISE_REGION", "Atlantis")

    assert chat_command.run(argv) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert "HIPWISE_REGION=ATLANTIS" in err
