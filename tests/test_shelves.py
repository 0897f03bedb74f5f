"""The care library, help and settings: open at any time, and never in the way of a check."""

import pytest

from chat import Chat, library
from core.care import CarePage
from core.dialogue import Notice, Prompt, Role, Verdict
from core.dialogue.shelves import PER_SCREEN, SHELVES
from core.members import Preferences, Units
from test_dialogue import STATES, answered, button

words = library().words
OPTIONS = 25
"""What one Discord menu holds."""


def title(page: str) -> str:
    return words("care", page, "title")


def labels(chat: Chat) -> list[str]:
    return [b.label for r in chat.last for b in r.choices]


# ---------------------------------------------------------------- Commands


@pytest.mark.parametrize("command", ["/start", "/help"])
async def test_help_names_every_command(chat: Chat, command: str) -> None:
    await chat.says(command)

    named = ("/hip", "/care", "/warning", "/prevent", "/physio", "/faq", "/why", "/stop", "/settings")
    ours = ("/privacy", "/mydata", "/forget", "/about")
    assert [c for c in (*named, *ours) if c not in chat.notice.text] == []


@pytest.mark.parametrize(
    ("command", "shelf"), [("/warning", "warning"), ("/prevent", "prevention"), ("/physio", "physio"), ("/faq", "faq")]
)
async def test_a_shelf_has_its_own_command(chat: Chat, command: str, shelf: str) -> None:
    await chat.says(command)

    assert chat.prompt.text == words("ui", "shelves", shelf)
    assert title(library().shelf(shelf)[0].id) in labels(chat)


async def test_care_offers_every_shelf(chat: Chat) -> None:
    await chat.says("/care")

    assert labels(chat) == [words("ui", "shelves", name) for name in SHELVES]


@pytest.mark.parametrize("command", ["/care", "/warning", "/prevent", "/physio", "/faq", "/help", "/settings"])
@pytest.mark.parametrize("state", STATES)
async def test_the_library_opens_in_every_state_and_keeps_every_answer(chat: Chat, state: str, command: str) -> None:
    await STATES[state](chat)
    before, choices = answered(chat), chat.last[-1].choices

    await chat.says(command)
    assert not any(isinstance(r, Verdict) for r in chat.last)
    await chat.says("/hip")

    assert answered(chat) == before
    assert chat.prompt.question == "resume"
    await chat.taps_role(Role.CONFIRM)
    assert [b.label for b in chat.last[-1].choices if b.ticked] == [b.label for b in choices if b.ticked]


# ---------------------------------------------------------------- Shelves and pages


@pytest.mark.parametrize("shelf", SHELVES)
async def test_every_page_of_a_shelf_is_reached_by_tapping(chat: Chat, shelf: str) -> None:
    await chat.says("/care")
    await chat.taps(words("ui", "shelves", shelf))
    reached = []
    while True:
        assert len(labels(chat)) <= OPTIONS
        reached += labels(chat)
        if button("more") not in labels(chat):
            break
        await chat.taps(button("more"))

    assert [p.id for p in library().shelf(shelf) if title(p.id) not in reached] == []


async def test_a_shelf_shows_a_screenful_at_a_time(chat: Chat) -> None:
    longest = max(SHELVES, key=lambda name: len(library().shelf(name)))
    await chat.says("/care")

    await chat.taps(words("ui", "shelves", longest))

    pages = [b for b in chat.prompt.choices if b.role is Role.ANSWER]
    assert len(pages) == min(PER_SCREEN, len(library().shelf(longest)))


@pytest.mark.parametrize("page", library().pages, ids=lambda page: page.id)
async def test_a_page_has_its_body_its_sources_on_tap_and_a_way_on(chat: Chat, page: CarePage) -> None:
    await chat.says("/care")
    await chat.taps(words("ui", "shelves", page.shelf))
    while title(page.id) not in labels(chat):
        await chat.taps(button("more"))

    await chat.taps(title(page.id))

    assert chat.notice.text.startswith(title(page.id))
    assert len(chat.notice.text) <= 3_500
    assert "{" not in chat.notice.text
    assert labels(chat)[: len(page.see_also)] == [title(id) for id in page.see_also]
    await chat.taps(button("basis"))
    for source in page.sources:
        kind, _, name = source.partition(".")
        assert (words("judgements", name) if kind == "judgement" else library().sources[source].title) in chat.notice.text


async def test_from_a_page_all_shelves_are_one_tap_away(chat: Chat) -> None:
    await chat.says("/care bursitis")
    if isinstance(chat.last[0], Prompt):
        await chat.taps_role(Role.ANSWER)

    await chat.taps(button("all_shelves"))

    assert chat.prompt.text == words("ui", "care")


# ---------------------------------------------------------------- Search


@pytest.mark.parametrize(
    ("said", "page"),
    [
        ("bursitis", "gtps"),
        ("Bursitis?", "gtps"),
        ("bursitus", "gtps"),
        ("trochanteric bursitis", "gtps"),
        ("labral tear", "labral_tear"),
        ("stress fracture", "femoral_stress_fracture"),
        ("sciatica", "lumbar_radiculopathy"),
        ("impingement", "fai_syndrome"),
        ("hernia", "inguinal_hernia"),
        ("artritis", "hip_osteoarthritis"),
    ],
)
@pytest.mark.parametrize("how", ["/care {}", "{}"])
async def test_a_word_finds_its_page_also_with_a_slip_of_the_finger(chat: Chat, how: str, said: str, page: str) -> None:
    await chat.says(how.format(said))

    assert title(page) in [chat.text.splitlines()[0], *labels(chat)]


async def test_a_title_typed_in_full_opens_its_page(chat: Chat) -> None:
    await chat.says("/care " + title("inguinal_hernia").upper())

    assert chat.text.splitlines()[0] == title("inguinal_hernia")


@pytest.mark.parametrize("said", ["qqqqq", "zzz xxx", "\u05db\u05d0\u05d1", "\U0001f915", "1234567", "a"])
async def test_a_search_that_finds_nothing_says_so_and_shows_the_shelves(chat: Chat, said: str) -> None:
    await chat.says(f"/care {said}")

    assert chat.prompt.text == words("ui", "nothing_found")
    assert labels(chat) == [words("ui", "shelves", name) for name in SHELVES]


async def test_a_search_is_not_an_answer_to_the_open_question(chat: Chat) -> None:
    await STATES["question"](chat)
    before = answered(chat)

    await chat.says("/care groin")

    assert answered(chat) == before


async def test_a_number_typed_below_a_page_is_not_taken_for_an_answer_to_the_question_beneath(chat: Chat) -> None:
    await STATES["first question"](chat)
    await chat.says("/care")

    await chat.says("1")

    assert answered(chat) == {}
    assert not any(b.ticked for r in chat.last for b in r.choices)


async def test_a_shelf_can_be_named_by_its_words(chat: Chat) -> None:
    await chat.says(words("ui", "shelves", "warning"))

    assert chat.prompt.text == words("ui", "shelves", "warning")


# ---------------------------------------------------------------- Settings


async def test_settings_say_what_is_set(chat: Chat) -> None:
    chat.sessions.default = Preferences(region="IE", units=Units.MILES)

    await chat.says("/settings")

    assert words("regions", "IE") in chat.prompt.text
    assert "112 or 999" in chat.prompt.text
    assert "miles" in chat.prompt.text


async def test_units_change_with_one_tap_and_back_again(chat: Chat) -> None:
    await chat.says("/settings")
    await chat.taps(button("miles"))
    assert chat.sessions.kept[chat.address][1].units is Units.MILES

    await chat.says("/settings")
    await chat.taps(button("km"))

    assert chat.sessions.kept[chat.address][1].units is Units.KM


@pytest.mark.parametrize("units", Units)
async def test_a_page_is_in_the_members_units_and_numbers(units: Units) -> None:
    chat = Chat()
    chat.sessions.default = Preferences(region="NZ", units=units)
    bodies = {p.id: "\n".join(words.list("care", p.id, "body")) for p in library().pages}
    far = [id for id, body in bodies.items() if "{km" in body]
    near = [id for id, body in bodies.items() if "{emergency}" in body]

    assert near
    for page in (*far, *near):
        await chat.says(f"/care {title(page)}")
        if title(page) != chat.text.splitlines()[0]:
            await chat.taps(title(page))
        assert isinstance(chat.last[0], Notice)
        assert page not in far or (" miles" in chat.notice.text) is (units is Units.MILES)
        assert page not in near or "111" in chat.notice.text


async def test_what_is_set_outlives_the_check(chat: Chat) -> None:
    await chat.says("/settings")
    await chat.taps(button("miles"))

    await chat.says("/hip")
    await chat.says("/stop")
    chat.clock.moves(days=100)
    await chat.says("/settings")

    assert chat.sessions.kept[chat.address] == (None, Preferences(units=Units.MILES))
    assert button("km") in labels(chat)
