"""The methods by which a bot looks something up: who someone is in a chat, and where a file is."""

from pathlib import PurePath

from bot_api.messages import known
from bot_api.params import Params
from bot_api.refusal import Json, bad_request
from bot_api.world import Chat, Document, User, World

LARGEST_DOWNLOAD = 20 * 2**20
"""Bytes of a file that bots are given."""
ADMIN = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
RESTRICTED = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
    "can_edit_tag",
    "can_react_to_messages",
)


def get_chat_member(world: World, params: Params) -> Json:
    """Return what a user is in a chat. Who hides from a bot that is no administrator is not told of."""
    chat = known(world, params)
    user = world.users.get(params.number("user_id"))
    if params.number("user_id") <= 0:
        raise bad_request("invalid user_id specified")
    if user is None:
        raise bad_request("user not found")
    if chat.hides_members and chat.bot != "administrator":
        raise bad_request("CHAT_ADMIN_REQUIRED")
    return _shown(chat, user)


def get_file(world: World, params: Params) -> Json:
    """Return where a file can be fetched from."""
    document = world.documents.get(params.text("file_id"))
    if document is None:
        raise bad_request("invalid file_id")
    if len(document.data) > LARGEST_DOWNLOAD:
        raise bad_request("file is too big")
    size, unique = len(document.data), f"u{document.id}"
    return {"file_id": document.id, "file_unique_id": unique, "file_size": size, "file_path": path_of(document)}


def path_of(document: Document) -> str:
    """Return where a file is."""
    return f"documents/{document.id}{PurePath(document.name).suffix}"


def _shown(chat: Chat, user: User) -> Json:
    status = chat.status_of(user)
    shown: Json = {"user": user.json, "status": status}
    if status in ("kicked", "restricted"):
        shown["until_date"] = 0
    if status == "creator":
        shown["is_anonymous"] = False
    if status == "administrator":
        shown |= dict.fromkeys(ADMIN, False)
    if status == "restricted":
        shown |= {"is_member": user.id in chat.members, **dict.fromkeys(RESTRICTED, False)}
    return shown


METHODS = {
    "getchatmember": get_chat_member,
    "getfile": get_file,
}
