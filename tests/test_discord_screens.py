"""Every screen of the content on Discord: within its limits on every page, word for word, and understood when it is heard."""

import json
from collections.abc import Sequence
from functools import cache
from itertools import chain

import pytest

from bots.discord.render import layout
from chat import Chat, library
from content.checks.material import read_material
from content.checks.screens import drawings
from content.loader import HERE
from core.clinical import Disposition, Findings
from core.dialogue import Notice, Prompt, Reply, Tap, Verdict
from core.dialogue.token import read
from discord_api.components import MENUS, Kind, check_message, walk
from discord_api.form import Form
from discord_api.refusal import Json
from discord_view import differences, view
from journey import MILD, OTHERS, PATIENTS

words = library().words
NOT_KEPT = Notice(words("ui", "not_kept"), fleeting=True)
"""The longest of what may stand above any screen, with what stands below it."""
BEHIND = ("why", "reasons", "patterns", "advice", "changes", "clinician", "review")


@cache
def screens() -> tuple[tuple[str, Reply], ...]:
    """Return every question in each of its views, care page, menu, and an empty result."""
    return tuple((f"{file}: {key}", draw()) for file, key, draw in drawings(read_material(HERE, "en")))


@cache
def people() -> tuple[Findings, ...]:
    """Return whom a check is played for: patients, those with much to tell, and those with little."""
    codes = library().pathway.codes
    alone = {code: library().triage.urgency(frozenset({code})) for code in codes}
    mild = (frozenset(code for code in codes if alone[code] <= most) for most in Disposition)
    return (*(frozenset(each.split()) for each in (*PATIENTS.values(), *OTHERS)), MILD, frozenset(), codes, *mild)


def pages(*replies: Reply) -> list[list[Json]]:
    """Return the components of every page, each as Discord takes it."""
    first = layout(replies, words, 0, "0" * 32)
    found = [json.loads(json.dumps(layout(replies, words, page, "0" * 32).components)) for page in range(first.pages)]
    for components in found:
        form = Form()
        check_message(form, ("components",), components, v2=True)
        form.settle()
    return found


def containers(page: Sequence[Json]) -> list[Json]:
    return [one for one in page if one["type"] == Kind.CONTAINER]


def heard(page: Sequence[Json]) -> None:
    """Fail for what means nothing to someone who hears it: a control without words, or two that say the same."""
    controls = [one for one in walk(page) if one["type"] in (Kind.BUTTON, *MENUS)]
    said = [one.get("label") or one["placeholder"] for one in controls]
    assert all(any(character.isalpha() for character in each) or each.isdecimal() for each in said)
    assert len(set(said)) == len(said)
    assert view(page).headings or len(view(page).text.splitlines()) < 4  # what is longer than a few lines has a heading


@pytest.mark.parametrize(("name", "reply"), screens(), ids=[name for name, _ in screens()])
def test_every_screen_is_one_message_and_says_every_word(name: str, reply: Reply) -> None:
    (page,) = pages(reply)

    assert differences(reply, *containers(page)) == []
    heard(page)
    if isinstance(reply, Prompt):  # what is asked is never on another page than what is said of the press
        (below,) = pages(NOT_KEPT, reply)
        assert differences(reply, containers(below)[1]) == []


async def every_result(findings: Findings) -> list[tuple[Reply, ...]]:
    """Return the turn that ends someone's check, and each behind it."""
    chat = Chat()
    await chat.says("/hip")
    await chat.answers(findings)
    turns = [chat.last]
    for act in BEHIND:
        buttons = (button for reply in chain(*turns) for button in reply.choices)
        token = next((b.tap for b in buttons if (t := read(b.tap)) is not None and t.act == act), None)
        if token is not None:
            turns.append(await chat.sends(Tap(chat.address, token)))
    return turns


@pytest.mark.parametrize("findings", people(), ids=lambda findings: f"{len(findings)}-{min(findings, default='none')}")
async def test_every_result_and_all_behind_it_is_turned_over_without_a_word_lost(findings: Findings) -> None:
    for turn in await every_result(findings):
        found = pages(*turn)
        said = "".join("".join(reply.text.split()) for reply in turn)
        shown = "".join("".join(view([one]).text.split()) for page in found for one in containers(page))

        assert shown == said if len(found) > 1 else shown.startswith(said)
        for page in found:
            assert {b.label for b in turn[-1].choices} <= {*view(page).buttons, *view(page).open}


async def test_of_a_result_the_first_page_says_how_soon_and_has_its_buttons() -> None:
    for findings in people():
        (turn, *_) = await every_result(findings)
        verdict = next(reply for reply in turn if isinstance(reply, Verdict))
        first = view(pages(*turn)[0])

        assert verdict.text.splitlines()[0] in first.headings
        assert {b.label for b in verdict.choices} <= set(first.buttons)
