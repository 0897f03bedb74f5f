"""The check of a body: everything that is wrong with it, each at its place."""

from collections.abc import Collection

from discord_api.refusal import Json, Path, Refusal

LARGEST_COLOUR = 0xFFFFFF


class Form:
    """Collects what is wrong with one body."""

    def __init__(self) -> None:
        self.wrongs: list[tuple[Path, str, str]] = []

    def wrong(self, at: Path, code: str, says: str) -> None:
        """Note that a field is wrong."""
        self.wrongs.append((at, code, says))

    def text(self, at: Path, value: object, least: int, most: int) -> bool:
        """Return whether a field is a text of so many characters; note it where it is not."""
        if value is None and least:
            self.wrong(at, "BASE_TYPE_REQUIRED", "This field is required")
        elif value is not None and not isinstance(value, str):
            self.wrong(at, "STRING_TYPE_CONVERT", f"Could not interpret {value!r} as string.")
        elif value is not None and not least <= len(value) <= most:
            self._length(at, least, most)
        else:
            return True
        return False

    def items(self, at: Path, value: object, least: int, most: int) -> bool:
        """Return whether a field is a list of so many things; note it where it is not."""
        if not isinstance(value, list):
            self.wrong(at, "LIST_TYPE_CONVERT" if value is not None else "BASE_TYPE_REQUIRED", "This field is required")
            return False
        if not least <= len(value) <= most:
            self.wrong(at, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
            return False
        return True

    def whole(self, at: Path, value: object, least: int, most: int) -> None:
        """Note a number that is not a whole one between these."""
        if not isinstance(value, int):
            self.wrong(at, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif value > most:
            self.wrong(at, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")
        elif value < least:
            self.wrong(at, "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {least}.")

    def one_of(self, at: Path, value: object, choices: Collection[object]) -> bool:
        """Return whether a field is one of these; note it where it is not."""
        if value in choices:
            return True
        shown = ", ".join(str(choice) for choice in choices)
        self.wrong(at, "BASE_TYPE_CHOICES", f"Value must be one of {{{shown}}}.")
        return False

    def settle(self) -> None:
        """Raise Refusal if anything is wrong."""
        if not self.wrongs:
            return
        errors: Json = {}
        for at, code, says in self.wrongs:
            place = errors
            for name in at:
                place = place.setdefault(str(name), {})
            place.setdefault("_errors", []).append({"code": code, "message": says})
        raise Refusal(400, 50035, "Invalid Form Body", errors)

    def _length(self, at: Path, least: int, most: int) -> None:
        if least:
            self.wrong(at, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
        else:
            self.wrong(at, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
