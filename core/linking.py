"""What members say and hear when they join two of their chats, or part them: /link, /unlink and the buttons below."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from core.dialogue import Command, Inbound, Notice, Reply, Role, Tap, typed
from core.dialogue.screens import short_version
from core.dialogue.token import MENU, Token, read
from core.dialogue.turn import Button
from core.library import Library
from core.limits import Tries
from core.link import (
    Asked,
    Cancel,
    Cancelled,
    Confirm,
    Declined,
    Join,
    Joined,
    Look,
    Offer,
    Offered,
    Outcome,
    Part,
    Parted,
    Place,
    Places,
    Refusal,
    Step,
    Unanswered,
    Waiting,
)
from core.members import Address
from core.ownership import Ownership, Said, is_over, minute_of
from core.ports import Now

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Of a code: no letter that looks or sounds like a figure or another one (Crockford's base 32)."""
LIKE = str.maketrans("OILU", "011V")
"""What is read as what it looks like."""
LENGTH, GROUP = 9, 3
"""Characters of a code, of five random bits each, and of one group of them."""
HOLDS = timedelta(minutes=10)
"""How long a code can be typed, and then how long it can be confirmed."""
PLATFORMS = ("telegram", "discord", "console")

RandomBits = Callable[[int], int]
"""A number of so many random bits."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is said here, and to whom else."""

    replies: tuple[Reply, ...]
    elsewhere: tuple[tuple[Address, Reply], ...] = ()


@dataclass(frozen=True, slots=True)
class Linked:
    """A step to be taken, and what is said once it is."""

    step: Step
    tell: Callable[[Outcome], Told]


class Linking:
    """Answers /link and /unlink."""

    def __init__(self, library: Library, ownership: Ownership, now: Now, random_bits: RandomBits) -> None:
        self._library, self._words, self._ownership = library, library.words, ownership
        self._now, self._random_bits = now, random_bits
        self._tries = Tries()

    def answer(self, inbound: Inbound) -> Said | Linked | None:
        """Return what to say or to do, or None for what is not about this. Words of danger go to the conversation."""
        match inbound:
            case Command(name="link", rest=rest, address=address) if not typed.danger_in(self._words, rest):
                return self._join(rest, address) if rest.strip() else self._offer(address)
            case Command(name="unlink", rest=rest, address=address) if not typed.danger_in(self._words, rest):
                return Linked(Look(), lambda outcome: self._told(outcome, address))
            case Tap(token=token, address=address) if (pressed := read(token)) and pressed.thread == MENU:
                return self._pressed(pressed, address)
            case _:
                return None

    # ---------------------------------------------------------------- What is asked for

    def _offer(self, address: Address) -> Linked:
        code = new_code(self._random_bits)
        return Linked(Offer(code, self._now() + HOLDS), lambda outcome: self._told(outcome, address, code))

    def _join(self, typed_code: str, address: Address) -> Said | Linked:
        code = code_in(typed_code)
        if code is None:
            return Said((Notice(self._words("link", "no_code")),))
        if not self._tries.takes(address, self._now()):
            return Said((Notice(self._words("link", "too_many")),))
        return Linked(Join(code, self._now() + HOLDS), lambda outcome: self._told(outcome, address))

    def _pressed(self, token: Token, address: Address) -> Said | Linked | None:
        match token.act:
            case "linkyes" | "linkno":
                step: Step = Confirm(token.arg, token.act == "linkyes", self._ownership.agreed_by_both)
            case "linkend":
                step = Cancel()
            case "unlink" if token.arg and not is_over(token, self._now()):
                step = Part(token.arg)
            case "unlink":
                step = Look()
            case "unlinkno":
                return Said((Notice(self._words("link", "still")),))
            case _:
                return None
        return Linked(step, lambda outcome: self._told(outcome, address))

    # ---------------------------------------------------------------- What is said

    def _told(self, outcome: Outcome, here: Address, code: str = "") -> Told:
        match outcome:
            case Offered(linked=linked):
                return Told((self._offered(code, linked),))
            case Asked(maker=maker, link=link):
                return Told((self._asked(maker),), ((maker, self._question(here, link)),))
            case Waiting(maker=maker):
                return Told((self._asked(maker),))
            case Unanswered(joiner=joiner, link=link):
                return Told((self._question(joiner, link),))
            case Joined(joiner=joiner):
                return Told(self._joined(outcome, joiner), tuple((joiner, reply) for reply in self._joined(outcome, here)))
            case Declined(joiner=joiner):
                return Told((Notice(self._words("link", "no")),), ((joiner, Notice(self._words("link", "declined"))),))
            case Cancelled():
                return Told((Notice(self._words("link", "cancelled")),))
            case Places(places=places):
                return Told((self._places(places),))
            case Parted(address=address, left=left):
                return self._parted(address, left, here)
            case Refusal():
                return Told((self._refused(outcome),))

    def _offered(self, code: str, linked: tuple[Address, ...]) -> Notice:
        shown = "-".join(code[at : at + GROUP] for at in range(0, LENGTH, GROUP))
        lines = [self._words("link", "code", code=shown), self._words("link", "agree_first")]
        if linked:
            lines.insert(0, self._words("link", "linked", apps=self._names(linked)))
        return Notice(
            "\n".join(lines),
            (self._button("linkend", self._words("link", "buttons", "cancel"), role=Role.BACK),),
            fleeting=True,
        )

    def _asked(self, maker: Address) -> Notice:
        text = self._words("link", "asked", app=self._name(maker))
        return Notice(text, (self._button("linkend", self._words("link", "buttons", "cancel"), role=Role.BACK),), fleeting=True)

    def _question(self, joiner: Address, link: str) -> Notice:
        """Return what is asked where a code was made. It may show on a locked screen, so it says nothing of health."""
        yes = self._button("linkyes", self._words("link", "buttons", "yes"), arg=link)
        no = self._button("linkno", self._words("link", "buttons", "no"), arg=link)
        return Notice(self._words("link", "confirm", app=self._name(joiner)), (yes, no))

    def _joined(self, joined: Joined, other: Address) -> tuple[Reply, ...]:
        lines = [self._words("link", "joined", app=self._name(other))]
        ended = [self._ownership.name(str(consent["kind"])) for consent in joined.agreed.taken_back]
        if ended:
            lines.append(self._words("link", "taken_back", names=", ".join(ended)))
        if joined.results_erased:
            lines.append(self._words("link", "results_erased"))
        if joined.check_ended:
            lines.append(self._words("link", "check_ended"))
        unlink = self._button("unlink", self._words("link", "buttons", "unlink"), role=Role.OTHER)
        return (Notice("\n".join(lines), (self._ownership.consents_button(), unlink) if ended else (unlink,)),)

    def _places(self, places: tuple[Place, ...]) -> Notice:
        if len(places) == 1:
            return Notice(self._words("link", "alone"))
        now = minute_of(self._now())
        buttons = [self._button("unlink", self._label(place), arg=place.key, step=now) for place in places]
        keep = self._button("unlinkno", self._words("link", "buttons", "keep"), role=Role.BACK)
        return Notice(self._words("link", "unlink"), (*buttons, keep), fleeting=True)

    def _parted(self, gone: Address, left: tuple[Address, ...], here: Address) -> Told:
        theirs = Notice(self._words("link", "left", app=self._name(gone)))
        notice = Notice(self._words("link", "parted"))
        others = tuple((address, theirs) for address in left if address != here)
        return Told((notice,), others) if gone == here else Told((theirs,), (*others, (gone, notice)))

    def _refused(self, refusal: Refusal) -> Notice:
        match refusal:
            case Refusal.WRONG:
                return Notice(self._words("link", "wrong"))
            case Refusal.EXPIRED:
                return Notice(self._words("link", "expired"))
            case Refusal.USED:
                return Notice(self._words("link", "used"))
            case Refusal.OWN:
                return Notice(self._words("link", "own"))
            case Refusal.ALREADY:
                return Notice(self._words("link", "already"))
            case Refusal.FULL:
                return Notice(self._words("link", "full"))
            case Refusal.GONE:
                return Notice(self._words("link", "gone"))

    # ---------------------------------------------------------------- Below

    def _names(self, addresses: tuple[Address, ...]) -> str:
        return ", ".join(self._name(address) for address in addresses)

    def _name(self, address: Address) -> str:
        known = address.platform in PLATFORMS
        return self._words("link", "apps", address.platform if known else "another")

    def _label(self, place: Place) -> str:
        return self._words("link", "buttons", "this" if place.here else "other", app=self._name(place.address))

    def _button(self, act: str, label: str, *, arg: str = "", step: int = 0, role: Role = Role.ANSWER) -> Button:
        return Button(str(Token(short_version(self._library.pathway.version), MENU, step, act, arg)), label, role)


def new_code(random_bits: RandomBits) -> str:
    """Return a new code, of 45 random bits."""
    return "".join(ALPHABET[random_bits(5)] for _ in range(LENGTH))


def code_in(text: str) -> str | None:
    """Return the code that was typed, however it was spaced or written; None for what can be none."""
    upper = unicodedata.normalize("NFKC", text).upper()
    code = "".join(letter for letter in upper if letter.isalnum()).translate(LIKE)
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None
