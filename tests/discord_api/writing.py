"""The making of a message: what a bot asks to say, checked, as content."""

from dataclasses import replace

from discord_api.call import Call, Upload
from discord_api.components import COMPONENTS_V2, EPHEMERAL, LOADING, Kind, check_message, numbered, walk
from discord_api.content import Attachment, Content
from discord_api.form import Form
from discord_api.refusal import Json, Path, refusal
from discord_api.world import World

LONGEST = 2000
MOST_EMBEDS = 10
_SETTABLE = COMPONENTS_V2 | (1 << 2) | (1 << 12)
"""Flags that a bot may set anywhere: the new layout, no previews, no notification."""


def written(world: World, call: Call, given: Json, at: Path = (), *, ephemeral: bool = False) -> Content:
    """Return a new message's content; raise Refusal for what Discord does not take.

    `given` stands at `at` in the body. With `ephemeral`, the flag for it may be set.
    """
    flags = int(given.get("flags") or 0) & (_SETTABLE | (EPHEMERAL if ephemeral else 0))
    return _checked(world, call, given, Content(flags=flags), at)


def rewritten(world: World, call: Call, given: Json, before: Content, at: Path = ()) -> Content:
    """Return what a message says after an edit: what is not named stays, and the new layout stays for good."""
    flags = before.flags & ~LOADING
    asked = int(given.get("flags") or 0)
    return _checked(world, call, given, replace(before, flags=flags | (asked & COMPONENTS_V2)), at)


def _checked(world: World, call: Call, given: Json, before: Content, at: Path) -> Content:
    form = Form()
    content = Content(
        said=_said(form, at, given, before),
        components=_components(form, at, given, before),
        embeds=_embeds(form, at, given, before),
        attachments=_attachments(world, call.files, given, before),
        flags=before.flags,
        mentions=given.get("allowed_mentions"),
    )
    if content.v2:
        _check_layout(form, at, content)
    form.settle()
    if not (content.said or content.components or content.embeds or content.attachments):
        raise refusal(50006)
    return content


def _said(form: Form, at: Path, given: Json, before: Content) -> str:
    said = given.get("content", before.said) or ""
    form.text((*at, "content"), said, 0, LONGEST)
    return str(said).strip()


def _components(form: Form, at: Path, given: Json, before: Content) -> tuple[Json, ...]:
    if "components" not in given:
        return before.components
    components = given["components"] or []
    wrongs = len(form.wrongs)
    check_message(form, (*at, "components"), components, v2=before.v2)
    return numbered(components) if len(form.wrongs) == wrongs else ()


def _embeds(form: Form, at: Path, given: Json, before: Content) -> tuple[Json, ...]:
    embeds = given.get("embeds", list(before.embeds)) or []
    form.items((*at, "embeds"), embeds, 0, MOST_EMBEDS)
    return tuple(embeds)


def _attachments(world: World, files: tuple[Upload, ...], given: Json, before: Content) -> tuple[Attachment, ...]:
    """Return the files of a message: those kept of before, and those that came with the request."""
    new = tuple(Attachment(world.new_id(), file.name, file.kind, file.data) for file in files)
    if "attachments" not in given:
        return (*before.attachments, *new)
    kept = {str(one.get("id")) for one in given["attachments"] or ()}
    return (*(file for file in before.attachments if str(file.id) in kept), *new)


def _check_layout(form: Form, at: Path, content: Content) -> None:
    for name, value in (("content", content.said), ("embeds", content.embeds)):
        if value:
            says = f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            form.wrong((*at, name), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", says)
    there = {f"attachment://{file.name}" for file in content.attachments}
    for one in walk(content.components):
        if one["type"] == Kind.FILE and one["file"]["url"] not in there:
            says = "The referenced attachment was not found"
            form.wrong((*at, "components"), "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", says)
