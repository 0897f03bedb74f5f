"""A member's private chat on Telegram, end to end: the real client library, real sockets, a strict Bot API."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot_api import BotApi, CutOff, Member, Message, Reset, answers
from bot_api.faults import Fault
from chat import Clock, library
from core.dialogue.token import read
from core.errors import StorageUnavailable
from core.ledger import Tallies
from core.members import Address
from fakes import NOON, owed
from telegram_chat import Running, Waits, running, words

ANNA, BEN = 4711, 815
BODY = words("questions", "body", "ask")
HEALTH = words("questions", "health", "ask")
DONE, WHY = words("ui", "buttons", "done"), words("ui", "buttons", "why")
NONE = words("questions", "body", "none")
EMERGENCY = words("dispositions", "emergency", "first").partition("{")[0]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def bot(tmp_path: Path, clock: Clock) -> AsyncIterator[Running]:
    """Give a bot that runs; nothing that was owed may be unaccounted for in the end."""
    async with BotApi(now=clock) as api, running(tmp_path, api, now=clock, sleep=Waits()) as bot:
        yield bot
        await bot.rests()
        assert (await bot.store.tallies()).conserved


@pytest.fixture
def anna(bot: Running) -> Member:
    return bot.member(ANNA, "Anna")


async def says(bot: Running, member: Member, *texts: str) -> None:
    for text in texts:
        member.says(text)
        await bot.rests()


async def taps(bot: Running, member: Member, *labels: str) -> None:
    for label in labels:
        member.taps(label)
        await bot.rests()


async def settled(bot: Running) -> Tallies:
    await bot.rests()
    return await bot.store.tallies()


def ticked(message: Message) -> list[str]:
    return [label for label in message.labels if label.startswith("☑")]


def with_buttons(member: Member) -> list[Message]:
    return [message for message in member.heard if message.labels]


# ---------------------------------------------------------------- One living message


async def test_questions_are_one_message_that_is_edited_in_place(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    first = anna.last
    await taps(bot, anna, "☐ 2.", "☐ 3.", "☑ 2.")

    assert [m.id for m in anna.heard] == [first.id]
    assert ticked(anna.last) == ["☑ 3. Numb/tingly between legs, toilet trouble"]
    assert "3. ☑ Numb/tingly" in anna.last.text


async def test_the_next_question_takes_the_place_of_the_last(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    await taps(bot, anna, NONE)

    assert [HEALTH.splitlines()[0] in m.text for m in anna.heard] == [True]


async def test_every_press_is_answered_at_once_and_without_words(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    tap = anna.taps("☐ 2.")
    await bot.rests()

    assert tap.answer is not None
    assert (tap.answer.text, tap.answer.alert) == ("", False)


async def test_a_result_is_a_new_message_and_the_buttons_above_it_are_gone(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    await taps(bot, anna, "☐ 3.", DONE, "☐ 1.", DONE)

    assert [m.content.text.splitlines()[0] for m in anna.heard][-1].startswith(EMERGENCY)
    assert len(anna.heard) == 2
    assert with_buttons(anna) == [anna.last]
    assert anna.last.content.words.entities[0]["type"] == "bold"


async def test_the_answer_to_something_typed_is_a_new_message_and_the_buttons_above_go(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip", "3", "hello there", "why")

    assert len(anna.heard) == 5  # why is said, and the question stands below it
    assert with_buttons(anna) == [anna.last]
    assert ticked(anna.last) == ["☑ 3. Numb/tingly between legs, toilet trouble"]


async def test_a_question_above_something_else_is_asked_again_at_the_bottom(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    above = anna.last
    await taps(bot, anna, WHY)
    assert with_buttons(anna) == [anna.last]
    below = anna.last
    anna.forges(above, next(b.data for b in below.content.buttons if b.data and "tick" in b.data))
    await bot.rests()

    assert [m.id for m in with_buttons(anna)] == [anna.last.id]
    assert anna.last.id > below.id


async def test_a_result_may_be_forwarded_and_shows_no_preview(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip", "/about")

    for call in bot.api.calls("sendMessage"):
        assert "protect_content" not in call.params.values
        assert json.loads(call.params.text("link_preview_options")) == {"is_disabled": True}


async def test_a_care_page_that_is_open_does_not_lose_the_check(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    await taps(bot, anna, NONE)
    await says(bot, anna, "/care")
    await taps(bot, anna, "Warning signs", "Go on")

    assert HEALTH.splitlines()[0] in anna.last.text
    assert len(with_buttons(anna)) == 1


@pytest.mark.parametrize("command", ["/privacy", "/about", "/mydata", "/forget", "/help", "/care", "/settings", "/warning"])
async def test_from_everything_beside_an_open_check_a_button_leads_back(bot: Running, anna: Member, command: str) -> None:
    await says(bot, anna, "/hip", command)
    await taps(bot, anna, "Go on")

    assert BODY.splitlines()[0] in anna.last.text


# ---------------------------------------------------------------- Buttons that are old, strange or somebody else's


async def test_an_old_button_is_answered_politely(bot: Running, anna: Member, clock: Clock) -> None:
    await says(bot, anna, "/hip")
    old = anna.button("☐ 2.")
    await taps(bot, anna, NONE)
    anna.forges(anna.last, old.data or "")
    await bot.rests()

    assert words("ui", "old_button") in anna.last.text
    assert HEALTH.splitlines()[0] in anna.last.text

    clock.moves(days=3)
    anna.forges(anna.last, old.data or "")
    await bot.rests()
    assert words("ui", "old_check_gone") in anna.last.text

    await says(bot, anna, "/hip")
    anna.forges(anna.heard[0], old.data or "")
    await bot.rests()
    assert words("ui", "old_check", day="Monday") in anna.last.text
    assert BODY.splitlines()[0] in anna.last.text
    assert with_buttons(anna)[-1] == anna.last


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("\x00\x01", "forged_button"),
        ("\U0001f9b4" * 16, "forged_button"),
        ("x" * 64, "forged_button"),
        ("../../etc/passwd", "forged_button"),
        ("{version}.{thread}.{step}.pick_99", "forged_button"),
        ("{version}.{thread}.{step}.nosuch", "forged_button"),
        ("aaaaaa.{thread}.{step}.none", "old_button"),
        ("{version}.{thread}.99999.none", "old_button"),
        ("{version}.ffffffffffff.1.none", "old_button"),
        ("aaaaaa.menu.0.page_3", "old_menu"),
        ("{version}.menu.0.page_99999", "old_menu"),
    ],
)
async def test_a_button_that_is_not_there_changes_nothing(bot: Running, anna: Member, data: str, says: str) -> None:
    anna.says("/hip")
    await bot.rests()
    token = read(anna.button(NONE).data or "")
    assert token is not None
    before = await bot.store.load(Address("telegram", str(ANNA)))
    anna.forges(anna.last, data.format(version=token.version, thread=token.thread, step=token.step))
    await bot.rests()

    after = await bot.store.load(Address("telegram", str(ANNA)))
    assert {**(after.session or {}), "away": False} == before.session
    assert anna.last.text.startswith(words("ui", says))


async def test_nobody_presses_somebody_elses_button(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    ben = bot.member(BEN, "Ben")
    await says(bot, ben, "/hip")
    before, shown = await bot.store.load(Address("telegram", str(ANNA))), anna.last.text
    for button in anna.last.content.buttons:
        ben.forges(anna.last, button.data or "")  # on Anna's message
        ben.forges(ben.last, button.data or "")  # on a message of his own
    await bot.rests()

    assert await bot.store.load(Address("telegram", str(ANNA))) == before
    assert anna.last.text == shown
    assert len(anna.heard) == 1
    assert words("ui", "old_check", day="Monday") in ben.last.text
    assert all(tap.answer is not None for tap in bot.api.world.taps.values())


async def test_a_button_of_a_check_that_was_stopped_says_so(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    old = anna.button("☐ 2.")
    await says(bot, anna, "/stop")
    anna.forges(anna.heard[0], old.data or "")
    await bot.rests()

    assert anna.last.text.startswith(words("ui", "old_check_gone"))


async def test_a_button_of_a_message_that_was_deleted_is_answered_below(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    message = anna.last
    tap = anna.button(NONE)
    anna.deletes(message)
    anna.forges(message, tap.data or "")
    await bot.rests()

    assert HEALTH.splitlines()[0] in anna.last.text
    assert anna.last.id != message.id
    assert (await settled(bot)).sent == 2


# ---------------------------------------------------------------- The same tap twice


async def test_two_taps_in_one_millisecond_are_one_answer(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    anna.taps("☐ 2.")
    anna.taps("☐ 2.")
    await bot.rests()
    assert ticked(anna.last) == ["☑ 2. Breathless, chest pain, coughing blood"]

    anna.taps(DONE)
    anna.taps(DONE)
    await bot.rests()
    session = (await bot.store.load(Address("telegram", str(ANNA)))).session
    assert session is not None
    assert [answer["question"] for answer in session["answers"]] == ["body"]


@pytest.mark.parametrize("same_id", [True, False])
async def test_a_tap_that_comes_again_as_another_update_changes_nothing_twice(
    bot: Running, anna: Member, *, same_id: bool
) -> None:
    await says(bot, anna, "/hip")
    tap = anna.taps(NONE)
    await bot.rests()
    before = await bot.store.load(Address("telegram", str(ANNA)))
    again = anna.taps_again(tap, same_id=same_id)
    await bot.rests()

    assert again.update_id != tap.update_id
    assert await bot.store.load(Address("telegram", str(ANNA))) == before
    assert [HEALTH.splitlines()[0] in m.text for m in anna.heard] == [True]


async def test_an_update_that_comes_again_under_its_id_is_known(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    update = bot.api.world.updates.next_id - 1
    said = len(anna.chat.events)
    bot.api.inject({"update_id": update, "message": anna.shown[0].json()})
    bot.api.world.updates.next_id = update + 1
    await asyncio.sleep(0.05)
    await bot.rests()

    assert len(anna.chat.events) == said


# ---------------------------------------------------------------- Edits that do not go as hoped


@pytest.mark.parametrize("fault", [answers(502, done=True), CutOff(done=True), Reset(done=True)], ids=repr)
async def test_an_edit_whose_answer_was_lost_is_made_again_and_finds_itself_done(
    bot: Running, anna: Member, fault: Fault
) -> None:
    await says(bot, anna, "/hip")
    bot.api.faults.lay("editMessageText", fault)
    await taps(bot, anna, NONE)

    assert [(c.code, c.answer["description"].partition(":")[2][:27]) for c in bot.api.calls("editMessageText")[1:]] == [
        (400, " message is not modified: s")
    ]
    assert len(anna.heard) == 1
    assert (await settled(bot)).sent == 2


async def test_a_question_whose_message_is_gone_is_asked_in_a_new_one(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    tap = anna.taps(NONE)
    anna.deletes(tap.message)
    await bot.rests()

    assert HEALTH.splitlines()[0] in anna.last.text
    assert len(anna.heard) == 1

    await taps(bot, anna, words("questions", "health", "none"))
    assert len(anna.heard) == 1  # and that one is edited from then on


async def test_where_old_buttons_cannot_be_taken_away_the_answer_is_there_all_the_same(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    bot.api.faults.lay("editMessageReplyMarkup", answers(400))
    await says(bot, anna, "none of these")

    assert HEALTH.splitlines()[0] in anna.last.text
    assert len(with_buttons(anna)) == 2
    assert (await settled(bot)).sent == 2


# ---------------------------------------------------------------- What is no text


async def test_what_has_no_words_gets_a_kind_answer(bot: Running, anna: Member) -> None:
    anna.sends("scan.pdf")
    await bot.rests()
    assert anna.last.text.startswith(words("ui", "no_words"))

    await says(bot, anna, "/hip")
    for kind in ("photo", "voice", "sticker", "video_note", "location"):
        chat = {"message_id": 900, "date": 1763884800, "chat": anna.chat.json, "from": anna.user.json}
        bot.api.inject({"message": {**chat, kind: {"file_id": "a"}}})
        await bot.rests()
        assert anna.last.text.startswith(words("ui", "no_words"))
        assert BODY.splitlines()[0] in anna.last.text


async def test_words_of_danger_below_a_photo_are_read(bot: Running, anna: Member) -> None:
    chat = {"message_id": 900, "date": 1763884800, "chat": anna.chat.json, "from": anna.user.json}
    anna.says("/start")
    await bot.rests()
    bot.api.inject({"message": {**chat, "photo": [{"file_id": "a"}], "caption": "I can't feel my legs"}})
    await bot.rests()

    assert anna.last.text.startswith("Call 112")


async def test_an_edit_a_note_of_telegram_and_a_channel_say_nothing(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    said = len(anna.chat.events)
    anna.edits(anna.shown[0], "/stop")
    channel = bot.api.channel("News")
    channel.edits(channel.posts("/hip"), "/help")
    note = {"message_id": 901, "date": 1763884800, "chat": anna.chat.json, "from": anna.user.json}
    bot.api.inject({"message": {**note, "message_auto_delete_timer_changed": {"message_auto_delete_time": 86400}}})
    bot.api.inject({"edited_message": {**note, "text": "/stop"}})
    bot.api.inject({"nobody_knows_this": {"id": 1}})
    await bot.rests()

    assert [e.message.sender for e in anna.chat.events[said:]] == [anna.user]
    assert not channel.chat.shown[1:]


async def test_what_cannot_be_read_is_set_aside_and_holds_up_nobody(bot: Running, anna: Member) -> None:
    bot.api.inject({"message": {"text": 5}})
    bot.api.inject({"callback_query": "nothing"})
    await says(bot, anna, "/hip")

    assert BODY.splitlines()[0] in anna.last.text
    assert await bot.store.unhandled("telegram") == ()


async def test_a_huge_text_is_answered(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip", "my hip " * 600, "/care " + "x" * 4000)

    assert len(anna.heard) == 3


# ---------------------------------------------------------------- Who can be reached


async def test_who_blocks_the_bot_is_left_alone_until_they_unblock_it(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    anna.blocks()
    await bot.rests()
    assert not await would_send(bot)

    anna.unblocks()
    await bot.rests()
    assert await would_send(bot)


async def test_who_cannot_be_written_to_is_left_alone_until_they_write(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip")
    bot.api.faults.lay("sendMessage", answers(403))
    await says(bot, anna, "/help")
    assert not await would_send(bot)
    assert (await bot.store.tallies()).dropped == 1

    await says(bot, anna, "/start")
    assert await would_send(bot)


async def would_send(bot: Running) -> bool:
    """Return whether something that is owed to Anna is due; for who cannot be reached nothing is."""
    await bot.store.plan(Address("telegram", str(ANNA)), [owed()])
    due = await bot.store.due(NOON + timedelta(days=1), 10)
    bot.outreach.skip(due)
    await bot.outreach.done()
    return bool(due)


async def test_the_export_is_a_file_and_the_chat_can_be_erased_with_its_messages(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip", "none of these", "/mydata")
    await taps(bot, anna, "Get a copy as JSON")
    document = anna.last.document
    assert document is not None
    assert document.name == "hipwise.json"
    assert json.loads(document.data)["sessions"]
    assert anna.last.text == words("privacy", "mydata", "export_done")
    assert anna.last.labels == ("Go on",)

    await says(bot, anna, "/forget")
    await taps(bot, anna, words("privacy", "forget", "messages"))

    assert [m.text.splitlines()[0] for m in anna.heard] == [words("privacy", "forget", "receipt_head")]
    assert (await bot.store.load(Address("telegram", str(ANNA)))).member is None


async def test_messages_that_are_too_old_to_be_deleted_stay_and_all_else_goes(bot: Running, anna: Member, clock: Clock) -> None:
    await says(bot, anna, "/hip")
    clock.moves(hours=49)
    await says(bot, anna, "/settings", "/forget")
    await taps(bot, anna, words("privacy", "forget", "messages"))

    assert len(anna.heard) == 2
    assert anna.heard[-1].text.startswith(words("privacy", "forget", "receipt_head"))
    tallies = await settled(bot)
    assert (tallies.open, tallies.claimed, tallies.unknown) == (0, 0, 0)


# ---------------------------------------------------------------- When nothing can be kept


async def fails(*_: object) -> None:
    raise StorageUnavailable("There is no room left on the disk.")


async def test_a_check_goes_on_while_nothing_can_be_kept_and_is_kept_after(
    bot: Running, anna: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    await says(bot, anna, "/hip")
    with monkeypatch.context() as patch:
        patch.setattr(bot.store, "_ask", fails)
        await says(bot, anna, "/hip")
        await taps(bot, anna, NONE)
        assert HEALTH.splitlines()[0] in anna.last.text or HEALTH.splitlines()[0] in anna.heard[-2].text
        assert sum(words("ui", "not_kept") in text for text in anna.texts) == 1
        club = bot.api.group("Runners", anna.user)
        await says(bot, club.member(anna.user), "/hip")
        assert len(club.member(anna.user).heard) == 1

    await taps(bot, anna, words("questions", "health", "none"))
    session = (await bot.store.load(Address("telegram", str(ANNA)))).session
    assert session is not None
    assert [answer["question"] for answer in session["answers"]] == ["body", "health"]
    assert await bot.store.unhandled("telegram") == ()


# ---------------------------------------------------------------- By typing alone


async def test_a_whole_check_can_be_typed(bot: Running, anna: Member) -> None:
    await says(bot, anna, "/hip", "4", "done", "6", "done", "none", "34", "outside of hip", "pop", "none of them", "3", "done")

    assert "See a doctor or physiotherapist within 3 days." in anna.last.text
    assert with_buttons(anna) == [anna.last]
    assert not bot.api.calls("answerCallbackQuery")
    assert not bot.api.calls("editMessageText")


async def test_every_number_that_is_shown_can_be_typed(bot: Running, anna: Member) -> None:
    """Whoever hears the question and types the number gets the line that was read out."""
    await says(bot, anna, "/hip")
    for number, choice in enumerate(library().pathway.by_id["body"].choices, start=1):
        line = words("questions", "body", "choices", choice.id)
        assert f"{number}. {line}" in anna.last.text
        await says(bot, anna, str(number))
        assert f"{number}. ☑ {line}" in anna.last.text


async def test_two_chats_are_joined_by_a_code_and_the_question_comes_at_once(bot: Running, anna: Member) -> None:
    ben = bot.member(BEN, "Ben")
    await says(bot, anna, "/hip", "/link")
    code = anna.last.text.partition(": ")[2].splitlines()[0]
    await says(bot, ben, f"/link {code}")
    assert anna.last.text == words("link", "confirm", app="Telegram")
    await taps(bot, anna, words("link", "buttons", "yes"))
    assert ben.last.text == words("link", "joined", app="Telegram")

    await says(bot, ben, "/hip")
    await taps(bot, ben, words("ui", "buttons", "go_on"))

    assert BODY in ben.last.text
    tallies = await settled(bot)
    assert (tallies.open, tallies.claimed, tallies.unknown) == (0, 0, 0)
