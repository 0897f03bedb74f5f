"""Everything that is not a check: help, care pages, settings. Menus whose buttons never go stale."""

from core.care import CarePage
from core.dialogue.result import cited
from core.dialogue.screens import short_version
from core.dialogue.token import MENU, Token
from core.dialogue.turn import Button, Notice, Prompt, Reply, Role
from core.library import Library
from core.members import Preferences, Units

SHELVES = ("warning", "symptoms", "conditions", "treatment", "exercises", "physio", "prevention", "faq")
COMMAND_SHELVES = {"warning": "warning", "prevent": "prevention", "physio": "physio", "faq": "faq"}
PER_SCREEN = 20
"""Pages on one screen: with the way on and back, still within Discord's 25 options."""


class Shelves:
    """Draws the care library and the settings."""

    def __init__(self, library: Library, preferences: Preferences) -> None:
        self._library, self._preferences, self._words = library, preferences, library.words

    def help(self) -> Notice:
        """Return what the bot can do and what it cannot."""
        buttons = (self._button("care", "care"), self._button("settings", "settings"))
        return Notice(self._words("ui", "help"), buttons, fleeting=True)

    def care(self) -> Prompt:
        """Return the shelves of the care library."""
        buttons = [self._button("shelf", "shelves", name, arg=str(i)) for i, name in enumerate(SHELVES)]
        return Prompt(self._words("ui", "care"), "care", tuple(buttons))

    def shelf(self, name: str, start: int = 0) -> Prompt:
        """Return the pages of a shelf, a screenful at a time."""
        pages = self._library.shelf(name)
        buttons = [self._page_button(p) for p in pages[start : start + PER_SCREEN]]
        if start + PER_SCREEN < len(pages):
            arg = f"{SHELVES.index(name)}x{start + PER_SCREEN}"
            buttons.append(self._button("shelf", "more", arg=arg))
        return Prompt(
            self._words("ui", "shelves", name), "care", (*buttons, self._button("care", "all_shelves", role=Role.BACK))
        )

    def page(self, page: CarePage) -> Notice:
        """Return one care page, with a way to what it rests on and to where to read on."""
        body = "\n\n".join(self._fill(p) for p in self._words.list("care", page.id, "body"))
        text = "\n\n".join((self._words("care", page.id, "title"), body))
        more = [self._library.page_by_id[id] for id in page.see_also if id in self._library.page_by_id]
        basis = self._button("basis", "basis", arg=self._position(page))
        back = self._button("care", "all_shelves", role=Role.BACK)
        return Notice(text, (*(self._page_button(p) for p in more), basis, back), fleeting=True)

    def basis(self, page: CarePage) -> Notice:
        """Return what a page rests on: its sources, and our cautious choices with their reasons."""
        read = [self._library.sources[s] for s in page.sources if not s.startswith("judgement.")]
        ours = [s.partition(".")[2] for s in page.sources if s.startswith("judgement.")]
        lines = [cited(self._words, source) for source in read]
        lines += [self._words("ui", "our_choice", reason=self._words("judgements", name)) for name in ours]
        head = self._words("ui", "rests_on", title=self._words("care", page.id, "title"))
        return Notice("\n".join((head, *lines)), fleeting=True)

    def search(self, text: str) -> Reply:
        """Return the pages that fit what was typed, or the shelves where none does."""
        found = self._library.search(text)
        if not found:
            return Prompt(self._words("ui", "nothing_found"), "care", self.care().choices)
        if len(found) == 1:
            return self.page(found[0])
        return Prompt(self._words("ui", "found"), "care", tuple(self._page_button(p) for p in found))

    def settings(self) -> Prompt:
        """Return the settings, each one tap."""
        region = self._library.region(self._preferences.region)
        text = self._words(
            "ui",
            "settings",
            region=self._region_name(region.id),
            emergency=region.emergency,
            units=self._preferences.units.value,
        )
        other = Units.MILES if self._preferences.units is Units.KM else Units.KM
        units = Button(self._token("units", other.value), self._words("ui", "buttons", other.value), Role.OTHER)
        return Prompt(text, "settings", (self._button("regions", "set_region"), units, self._button("consents", "consents")))

    def regions(self) -> Prompt:
        """Return the countries whose emergency numbers are known."""
        buttons = [
            Button(self._token("region", id), self._region_name(id), Role.ANSWER) for id in self._library.regions if id != "XX"
        ]
        return Prompt(self._words("ui", "regions"), "regions", tuple(buttons))

    def region_set(self) -> Notice:
        """Return what the region now is, and its numbers."""
        region = self._library.region(self._preferences.region)
        urgent = region.urgent or self._words("ui", "urgent_fallback")
        return Notice(
            self._words("ui", "region_set", region=self._region_name(region.id), emergency=region.emergency, urgent=urgent)
        )

    def units_set(self) -> Notice:
        """Return which units are now used."""
        return Notice(self._words("ui", "units_set", units=self._words("ui", "buttons", self._preferences.units.value)))

    def pressed(self, token: Token) -> Reply | None:
        """Return the menu or page that a button leads to, or None where this library has no such thing."""
        match token.act, token.arg:
            case "care", _:
                return self.care()
            case "settings", _:
                return self.settings()
            case "regions", _:
                return self.regions()
            case "shelf", arg:
                return self._shelf_at(arg)
            case "page", arg if page := self._page_at(token.version, arg):
                return self.page(page)
            case "basis", arg if page := self._page_at(token.version, arg):
                return self.basis(page)
            case _:
                return None

    def _page_at(self, version: str, arg: str) -> CarePage | None:
        """Return the page at a position, which holds for one version of the content only."""
        pages = self._library.pages
        return pages[int(arg)] if version == self._version and arg.isdigit() and int(arg) < len(pages) else None

    def _position(self, page: CarePage) -> str:
        return str(self._library.pages.index(page))

    def _shelf_at(self, arg: str) -> Prompt | None:
        index, _, start = arg.partition("x")
        if not index.isdigit() or int(index) >= len(SHELVES) or (start and not start.isdigit()):
            return None
        return self.shelf(SHELVES[int(index)], int(start or 0))

    def _fill(self, text: str) -> str:
        region = self._library.region(self._preferences.region)
        urgent = region.urgent or self._words("ui", "urgent_fallback")
        text = self._library.in_units(text, self._preferences.units)
        return text.format(emergency=region.emergency, urgent=urgent) if "{" in text else text

    def _region_name(self, id: str) -> str:
        return self._words("regions", id)

    def _page_button(self, page: CarePage) -> Button:
        return Button(self._token("page", self._position(page)), self._words("care", page.id, "title"), Role.ANSWER)

    @property
    def _version(self) -> str:
        return short_version(self._library.pathway.version)

    def _token(self, act: str, arg: str = "") -> str:
        return str(Token(self._version, MENU, 0, act, arg))

    def _button(self, act: str, *key: str, arg: str = "", role: Role = Role.OTHER) -> Button:
        path = key if len(key) > 1 else ("buttons", *key)
        return Button(self._token(act, arg), self._words("ui", *path), role)
