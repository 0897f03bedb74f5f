"""All that is kept about a member, as plain JSON values."""

from typing import Any

from core.storage import clubs, diaries, inbox, links, members, outbox
from core.storage.book import Book


def everything(book: Book, member: str) -> dict[str, Any]:
    """Return what is kept about a member in every table; what cannot be opened is left out."""
    return {
        "addresses": [{"platform": at.platform, "id": at.id} for at in members.addresses(book, member)],
        "settings": members.settings(book, member),
        "consents": list(members.consents(book, member)),
        "sessions": list(members.sessions(book, member)),
        "history": list(members.history(book, member)),
        "diaries": [] if (diary := diaries.kept(book, member)) is None else [diary],
        "links": [{"until": until} for until in links.pending(book, member)],
        "former_members": [{"joined": joined} for _, joined in links.former(book, member)],
        "clubs": [{"organiser of": name} for name in clubs.organised(book, members.addresses(book, member))],
        "received": list(inbox.received_from(book, member)),
        "deliveries": [
            {"kind": d.kind, "reply": d.reply, "due": d.due.isoformat(), "state": d.state}
            for d in outbox.deliveries(book, member)
        ],
    }
