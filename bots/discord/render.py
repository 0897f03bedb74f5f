"""The replies of one turn as one message of Discord: components within its limits, in pages where they are too long. No I/O.

What is drawn is the plain JSON of the API, which the library's objects would only be made into. Each reply stands in a
container of its own; what only Discord has stands below them. https://docs.discord.com/developers/components/reference
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bots.discord import custom_ids
from bots.discord.pages import SHOWN, Block, Component, length, paged
from core.clinical import Disposition
from core.dialogue import MENUS, Button, File, Notice, Prompt, Reply, Role, Verdict
from core.words import Words

ABREAST = 5
"""Buttons of a row."""
LABEL = 80
"""Characters of a button."""
OPTIONS = 25
"""Lines of a menu."""
OPTION = 100
"""Characters of a line of a menu."""
ONE_LINE = 38
"""Characters of a button at most, as Discord's guidelines for design have it: a phone cuts a longer one."""
SHORT = 20
"""Characters of a button that stands beside others. A longer one has a row of its own, where there is room for that."""
ROOMY = 28
"""Components that the buttons of a reply may be for each to have a row of its own: so there is room for what is said above."""
MOST_BUTTONS = 22
"""Buttons of a reply at most, for the same reason. Where there would be more, they are lines of a menu."""
A_FEW = 10
"""Answers, or ways out, that are buttons even then."""
TICKED = {True: "\u2611 ", False: "", None: ""}
QUIET = (Role.BACK, Role.OTHER)
ONWARD = (Role.DONE, Role.CONFIRM)
"""What takes the member on: drawn so that it is seen first."""
COLOURS = {
    Disposition.EMERGENCY: 0xD92D20,
    Disposition.SAME_DAY: 0xE8590C,
    Disposition.WITHIN_DAYS: 0xF2B100,
    Disposition.ROUTINE: 0x2E7CD6,
    Disposition.SELF_CARE: 0x2E9E5B,
}
"""The edge beside a result. The first line of the result says the same in words."""

ROW, BUTTON, MENU, FIELD, FILE, SEPARATOR, LABELLED = 1, 2, 3, 4, 13, 14, 18
"""Types of component."""
PRIMARY, SECONDARY = 1, 2
"""Styles of button."""
PARAGRAPH = 2
"""A field of several lines."""

Named = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Layout:
    """One page of what is said in a turn, as the API takes it."""

    components: list[Component]
    files: tuple[tuple[str, bytes], ...] = field(repr=False)
    """Name and content of each that a component shows."""
    pages: int
    """How many there are."""


def posted(reply: Reply, words: Words) -> Layout:
    """Return what is said where others read, and hangs on no turn: with its own buttons, and no way to type there."""
    (page,) = paged([_block(reply, words, custom_ids.naming())])
    return Layout(list(page.components), page.files, 1)


def layout(replies: Sequence[Reply], words: Words, page: int = 0, kept: str = "") -> Layout:
    """Return one page, counted from 0, of what is said in a turn; the last where there are not so many.

    `kept` is the id under which the replies are kept. The buttons that turn the pages carry it, so they work as long as the
    replies are kept, whatever was restarted since.
    """
    named = custom_ids.naming()
    pages = paged([_block(reply, words, named) for reply in replies])
    here = min(page, len(pages) - 1)
    below = _below(words, here, len(pages), kept)
    return Layout([*pages[here].components, *below], pages[here].files, len(pages))


def modal(words: Words) -> Component:
    """Return the form in which an answer is typed."""
    typed = {"type": FIELD, "custom_id": custom_ids.TYPED, "style": PARAGRAPH, "min_length": 1}
    labelled = {"type": LABELLED, "label": words("platform", "discord", "your_answer"), "component": typed}
    return {"custom_id": custom_ids.TYPE, "title": words("platform", "discord", "type"), "components": [labelled]}


# ---------------------------------------------------------------- What is said


def _block(reply: Reply, words: Words, named: Named) -> Block:
    lines = _lines(reply)
    text = "\n\n".join(part for part in (reply.text, "\n".join(lines)) if part)
    controls = tuple(_controls(_numbered(reply) if lines else reply.choices, words, named))
    match reply:
        case Verdict(urgency=urgency):
            return Block(text, 0, controls, COLOURS[urgency])
        case File(name=name, content=content):
            shown = {"type": FILE, "file": {"url": f"attachment://{name}"}}
            return Block(text, _heading(reply, text, words), (shown, *controls), files=((name, content.encode()),))
        case Prompt() | Notice():
            return Block(text, _heading(reply, text, words), controls)


def _heading(reply: Reply, text: str, words: Words) -> int | None:
    """Return which line of a text is its heading: where there is one line only, none is.

    A question of a check begins with how far the check is.
    """
    if isinstance(reply, Prompt) and words.find("questions", reply.question) is not None and "\n" in reply.text:
        return 1
    return 0 if "\n" in text else None


def _lines(reply: Reply) -> list[str]:
    """Return the answers as lines of the text, where they take ticks or are too long for a button.

    In a check they are numbered as they stand: the numbers can be typed, for the core counts the answers of a screen so.
    """
    answers = [(n, b) for n, b in enumerate(reply.choices, start=1) if b.role is Role.ANSWER]
    if not any(b.ticked is not None or len(b.label) > ONE_LINE for _, b in answers):
        return []
    counted = _is_counted(reply)
    return [f"{f'{n}.' if counted else '-'} {TICKED[b.ticked]}{b.label}" for n, b in answers]


def _numbered(reply: Reply) -> tuple[Button, ...]:
    """Return the buttons, in a check those of the answers with their number in front."""
    if not _is_counted(reply):
        return reply.choices
    numbered = enumerate(reply.choices, start=1)
    return tuple(Button(b.tap, f"{n}. {b.label}", b.role, ticked=b.ticked) if b.role is Role.ANSWER else b for n, b in numbered)


def _is_counted(reply: Reply) -> bool:
    return isinstance(reply, Prompt) and reply.question not in MENUS


# ---------------------------------------------------------------- What is pressed


def _controls(choices: Sequence[Button], words: Words, named: Named) -> Iterator[Component]:
    """Yield what stands below a text: what takes ticks, the answers, and below a line the ways out."""
    ticks = [b for b in choices if b.ticked is not None]
    answers = [b for b in choices if b.ticked is None and b.role not in QUIET]
    quiet = [b for b in choices if b.ticked is None and b.role in QUIET]
    many = len(answers) + len(quiet) > MOST_BUTTONS
    for some in _by(OPTIONS, ticks):
        yield _menu(some, words("platform", "discord", "tick"), named, several=True)
    yield from _pressed(answers, words, named, as_menu=many, roomy=2 * len(answers) + 2 * len(quiet) <= ROOMY)
    if quiet and len(quiet) < len(choices):
        yield {"type": SEPARATOR}
    yield from _pressed(quiet, words, named, as_menu=many, roomy=False)


def _pressed(buttons: Sequence[Button], words: Words, named: Named, *, as_menu: bool, roomy: bool) -> Iterator[Component]:
    if as_menu and len(buttons) > A_FEW:
        for some in _by(OPTIONS, buttons):
            yield _menu(some, words("platform", "discord", "choose"), named, several=False)
        return
    for row in _rows(buttons, roomy=roomy):
        yield {"type": ROW, "components": [_button(b, named) for b in row]}


def _rows(buttons: Sequence[Button], *, roomy: bool) -> Iterator[list[Button]]:
    """Yield rows of buttons; where there is room, a long label has one of its own."""
    row: list[Button] = []
    for button in buttons:
        alone = roomy and bool(row) and max(len(button.label), len(row[-1].label)) > SHORT
        if len(row) == ABREAST or alone:
            yield row
            row = []
        row.append(button)
    if row:
        yield row


def _button(button: Button, named: Named) -> Component:
    style = PRIMARY if button.role in ONWARD else SECONDARY
    return {"type": BUTTON, "style": style, "label": _cut(button.label, LABEL), "custom_id": named(button.tap)}


def _menu(buttons: Sequence[Button], placeholder: str, named: Named, *, several: bool) -> Component:
    """Return a menu of some buttons: of several, those ticked are chosen in it, and none need be."""
    options = [
        {"label": _cut(b.label, OPTION), "value": named(b.tap), **({"default": True} if b.ticked else {})} for b in buttons
    ]
    takes = {"min_values": 0, "max_values": len(options)} if several else {}
    menu = {
        "type": MENU,
        "custom_id": f"{custom_ids.MENU}{options[0]['value']}",
        "placeholder": placeholder,
        "options": options,
    }
    return {"type": ROW, "components": [menu | takes]}


def _below(words: Words, page: int, pages: int, kept: str) -> Iterator[Component]:
    """Yield what Discord needs besides what is said: which page this is, the way to the others, and to a typed answer."""
    if pages > 1:
        yield {"type": SHOWN, "content": f"-# {words('platform', 'discord', 'page', page=page + 1, pages=pages)}"}
    turns = [(n, key) for n, key in ((page - 1, "previous"), (page + 1, "next")) if 0 <= n < pages]
    ways = [(custom_ids.page(n, kept), key) for n, key in turns] + [(custom_ids.TYPE, "type")]
    yield {"type": ROW, "components": [_own(custom_id, words("platform", "discord", key)) for custom_id, key in ways]}


def _own(custom_id: str, label: str) -> Component:
    return {"type": BUTTON, "style": SECONDARY, "label": label, "custom_id": custom_id}


def _cut(label: str, most: int) -> str:
    """Return a label that fits; all of it is read in the text."""
    if length(label) <= most:
        return label
    return f"{label.encode('utf-16-le')[: 2 * (most - 1)].decode('utf-16-le', 'ignore')}\u2026"


def _by(most: int, buttons: Sequence[Button]) -> Iterator[Sequence[Button]]:
    return (buttons[start : start + most] for start in range(0, len(buttons), most))
