"""The methods that members see something of."""

from dataclasses import replace
from datetime import timedelta

from bot_api import keyboard
from bot_api.params import Params
from bot_api.refusal import Json, Refusal, bad_request, forbidden
from bot_api.text import LONGEST, LONGEST_CAPTION, Formatted, formatted
from bot_api.world import Answer, Chat, Content, Document, Message, World

LONGEST_ANSWER = 200
ANSWERED_WITHIN = timedelta(seconds=15)
"""How long a tap waits for its answer; the real time is not published, reports say five to fifteen seconds."""
DELETED_WITHIN = timedelta(hours=48)
ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)


def send_message(world: World, params: Params) -> Json:
    """Post a text."""
    words = _words(params, "text", "entities", LONGEST)
    markup = keyboard.markup(params.text("reply_markup"))
    chat = writable(world, params)
    extra = _replied(chat, params)
    keyboard.check_data(markup.inline)
    _check_reachable(chat)
    content = Content(words, markup.inline, preview=_preview(params, words), other_keyboard=markup.other)
    return world.post(chat, world.bot, content, extra).json()


def send_document(world: World, params: Params) -> Json:
    """Post a file, uploaded or known."""
    caption = _words(params, "caption", "caption_entities", LONGEST_CAPTION, may_be_empty=True)
    markup = keyboard.markup(params.text("reply_markup"))
    chat = writable(world, params)
    extra = _replied(chat, params)
    document = _document(world, params)
    keyboard.check_data(markup.inline)
    _check_reachable(chat)
    content = Content(caption, markup.inline, document, other_keyboard=markup.other)
    return world.post(chat, world.bot, content, extra).json()


def edit_message_text(world: World, params: Params) -> Json:
    """Change the words of a message; without `reply_markup` its buttons go."""
    words = _words(params, "text", "entities", LONGEST)
    buttons = keyboard.inline(params.text("reply_markup"))
    message = _editable(world, params)
    if message.document:
        raise bad_request("there is no text in the message to edit")
    return _edited(world, message, Content(words, buttons, preview=_preview(params, words)))


def edit_message_reply_markup(world: World, params: Params) -> Json:
    """Change the buttons of a message; without `reply_markup` they go."""
    buttons = keyboard.inline(params.text("reply_markup"))
    message = _editable(world, params)
    return _edited(world, message, replace(message.content, keyboard=buttons))


def delete_message(world: World, params: Params) -> bool:
    """Take a message from everyone's screen: in a private chat any, in a group one's own, or as an admin any."""
    chat = known(world, params)
    message = chat.messages.get(params.number("message_id"))
    if message is None or message.deleted:
        raise bad_request("message to delete not found")
    if world.now() - message.date > DELETED_WITHIN:
        raise bad_request("message can't be deleted for everyone")
    if message.sender != world.bot and not chat.private and chat.bot != "administrator":
        raise bad_request("message can't be deleted")
    world.delete(message)
    return True


def answer_callback_query(world: World, params: Params) -> bool:
    """Stop the clock on a button, and show a line or an alert; once, and in time."""
    tap = world.taps.get(params.text("callback_query_id"))
    if tap is None or tap.answer or world.now() - tap.at > ANSWERED_WITHIN:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    if len(params.text("text")) > LONGEST_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    tap.answer = Answer(params.text("text"), params.flag("show_alert"))
    world.changes.tell()
    return True


def send_chat_action(world: World, params: Params) -> bool:
    """Show what the bot is doing."""
    action = params.text("action")
    if action not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = writable(world, params)
    _check_reachable(chat)
    chat.actions.append(action)
    world.changes.tell()
    return True


def known(world: World, params: Params) -> Chat:
    """Return the chat that is meant; raise Refusal for one that the bot cannot know of or is no longer in."""
    if not params.text("chat_id"):
        raise bad_request("chat_id is empty")
    chat = world.chats.get(params.chat() or 0)
    if chat is None:
        raise bad_request("chat not found") if params.chat() not in world.users else _never_met()
    if not chat.private and chat.bot == "kicked":
        raise forbidden(f"bot was kicked from the {chat.kind} chat")
    if not chat.private and chat.bot == "left":
        raise forbidden(f"bot is not a member of the {chat.kind} chat")
    return chat


def writable(world: World, params: Params) -> Chat:
    """Return the chat that is meant; raise Refusal for one that can no longer be written to."""
    chat = world.chats.get(params.chat() or 0)
    if chat and chat.migrated_to:
        what = "Bad Request: group chat was upgraded to a supergroup chat"
        raise Refusal(400, what, {"migrate_to_chat_id": chat.migrated_to})
    return known(world, params)


def _check_reachable(chat: Chat) -> None:
    """Raise Refusal where only the far end knows that a member cannot be reached."""
    if not chat.begun:
        raise _never_met()
    if chat.private and chat.bot == "kicked":
        raise forbidden("bot was blocked by the user")


def _never_met() -> Refusal:
    return forbidden("bot can't initiate conversation with a user")


def _words(params: Params, name: str, entities: str, longest: int, *, may_be_empty: bool = False) -> Formatted:
    if not params.text(name):
        if may_be_empty:
            return Formatted()
        raise bad_request("message text is empty")
    words = formatted(params.text(name), params.text("parse_mode"), params.text(entities), longest)
    if not words.text and not may_be_empty:
        raise bad_request("text must be non-empty")
    return words


def _preview(params: Params, words: Formatted) -> bool:
    options = params.object("link_preview_options", "link preview options")
    off = options.get("is_disabled", False) or params.flag("disable_web_page_preview")
    return not off and any(entity["type"] in ("url", "text_link") for entity in words.entities)


def _replied(chat: Chat, params: Params) -> Json:
    asked = params.object("reply_parameters", "reply parameters")
    if "message_id" not in asked:
        return {}
    message = chat.messages.get(int(asked["message_id"]))
    if message is not None and not message.deleted:
        return {"reply_to_message": message.json()}
    if not asked.get("allow_sending_without_reply", False):
        raise bad_request("message to be replied not found")
    return {}


def _document(world: World, params: Params) -> Document:
    given = params.text("document")
    upload = params.files.get(given.removeprefix("attach://") if given.startswith("attach://") else "document")
    if upload:
        if not upload.data:
            raise bad_request("file must be non-empty")
        return world.document(upload.name, upload.kind, upload.data)
    if not given:
        raise bad_request("there is no document in the request")
    if given not in world.documents:
        raise bad_request("wrong file identifier/HTTP URL specified")
    return world.documents[given]


def _editable(world: World, params: Params) -> Message:
    if not params.text("message_id"):
        raise bad_request("message identifier is not specified")
    chat = known(world, params)
    message = chat.messages.get(params.number("message_id"))
    if message is None or message.deleted:
        raise bad_request("message to edit not found")
    if message.sender != world.bot or message.content.other_keyboard:
        raise bad_request("message can't be edited")
    return message


def _edited(world: World, message: Message, content: Content) -> Json:
    if content == replace(message.content, preview=content.preview):
        what = "specified new message content and reply markup are exactly the same as a current content"
        raise bad_request(f"message is not modified: {what} and reply markup of the message")
    keyboard.check_data(content.keyboard)
    _check_reachable(message.chat)
    world.edit(message, content)
    return message.json()


METHODS = {
    "sendmessage": send_message,
    "senddocument": send_document,
    "editmessagetext": edit_message_text,
    "editmessagereplymarkup": edit_message_reply_markup,
    "deletemessage": delete_message,
    "answercallbackquery": answer_callback_query,
    "sendchataction": send_chat_action,
}
