"""Replies as Discord shows them: whole, within its limits, word for word, and to be read and heard."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bots.discord import custom_ids
from bots.discord.markdown import escaped
from bots.discord.render import COLOURS, Layout, layout, modal
from chat import library
from core.clinical import Disposition
from core.dialogue import Button, File, Notice, Prompt, Reply, Role, Verdict
from discord_api.components import check_message, check_modal, walk
from discord_api.form import Form
from discord_view import View, shown, view

words = library().words


def button(label: str, role: Role = Role.ANSWER, *, ticked: bool | None = None, tap: str = "") -> Button:
    return Button(tap or f"token.{label[:9]}", label, role, ticked=ticked)


def pages(*replies: Reply, kept: str = "d1") -> list[Layout]:
    """Return every page of some replies, each as Discord takes it."""
    first = layout(replies, words, 0, kept)
    found = [layout(replies, words, page, kept) for page in range(first.pages)]
    for one in found:
        form = Form()
        check_message(form, ("components",), json.loads(json.dumps(one.components)), v2=True)
        form.settle()
    return found


def seen(*replies: Reply) -> View:
    (page,) = pages(*replies)
    return view(page.components)


def rows(*replies: Reply) -> list[list[str]]:
    """Return the buttons of one page, row by row, without those that belong to Discord alone."""
    (page,) = pages(*replies)
    found = ([one["label"] for one in row["components"] if "label" in one] for row in _of(page, 1))
    return [labels for labels in found if labels and labels[-1] != words("platform", "discord", "type")]


def _of(page: Layout, kind: int) -> Iterator[dict[str, Any]]:
    return (one for one in walk(page.components) if one["type"] == kind)


def said(text: str) -> str:
    """Return a text as far as its words go: where it is cut, spaces are not kept."""
    return "".join(text.split())


# ---------------------------------------------------------------- Text


MARKED = st.text(alphabet="#>-+*1. \n\\_~`|<[]()@:/aht!&\u00e9\U0001f9b4", max_size=60)
MARKS = (
    *("# ", "## ", "-# ", "> ", ">>> ", "- ", "* ", "1. ", "12. ", "  ", "\n", "\n\n", "**b**", "__u__", "~~s~~", "||x||"),
    *("`c`", "```", "<@1>", "<#1>", "<t:1:R>", "<:a:1>", "</hip:1>", "[a](b)", "https://a.b/c_d", "@everyone", "@here"),
    *(":bone:", "\\", "word", "a:b", "1.5", "10 - 12", "+1"),
)
PIECES = st.lists(st.sampled_from(MARKS), max_size=12).map("".join)


@example("- # a").via("a list of headings")
@example("- > a").via("a list of quotes")
@example("- - a").via("a list in a list")
@example("- 1. a").via("the same")
@given(MARKED | PIECES | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_text_is_shown_as_it_is(text: str) -> None:
    assert shown(escaped(text)) == text


@pytest.mark.parametrize(
    "text",
    ["**loud**", "# big", "-# small", "> quoted", "1. one", "a\n- b\nc", "<@7>", "@here", ":bone:", "[a](b)", "x https://a.b"],
)
def test_a_text_that_is_not_escaped_is_found_out(text: str) -> None:
    with pytest.raises(AssertionError):
        assert shown(text) == text


def test_lines_with_a_dash_are_a_list() -> None:
    assert escaped("Do:\n- Rest\n- Walk 1_2\n\nLater") == "Do:\n- Rest\n- Walk 1\\_2\n\nLater"


def test_lines_with_a_dash_right_before_others_are_none() -> None:
    assert escaped("- Rest\nLater") == "\\- Rest\nLater"


# ---------------------------------------------------------------- What is first, and how urgent it is


@pytest.mark.parametrize("urgency", Disposition)
def test_of_a_result_the_first_line_is_the_heading_and_says_how_urgent_it_is_beside_the_colour(urgency: Disposition) -> None:
    first = words("dispositions", urgency.value, "first", emergency="999", urgent="111")
    (page,) = pages(Verdict(f"{first}\nWhy", urgency, (), ()))

    assert view(page.components).headings == (first,)
    assert view(page.components).text == f"{first}\nWhy"
    assert page.components[0]["accent_color"] == COLOURS[urgency]


def test_every_urgency_has_a_colour_of_its_own() -> None:
    assert len(set(COLOURS.values())) == len(Disposition)


def test_a_question_is_a_heading_below_how_far_the_check_is() -> None:
    assert seen(Prompt("2 of 9\nWhere?\nTick any.", "place", ())).headings == ("Where?",)
    assert seen(Prompt("Your answers\n1. Age: 34", "review", ())).headings == ("Your answers",)
    assert seen(Notice("Bursitis\n\nRest.")).headings == ("Bursitis",)
    assert seen(Notice("Done.")).headings == ()


def test_what_leads_to_a_question_stands_above_it() -> None:
    assert seen(Notice("Hello.", fleeting=True), Prompt("1 of 9\nWhere?", "q", ())).text == "Hello.\n\n1 of 9\nWhere?"


# ---------------------------------------------------------------- What is pressed


def test_long_answers_stand_below_each_other_and_short_ones_beside() -> None:
    long = tuple(button(f"A button that says a lot {n}") for n in range(3))

    assert rows(Prompt("?", "q", tuple(button(str(n)) for n in range(7)))) == [["0", "1", "2", "3", "4"], ["5", "6"]]
    assert rows(Prompt("?", "q", long)) == [[one.label] for one in long]


def test_many_long_answers_stand_beside_each_other() -> None:
    long = tuple(button(f"A button that says a lot {n}") for n in range(15))

    assert [len(row) for row in rows(Prompt("?", "q", (*long, button("Back", Role.BACK))))] == [5, 5, 5, 1]


def test_the_ways_out_stand_below_a_line() -> None:
    (page,) = pages(Prompt("?", "q", (button("Yes"), button("Back", Role.BACK), button("Why?", Role.OTHER))))

    assert [one["type"] for one in page.components[0]["components"]] == [10, 1, 14, 1]
    assert rows(Prompt("?", "q", (button("Back", Role.BACK),))) == [["Back"]]


def test_what_takes_the_member_on_is_drawn_so() -> None:
    roles = (Role.ANSWER, Role.NONE, Role.NOT_SURE, Role.DONE, Role.BACK)
    (page,) = pages(Prompt("?", "q", tuple(button(role.value, role) for role in roles)))

    assert {one["label"] for one in _of(page, 2) if one["style"] == 1} == {"done"}


def test_an_answer_too_long_for_a_phone_is_read_in_the_text_by_number() -> None:
    long = "Leg weak, numb, tingly, swollen, cold, off-colour, dragging, and pain down both legs"
    prompt = Prompt("1 of 9\nAny of these?", "q", (button("Fever"), button(long), button("None", Role.NONE)))

    assert seen(prompt).text == f"1 of 9\nAny of these?\n\n1. Fever\n2. {long}"
    assert rows(prompt) == [["1. Fever"], [f"2. {long}"[:79] + "\u2026"], ["None"]]


def test_a_list_whose_numbers_mean_nothing_has_none() -> None:
    """A number that is typed answers the check, so the care library shows no numbers."""
    choices = (button("Pain on the outside of the hip at night"), button("Rest"))

    assert seen(Prompt("Pages:", "care", choices)).text == "Pages:\n\n- Pain on the outside of the hip at night\n- Rest"
    assert rows(Notice("See also:", choices)) == [["Pain on the outside of the hip at night"], ["Rest"]]


def test_an_answer_can_be_typed_on_every_message() -> None:
    for reply in (Notice("Hello."), Prompt("?", "q", ()), Verdict("Now.", Disposition.EMERGENCY, (), ())):
        (page,) = pages(reply)
        assert [one["custom_id"] for one in _of(page, 2)] == [custom_ids.TYPE]


def test_the_form_for_it_is_one_that_discord_takes() -> None:
    form = Form()
    check_modal(form, (), modal(words))
    form.settle()

    assert modal(words)["custom_id"] == custom_ids.TYPE


# ---------------------------------------------------------------- What is ticked

NIGHT, REST = button("Night", ticked=True, tap="n-"), button("Rest", ticked=False, tap="r+")
TICKS = Prompt("1 of 9\nWhen?\nTick any.", "when", (NIGHT, REST, button("Done", Role.DONE)))


def test_a_tick_is_seen_and_heard() -> None:
    assert seen(TICKS).text == "1 of 9\nWhen?\nTick any.\n\n1. \u2611 Night\n2. Rest"
    assert (seen(TICKS).ticked, seen(TICKS).open) == (("1. Night",), ("2. Rest",))
    assert rows(TICKS) == [["Done"]]


@pytest.mark.parametrize(
    ("chosen", "tapped"),
    [((0,), ()), ((0, 1), ("r+",)), ((), ("n-",)), ((1,), ("n-", "r+"))],
)
def test_a_menu_that_is_left_taps_what_was_changed(chosen: tuple[int, ...], tapped: tuple[str, ...]) -> None:
    (page,) = pages(TICKS)
    (menu,) = _of(page, 3)
    values = [menu["options"][n]["value"] for n in chosen]

    assert (menu["min_values"], menu["max_values"]) == (0, 2)
    assert custom_ids.taps(values, menu["custom_id"], page.components) == tapped


def test_a_menu_takes_no_more_than_25_lines() -> None:
    many = tuple(button(f"Line {n}", ticked=n % 2 == 0, tap=f"t{n}") for n in range(60))
    (page,) = pages(Prompt("1 of 9\nWhen?", "when", many))

    assert [len(menu["options"]) for menu in _of(page, 3)] == [25, 25, 10]
    assert [custom_ids.taps([], m["custom_id"], page.components)[:2] for m in _of(page, 3)] == [
        ("t0", "t2"),
        ("t26", "t28"),
        ("t50", "t52"),
    ]


def test_more_buttons_than_there_is_room_for_are_lines_of_a_menu() -> None:
    shelf = tuple(button(f"Page {n}", tap=f"p{n}") for n in range(24))
    prompt = Prompt("Pages:", "care", (*shelf, button("Back", Role.BACK)))
    (page,) = pages(prompt)
    (menu,) = _of(page, 3)

    assert rows(prompt) == [["Back"]]
    assert custom_ids.taps([menu["options"][7]["value"]], menu["custom_id"], page.components) == ("p7",)
    assert "min_values" not in menu


FORGED: list[Any] = [None, 7, "x", [], {}, [7], [{"components": 7}], [{"custom_id": "menu:a", "options": 7}]]


@pytest.mark.parametrize(
    "components",
    [*FORGED, [{"components": [{"custom_id": "menu:a", "options": [None, {"value": 7}, {"value": "hip", "default": 1}]}]}]],
)
def test_a_menu_of_another_make_taps_nothing(components: Any) -> None:
    assert custom_ids.taps(["hip:x", "hip"], "menu:a", components) == ()


def test_two_buttons_that_carry_the_same_are_named_differently_and_mean_the_same() -> None:
    (page,) = pages(Notice("a", (button("See", tap="t"), button("Look", tap="t"))), Prompt("b", "q", (button("Go", tap="t"),)))
    names = [one["custom_id"] for one in _of(page, 2)][:3]

    assert len(set(names)) == 3
    assert {custom_ids.token_of(name) for name in names} == {"t"}


@given(st.text())
def test_what_a_button_carries_is_read_back_and_nothing_else_is(text: str) -> None:
    assert custom_ids.token_of(custom_ids.naming()(text)) == text
    assert custom_ids.token_of(f"other:{text}") is None
    assert custom_ids.page_of(custom_ids.page(3, text)) == (3, text[: custom_ids.LONGEST_KEPT])
    assert custom_ids.page_of(text) is None


# ---------------------------------------------------------------- Pages


def test_a_long_result_is_turned_over_with_its_buttons_on_every_page() -> None:
    text = "\n\n".join(f"{n} {'word ' * 100}".strip() for n in range(20))
    found = pages(Verdict(text, Disposition.ROUTINE, (), (button("Why?", Role.OTHER),)), kept="d7")

    assert len(found) == 3
    assert "\n\n".join(view(one.components[:1]).text for one in found) == text
    assert [view(one.components).text.splitlines()[-1] for one in found] == [f"Page {n} of 3" for n in (1, 2, 3)]
    assert [one.components[0]["accent_color"] for one in found] == [COLOURS[Disposition.ROUTINE]] * 3
    assert [view(one.components).buttons for one in found] == [
        ("Why?", "Next page", "Type an answer"),
        ("Why?", "Page before", "Next page", "Type an answer"),
        ("Why?", "Page before", "Type an answer"),
    ]
    turns = [custom_ids.page_of(b["custom_id"]) for b in _of(found[1], 2)]
    assert turns == [None, (0, "d7"), (2, "d7"), None]


def test_a_page_that_is_no_longer_there_is_the_last_one() -> None:
    assert layout([Notice("Hello.")], words, 7).components == layout([Notice("Hello.")], words).components


def test_a_text_begins_below_what_is_said_before_it() -> None:
    first, _ = pages(Notice("Not kept.", fleeting=True), Verdict("Call 999.\n" + "word " * 900, Disposition.EMERGENCY, (), ()))

    assert view(first.components).headings == ("Call 999.",)


def test_buttons_for_which_there_is_no_room_are_on_a_page_of_their_own() -> None:
    many = tuple(button(f"Button {n}", tap=f"t{n}") for n in range(20))
    found = pages(Notice("First", many), Notice("Then", many), Notice("Last", many))

    assert [view(one.components).text.splitlines()[0] for one in found] == ["First", "Then", "Last"]


def test_a_file_is_shown_beside_what_is_said_of_it() -> None:
    (page,) = pages(File("Here it is.", "hipwise.json", "{}"))

    assert page.files == (("hipwise.json", b"{}"),)
    assert [one["file"]["url"] for one in _of(page, 13)] == ["attachment://hipwise.json"]


LABELS = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zs"]), min_size=1, max_size=90)
BUTTONS = st.lists(
    st.builds(
        Button,
        st.from_regex(r"[a-z0-9._+-]{1,64}", fullmatch=True),
        LABELS,
        st.sampled_from(Role),
        ticked=st.sampled_from([None, None, True, False]),
    ),
    max_size=30,
).map(tuple)
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), max_size=9000) | MARKED.map(
    lambda text: text * 150
)
REPLIES = st.lists(
    st.builds(Notice, TEXTS, BUTTONS, st.booleans())
    | st.builds(Prompt, TEXTS, st.sampled_from(["care", "review", "body"]), BUTTONS)
    | st.builds(Verdict, TEXTS, st.sampled_from(Disposition), st.just(()), BUTTONS),
    max_size=4,
)


@settings(deadline=None)
@given(REPLIES)
def test_whatever_is_said_fits_and_no_word_of_it_is_lost(replies: Sequence[Reply]) -> None:
    found = pages(*replies)
    containers = [view([one]).text for page in found for one in page.components if one["type"] == 17]
    carried = {custom_ids.token_of(b["custom_id"]) for page in found for b in _of(page, 2)}
    carried |= {custom_ids.token_of(o["value"]) for page in found for menu in _of(page, 3) for o in menu["options"]}

    for reply in replies:
        assert said(reply.text)[:40] in said("".join(containers))
        assert {b.tap for b in reply.choices} <= carried
    if not any(reply.choices for reply in replies):
        assert said("".join(containers)) == said("".join(reply.text for reply in replies))


@pytest.mark.parametrize(
    "text", ["x" * 5000, "\U0001f9b4" * 5000, "*" * 9000, "\n" * 3 + "y" * 9000, "1. " * 4000, "\n" * 9000]
)
def test_a_text_without_a_place_to_cut_is_cut_anyway(text: str) -> None:
    found = pages(Notice(text))

    assert said("".join(view(page.components[:-2] if len(found) > 1 else page.components).text for page in found)) == said(text)
