"""In a group the bot says where it talks, and nothing else: never a word about health, whoever says what there."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import journey
from bot_api import BotApi, Group, Member, answers
from bot_api.keyboard import Button
from bots.telegram.links import VALID
from chat import Clock, library
from core.dialogue.typed import plain
from core.limits import GROUP_BURST, GROUP_REFILL
from core.members import Address
from telegram_chat import Running, Waits, running, words

ANNA, BEN = 4711, 815
LINE, OPEN = words("platform", "group", "line"), words("platform", "group", "open")
BODY = words("questions", "body", "ask").splitlines()[0]
HELP = words("ui", "help").splitlines()[0]
COMMANDS = ("start", *words.table("platform", "commands"))

HEALTH = ("findings", "conditions", "questions")
PLAIN = frozenset(
    {
        *(
            "a",
            "after",
            "again",
            "already",
            "an",
            "anything",
            "are",
            "as",
            "ask",
            "can",
            "cannot",
            "chat",
            "few",
            "first",
            "here",
        ),
        *(
            "i",
            "if",
            "in",
            "is",
            "its",
            "look",
            "make",
            "many",
            "me",
            "minutes",
            "no",
            "not",
            "now",
            "of",
            "only",
            "or",
            "please",
        ),
        *("runs", "see", "that", "the", "them", "then", "this", "to", "up", "who", "with", "yet", "you"),
    }
)
"""Words of those tables that are about nothing, and that a running club runs."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def bot(tmp_path: Path, clock: Clock) -> AsyncIterator[Running]:
    """Give a bot that runs; whatever was done in groups, no word about health was said there."""
    async with BotApi(now=clock) as api, running(tmp_path, api, now=clock, sleep=Waits()) as bot:
        yield bot
        await bot.rests()
        assert (await bot.store.tallies()).conserved
        assert healthy(said_in_groups(api)) == set()


@pytest.fixture
def anna(bot: Running) -> Member:
    return bot.member(ANNA, "Anna")


@pytest.fixture
def club(bot: Running, anna: Member) -> Group:
    return bot.api.group("Runners", anna.user)


def said_in_groups(api: BotApi) -> list[str]:
    """Return all that the bot ever let many read, also what it has changed since: messages, buttons, files, answers to taps."""
    said = [
        text
        for content in api.said_in_groups()
        for text in (content.text, *content.labels, content.document.name if content.document else "")
    ]
    taps = [tap for tap in api.world.taps.values() if tap.message.chat in api.groups]
    return said + [tap.answer.text for tap in taps if tap.answer is not None]


def healthy(texts: list[str]) -> set[str]:
    """Return the words about health in some texts."""
    known = {word for table in HEALTH for text in flat(words.table(table)) for word in plain(text).split()} - PLAIN
    return known & {word for text in texts for word in plain(text).split()}


def flat(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        return
    for each in value.values() if isinstance(value, dict) else value:
        yield from flat(each)


def link(member: Member) -> Button:
    """Return the button of the newest line in a group."""
    (button,) = member.last.content.buttons
    return button


async def asks(bot: Running, member: Member, text: str = "/hip") -> Button:
    member.says(text)
    await bot.rests()
    return link(member)


# ---------------------------------------------------------------- The way into the private chat


async def test_hip_in_a_group_is_answered_with_one_line_and_a_link_into_the_private_chat(
    bot: Running, anna: Member, club: Group
) -> None:
    button = await asks(bot, club.member(anna.user))
    assert [m.text for m in club.member(anna.user).heard] == [LINE]
    assert button.label == OPEN

    anna.opens(button)
    await bot.rests()

    assert BODY in anna.last.text
    assert len(anna.heard) == 1


async def test_a_link_opens_once(bot: Running, anna: Member, club: Group) -> None:
    button = await asks(bot, club.member(anna.user))
    for _ in range(2):
        anna.opens(button)
        await bot.rests()

    assert anna.last.text.startswith(HELP)


async def test_a_link_opens_for_ten_minutes(bot: Running, anna: Member, club: Group, clock: Clock) -> None:
    button = await asks(bot, club.member(anna.user))
    clock.at += VALID
    anna.opens(button)
    await bot.rests()

    assert anna.last.text.startswith(HELP)


async def test_a_link_of_somebody_else_starts_afresh_and_still_opens_for_its_owner(
    bot: Running, anna: Member, club: Group
) -> None:
    button = await asks(bot, club.member(anna.user))
    ben = bot.member(BEN, "Ben")
    ben.opens(button)
    await bot.rests()
    assert ben.last.text.startswith(HELP)
    assert not anna.heard

    anna.opens(button)
    await bot.rests()
    assert BODY in anna.last.text


async def test_a_made_up_link_starts_afresh(bot: Running, anna: Member) -> None:
    anna.opens("https://t.me/hipwise_bot?start=" + "x" * 64)
    await bot.rests()

    assert anna.last.text.startswith(HELP)


async def test_a_link_does_not_lose_an_open_check(bot: Running, anna: Member, club: Group) -> None:
    anna.says("/hip")
    await bot.rests()
    anna.opens(await asks(bot, club.member(anna.user)))
    await bot.rests()

    assert anna.last.text.startswith(words("ui", "resume"))


async def test_every_link_is_another_and_unguessable(bot: Running, anna: Member, club: Group) -> None:
    member = club.member(anna.user)
    urls = {(await asks(bot, member)).url for _ in range(GROUP_BURST)}

    assert len(urls) == GROUP_BURST
    assert all(len((url or "").partition("start=")[2]) == 22 for url in urls)


async def test_an_anonymous_admin_gets_a_link_that_is_bound_to_nobody(bot: Running, anna: Member, club: Group) -> None:
    button = await asks(bot, club.anonymous(anna.user))

    assert button.url == "https://t.me/hipwise_bot"


# ---------------------------------------------------------------- What is answered, and how often


@pytest.mark.parametrize(
    "text", ["/hip", "/hip@hipwise_bot", "/HIP@Hipwise_Bot", "/care groin", "/start", "/nonsense@hipwise_bot"]
)
async def test_a_command_of_ours_is_answered(bot: Running, anna: Member, club: Group, text: str) -> None:
    await asks(bot, club.member(anna.user), text)

    assert club.member(anna.user).texts == (LINE,)


@pytest.mark.parametrize("hears_all", [False, True])
@pytest.mark.parametrize(
    "text", ["my hip hurts", "hip", "/ban", "/hip@other_bot", "@hipwise_bot my groin hurts", "I can't pee"]
)
async def test_talk_and_what_is_meant_for_others_is_not_answered(
    bot: Running, anna: Member, club: Group, text: str, *, hears_all: bool
) -> None:
    bot.api.world.privacy_mode = not hears_all
    club.member(anna.user).says(text)
    await bot.rests()

    assert not club.member(anna.user).heard
    assert not anna.heard


async def test_a_group_is_answered_a_few_times_and_then_once_in_a_while(
    bot: Running, anna: Member, club: Group, clock: Clock
) -> None:
    member = club.member(anna.user)
    for _ in range(20):
        member.says("/hip")
    await bot.rests()
    assert len(member.heard) == GROUP_BURST

    clock.at += GROUP_REFILL
    member.says("/hip")
    member.says("/hip")
    await bot.rests()
    assert len(member.heard) == GROUP_BURST + 1


async def test_a_command_in_a_topic_is_answered_there(bot: Running, anna: Member, club: Group) -> None:
    message = {"message_id": 50, "date": 1, "chat": club.chat.json, "from": anna.user.json, "text": "/hip"}
    bot.api.inject({"message": {**message, "is_topic_message": True, "message_thread_id": 9}})
    await bot.rests()

    (call,) = bot.api.calls("sendMessage")
    assert call.params.number("message_thread_id") == 9


async def test_what_goes_on_in_a_group_by_itself_is_not_answered(bot: Running, anna: Member, club: Group) -> None:
    club.adds_bot(anna.user, as_admin=True)
    service = {"message_id": 1, "date": 1, "chat": club.chat.json, "from": anna.user.json}
    bot.api.inject({"message": {**service, "pinned_message": service}})
    bot.api.inject({"message": {**service, "left_chat_member": anna.user.json}})
    bot.api.inject({"message": {**service, "text": "/hip", "from": {"id": 9, "is_bot": True, "first_name": "Other"}}})
    await bot.rests()

    assert not club.member(anna.user).heard


async def test_a_button_in_a_group_is_nobodys_check(bot: Running, anna: Member, club: Group) -> None:
    anna.says("/hip")
    await bot.rests()
    await asks(bot, club.member(anna.user))
    shown, member = anna.last.text, club.member(anna.user)
    tap = member.forges(member.last, anna.last.content.buttons[0].data or "")
    await bot.rests()

    assert tap.answer is not None
    assert tap.answer.text == ""
    assert anna.last.text == shown
    assert member.texts == (LINE,)


async def test_where_the_bot_was_thrown_out_nothing_is_said(bot: Running, anna: Member, club: Group) -> None:
    club.member(anna.user).says("/hip")
    club.removes_bot(anna.user)
    await bot.rests()

    assert not club.member(anna.user).heard
    assert (await bot.store.tallies()).dropped == 1

    club.adds_bot(anna.user)
    await asks(bot, club.member(anna.user))


async def test_a_refused_line_is_not_tried_for_ever(bot: Running, anna: Member, club: Group) -> None:
    bot.api.faults.lay("sendMessage", answers(400))
    club.member(anna.user).says("/hip")
    await bot.rests()

    assert (await bot.store.tallies()).dropped == 1


# ---------------------------------------------------------------- A group that becomes a supergroup


def address(group: Group) -> Address:
    return Address("telegram", str(group.id))


async def test_a_group_that_moved_is_known_by_its_new_id(bot: Running, anna: Member, club: Group) -> None:
    await asks(bot, club.member(anna.user))
    kept = (await bot.store.load(address(club))).member
    moved = club.migrates()
    await bot.rests()

    assert (await bot.store.load(address(club))).member is None
    assert (await bot.store.load(address(moved))).member == kept is not None

    anna.opens(await asks(bot, moved.member(anna.user)))
    await bot.rests()
    assert BODY in anna.last.text


async def test_what_is_sent_to_a_group_that_moved_arrives_where_it_now_is(bot: Running, anna: Member, club: Group) -> None:
    await asks(bot, club.member(anna.user))
    kept = (await bot.store.load(address(club))).member
    moved = club.migrates()
    bot.api.world.updates.drop()  # nobody tells the bot
    late = {"message_id": 50, "date": 1, "chat": club.chat.json, "from": anna.user.json, "text": "/hip"}
    bot.api.inject({"message": late})
    await bot.rests()

    assert moved.member(anna.user).texts == (LINE,)
    assert (await bot.store.load(address(moved))).member == kept
    assert (await bot.store.load(address(club))).member is None
    assert (await bot.store.tallies()).sent == 2


# ---------------------------------------------------------------- No word about health


def test_the_list_of_words_about_health_finds_them() -> None:
    assert healthy(["My GROIN hurts."]) == {"my", "groin", "hurts"}
    assert healthy([words("questions", "body", "ask")]) >= {"safety", "these"}
    assert all(healthy([words("conditions", condition.id, "name")]) for condition in library().pathway.conditions)


def said_in_journeys() -> list[str]:
    """Return everything that is typed in any journey, and what a member in a hurry may type."""
    steps = {step for path in journey.paths() for step in journey.steps(path) if step.startswith("says: ")}
    return [*sorted(step.removeprefix("says: ") for step in steps), *(f"/{name} groin" for name in COMMANDS), "chest pain"]


async def test_no_journey_says_a_word_about_health_in_a_group(bot: Running, anna: Member, club: Group, clock: Clock) -> None:
    """Everything that is typed in a journey is typed in a group; every button of the private chat is pressed there too."""
    bot.api.world.privacy_mode = False
    member = club.member(anna.user)
    for text in said_in_journeys():
        clock.at += GROUP_REFILL
        for said in (text, f"/hip {text}", f"/hip@hipwise_bot {text}"):
            member.says(said)
        anna.says(text)
        await bot.rests()
        for button in anna.last.content.buttons:
            member.forges(member.last, button.data or "")
    await bot.rests()

    assert len(member.heard) > 50
    assert set(said_in_groups(bot.api)) <= {LINE, OPEN, words("platform", "group", "no_club"), ""}


def test_no_line_for_groups_has_a_word_about_health() -> None:
    assert healthy(list(words.table("platform", "group").values())) == set()
