"""Text as markdown that Discord shows as it is: word for word, without marks, links, faces or mentions. No I/O."""

import re

_ANYWHERE = re.compile(r"[\\*_~|`<\[@]|:(?=//|[\w+-])")
"""What begins a mark, a link or a mention wherever it stands; of a colon, what may be a link or the name of a face."""
_IN_FRONT = re.compile(r"^( *(?:\d+(?=\. )|(?=[#>]|[-+][ #])))", re.MULTILINE)
"""What stands, in front of a line, before the character that makes it a heading, a quote, small print or the line of a list."""
_DASHED = r"\\- (?![#>+\s-]|\d+\. )[^\n]*"
_LIST = re.compile(rf"(?<![^\n]){_DASHED}(?:\n{_DASHED})*(?=\n\n|\Z)")
"""Lines that begin with a dash. Right before other lines they are no list: Discord would take these for a part of it."""


def escaped(text: str) -> str:
    """Return markdown that shows a text as it is, and lines that begin with a dash as the list that they are.

    A backslash has Discord show what follows as it is, unless that is a letter, a digit or space: so of a number in front of
    a line it is the full stop that gets one.
    """
    shown = _IN_FRONT.sub(r"\1\\", _ANYWHERE.sub(r"\\\g<0>", text))
    return _LIST.sub(lambda found: f"\n{found[0]}".replace("\n\\- ", "\n- ")[1:], shown)
