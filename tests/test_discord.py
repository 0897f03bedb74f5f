"""A member on Discord, end to end: the real discord.py, real sockets, a strict Discord."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bots.discord.messenger import owed
from chat import Clock, library
from core.coaching import Coaching
from core.dialogue import Notice
from core.ledger import Kind, Owed
from core.members import Address
from core.replies import plain
from discord_api import Answer, DiscordApi, Member
from discord_chat import Running, running, words

ANNA, BEN = 4711, 815
BODY = words("questions", "body", "ask").splitlines()[0]
HEALTH = words("questions", "health", "ask").splitlines()[0]
DONE, WHY = words("ui", "buttons", "done"), words("ui", "buttons", "why")
TYPE, NEXT, PREVIOUS = (words("platform", "discord", key) for key in ("type", "next", "previous"))
NONE = words("questions", "body", "none")
EMERGENCY = words("dispositions", "emergency", "first").partition("{")[0]


@pytest.fixture
async def bot(tmp_path: Path, clock: Clock) -> AsyncIterator[Running]:
    """Give a bot that runs; nothing that was owed may be unaccounted for in the end, and nothing read by others."""
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock) as bot:
        yield bot
        await bot.rests()
        assert (await bot.store.tallies()).conserved
        assert api.said_in_public() == ()


@pytest.fixture
def anna(bot: Running) -> Member:
    """Give a member in the club's server."""
    return bot.member(ANNA, "Anna")


async def types(bot: Running, member: Member, *lines: str) -> None:
    for line in lines:
        member.types(line)
        await bot.rests()


async def clicks(bot: Running, member: Member, *labels: str) -> None:
    for label in labels:
        member.clicks(label)
        await bot.rests()


async def ticks(bot: Running, member: Member, *labels: str) -> None:
    """Leave the menu with these entries chosen."""
    member.selects(*(next(o for o in options(member) if label in o) for label in labels))
    await bot.rests()


def options(member: Member) -> list[str]:
    return [option.label for menu in member.last.content.menus for option in menu.options]


def ticked(member: Member) -> list[str]:
    return [option.label for menu in member.last.content.menus for option in menu.options if option.chosen]


# ---------------------------------------------------------------- In a server, for the member alone


async def test_a_check_in_a_server_is_seen_by_its_member_alone(bot: Running, anna: Member) -> None:
    ben = bot.member(BEN, "Ben")
    await types(bot, anna, "/hip")
    await ticks(bot, anna, "Numb")
    await clicks(bot, anna, DONE)
    await ticks(bot, anna, "1.")
    await clicks(bot, anna, DONE)

    assert EMERGENCY in anna.last.text
    assert len(anna.heard) == 2  # the questions are one message, the result is another
    assert {message.reader for message in anna.heard} == {anna.user}
    assert ben.heard == ()


async def test_questions_are_one_message_that_is_updated_in_place(bot: Running, anna: Member) -> None:
    await types(bot, anna, "/hip")
    await ticks(bot, anna, "Breathless", "Numb")
    assert len(ticked(anna)) == 2
    await ticks(bot, anna, "Numb")

    assert [label.split(" ")[1] for label in ticked(anna)] == ["Numb/tingly"]
    assert len(anna.heard) == 1
    assert [request.json["type"] for request in bot.api.calls("callback")] == [Answer.MESSAGE, Answer.UPDATE, Answer.UPDATE]


async def test_in_the_bots_conversation_nothing_is_ephemeral(bot: Running) -> None:
    anna = bot.dm(ANNA, "Anna")
    await types(bot, anna, "/hip")
    await clicks(bot, anna, NONE)

    assert HEALTH in anna.last.text
    assert [(message.reader, message.content.ephemeral) for message in anna.heard] == [(None, False)]


async def test_a_result_is_a_new_message_and_the_buttons_above_it_answer_politely(bot: Running, anna: Member) -> None:
    await to_result(bot, anna)
    question, result = anna.heard
    anna.clicks(DONE, question)
    await bot.rests()

    assert EMERGENCY in result.text
    assert result.content.colours
    assert words("ui", "old_button") in anna.last.text


async def test_what_is_on_tap_behind_a_result_leaves_the_result_standing(bot: Running, anna: Member) -> None:
    await to_result(bot, anna)
    result = anna.last
    await clicks(bot, anna, WHY)

    assert EMERGENCY in result.text
    assert anna.last is not result
    assert anna.last.reader == anna.user


async def to_result(bot: Running, member: Member) -> None:
    await types(bot, member, "/hip")
    await ticks(bot, member, "Numb")
    await clicks(bot, member, DONE)
    await ticks(bot, member, "1.")
    await clicks(bot, member, DONE)


async def test_who_installed_it_for_themselves_is_answered_alone_wherever_they_are(bot: Running) -> None:
    user, friend = bot.api.user(ANNA, "Anna"), bot.api.user(BEN, "Ben")
    bot.api.installs(user)
    anna, ben = bot.api.group(user, friend)
    await types(bot, anna, "/hip")
    await clicks(bot, anna, NONE)

    assert HEALTH in anna.last.text
    assert ben.heard == ()


async def test_one_check_goes_on_wherever_its_member_is(bot: Running) -> None:
    here, there = bot.member(ANNA, "Anna"), bot.dm(ANNA, "Anna")
    await types(bot, here, "/hip")
    await clicks(bot, here, NONE)
    await types(bot, there, "/hip")
    await clicks(bot, there, "Go on")

    assert HEALTH in there.last.text


# ---------------------------------------------------------------- Typed


async def test_an_answer_can_be_typed_into_a_form(bot: Running, anna: Member) -> None:
    await types(bot, anna, "/hip")
    await clicks(bot, anna, TYPE)
    anna.submits("3")
    await bot.rests()

    assert [label.split(" ")[1] for label in ticked(anna)] == ["Numb/tingly"]
    assert len(anna.heard) == 1


async def test_a_word_of_danger_in_a_form_is_answered_first(bot: Running, anna: Member) -> None:
    await types(bot, anna, "/hip")
    await clicks(bot, anna, TYPE)
    anna.submits("I cannot feel my legs " * 180)
    await bot.rests()

    assert len(anna.heard) >= 1
    assert bot.api.calls("callback")[-1].status == 204


@pytest.mark.parametrize("most", ["x" * 4000, "\U0001f9b4" * 2000, "@everyone " * 400, "\n" * 3999 + "3"])
async def test_the_longest_answer_that_a_form_takes_is_answered(bot: Running, anna: Member, most: str) -> None:
    await types(bot, anna, "/hip")
    await clicks(bot, anna, TYPE)
    anna.submits(most)
    await bot.rests()

    assert (await bot.store.tallies()).sent == 2
    assert [BODY in message.text for message in anna.heard] == [True]


async def test_what_is_written_to_the_bot_is_answered_there(bot: Running) -> None:
    anna = bot.dm(ANNA, "Anna")
    anna.says("/hip")
    await bot.rests()
    anna.says("3")
    await bot.rests()

    assert [label.split(" ")[1] for label in ticked(anna)] == ["Numb/tingly"]
    for call in bot.api.calls("send"):
        assert call.json["enforce_nonce"] is True
        assert call.json["allowed_mentions"] == {"parse": []}


async def test_what_members_say_to_each_other_is_nobodys_answer(bot: Running, anna: Member) -> None:
    anna.says("/hip")
    await bot.rests()

    assert anna.heard == ()
    assert not bot.api.calls("send")


async def test_topics_are_suggested_and_looked_up(bot: Running, anna: Member) -> None:
    asked = anna.begins("/care topic:groin")
    await bot.rests()
    assert asked.choices
    await types(bot, anna, f"/care topic:{asked.choices[0]}")

    assert anna.last.text.partition("\n")[0].endswith(asked.choices[0])


# ---------------------------------------------------------------- Buttons that are old, strange or somebody else's


async def test_buttons_work_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    async with DiscordApi(now=clock) as api:
        async with running(tmp_path, api, now=clock) as bot:
            anna = bot.member(ANNA, "Anna")
            await types(bot, anna, "/hip")
            await ticks(bot, anna, "Numb")
            await clicks(bot, anna, TYPE)
        async with running(tmp_path, api, now=clock) as bot:
            anna.submits("6")
            await bot.rests()
            assert len(ticked(anna)) == 2
            await clicks(bot, anna, DONE)

    assert len(anna.heard) == 1
    assert "Which" in anna.last.text


async def test_the_button_of_another_member_is_answered_politely_to_who_pressed_it(bot: Running, anna: Member) -> None:
    ben = bot.member(BEN, "Ben")
    await types(bot, anna, "/hip")
    await types(bot, ben, "/hip")
    before = anna.last.text
    theirs = next(button.custom_id for button in anna.last.content.buttons if button.label == NONE)
    ben.presses(ben.last, theirs or "")
    await bot.rests()

    assert anna.last.text == before
    assert HEALTH not in ben.last.text
    assert BODY in ben.last.text


@pytest.mark.parametrize(
    "custom_id",
    [
        "x",
        "hip:",
        "hip:aaaaaa.ffffffffffff.1.none",
        "menu:",
        "menu:x",
        "page:",
        "page:0:",
        "page:9:x",
        "page:1:" + "f" * 16,
        "\x00" * 100,
    ],
)
async def test_a_strange_button_gets_a_polite_answer(bot: Running, anna: Member, custom_id: str) -> None:
    await types(bot, anna, "/hip")
    pressed = anna.presses(anna.last, custom_id, values=["x"])
    await bot.rests()

    assert pressed.answer is not None
    assert BODY in anna.last.text


async def test_an_event_of_any_shape_ends_nothing(bot: Running, anna: Member) -> None:
    whole: list[dict[str, object]] = [
        {},
        {"id": "1"},
        {"id": 1, "type": "2", "token": None},
        {"id": "x", "application_id": "y", "type": 2, "token": "t"},
        {"id": "1", "application_id": "1", "type": 3, "token": "\n", "user": {"id": "7"}},
        {"id": "1", "application_id": "1", "type": 3, "token": "t", "user": {"id": "../../7"}},
        {"id": "1", "application_id": "1", "type": 99, "token": "t", "user": {"id": "7"}, "data": {}},
    ]
    for json in whole:
        bot.api.inject(json, whole=True)
    shapes: list[object] = [None, [], {"custom_id": 7}, {"name": "hip", "options": "x"}, {"custom_id": "menu:x", "values": [1]}]
    for data in shapes:
        for kind in range(7):
            bot.api.inject({"type": kind, "data": data})
    await types(bot, anna, "/hip")

    assert BODY in anna.last.text
    assert not bot.running.done()


async def test_a_command_that_is_not_known_is_answered(bot: Running, anna: Member) -> None:
    anna.forges("nosuch", [{"name": "x", "type": 3, "value": "y"}])
    await bot.rests()

    assert anna.last.reader == anna.user


# ---------------------------------------------------------------- What does not fit one message


async def test_what_is_too_long_is_paged_in_place_also_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    long = Notice("\n\n".join(f"Paragraph {n}. " + "word " * 100 for n in range(20)))
    async with DiscordApi(now=clock) as api:
        async with running(tmp_path, api, now=clock) as bot:
            anna = bot.dm(ANNA, "Anna")
            to = owed([long], clock(), str(anna.channel.id))
            bot.outreach.send(await bot.store.plan(Address("discord", str(ANNA)), to))
            await bot.rests()
            first = anna.last.text
            await clicks(bot, anna, NEXT)
        async with running(tmp_path, api, now=clock) as bot:
            second = anna.last.text
            await clicks(bot, anna, PREVIOUS)
            assert anna.last.text == first != second
            clock.moves(days=2)
            await bot.store.purge(clock())
            await clicks(bot, anna, NEXT)

    assert words("ui", "forged_button") in anna.last.text
    assert "Paragraph 19" not in first
    assert "Paragraph 7" in first + second


# ---------------------------------------------------------------- What members own


async def test_what_the_bot_said_in_its_conversation_goes_when_its_member_asks_for_it(bot: Running) -> None:
    anna = bot.dm(ANNA, "Anna")
    await types(bot, anna, "/hip")
    anna.says("hello")
    await bot.rests()
    before = len(anna.heard)
    await types(bot, anna, "/forget")
    await clicks(bot, anna, words("privacy", "forget", "messages"))

    assert before >= 2
    assert BODY not in "".join(anna.texts)
    assert (await bot.store.tallies()).open == 0


async def test_a_copy_of_what_is_kept_comes_as_a_file_to_its_member_alone(bot: Running, anna: Member) -> None:
    await to_result(bot, anna)
    await types(bot, anna, "/mydata")
    await clicks(bot, anna, words("privacy", "mydata", "export_json"))

    assert [file.kind for file in anna.last.content.files]
    assert b"history" in anna.last.content.files[0].data
    assert anna.last.reader == anna.user


# ---------------------------------------------------------------- Two chats of one member


def code_of(member: Member) -> str:
    """Return the code that a member was shown last."""
    found = re.search(r"\b\w{3}-\w{3}-\w{3}\b", member.last.text)
    assert found is not None
    return found[0]


@pytest.mark.parametrize("made_in", ["a server", "the conversation"])
async def test_two_chats_are_joined_by_a_code_and_the_question_comes_where_it_was_made(
    bot: Running, anna: Member, made_in: str
) -> None:
    ben, maker = bot.member(BEN, "Ben"), anna if made_in == "a server" else bot.dm(ANNA, "Anna")
    await types(bot, maker, "/hip", "/link")
    await types(bot, ben, f"/link code:{code_of(maker)}")
    assert words("link", "confirm", app="Discord") in maker.last.text
    await clicks(bot, maker, words("link", "buttons", "yes"))
    assert words("link", "joined", app="Discord") in ben.last.text

    await types(bot, ben, "/hip")
    await clicks(bot, ben, words("ui", "buttons", "go_on"))

    assert BODY in ben.last.text
    assert not bot.api.calls("open_dm")


async def test_the_question_takes_the_place_of_no_screen_and_is_there_when_it_is_asked_for(bot: Running, anna: Member) -> None:
    ben = bot.member(BEN, "Ben")
    await types(bot, anna, "/link")
    code = code_of(anna)
    await types(bot, anna, "/hip")
    await types(bot, ben, f"/link code:{code}")
    assert BODY in anna.last.text
    assert (await bot.store.tallies()).dropped == 1

    await types(bot, anna, "/link")

    assert words("link", "confirm", app="Discord") in anna.last.text


# ---------------------------------------------------------------- What is written first


async def test_only_the_conversation_that_a_member_has_opened_is_written_to_first(
    bot: Running, anna: Member, clock: Clock
) -> None:
    question, address = plain(Notice("How did today's run feel?")), Address("discord", str(ANNA))
    ahead = Owed(Kind.CHECK_IN, question, clock(), clock() + timedelta(hours=3), "run:1")
    await types(bot, anna, "/hip")
    await bot.store.plan(address, [ahead])
    await bot.outreach.send_due()
    await bot.rests()
    assert (await bot.store.tallies()).dropped == 1

    here = bot.dm(ANNA, "Anna")
    here.says("/help")
    await bot.rests()
    await bot.store.plan(address, [replace(ahead, occurrence="run:2")])
    await bot.outreach.send_due()
    await bot.rests()
    assert "How did today" in here.last.text

    here.says("/forget")  # and it is not forgotten for good which conversation that is
    await bot.rests()
    await clicks(bot, here, words("privacy", "forget", "yes"))
    here.says("/help")
    await bot.rests()
    await bot.store.plan(address, [replace(ahead, occurrence="run:3")])
    await bot.outreach.send_due()
    await bot.rests()
    assert "How did today" in here.last.text
    assert not bot.api.calls("open_dm")


async def test_whoever_asks_for_check_ins_in_a_server_is_told_to_write_in_private_once(tmp_path: Path, clock: Clock) -> None:
    open_it, coaching = words("checkins", "reach", "unopened"), Coaching(library())
    async with DiscordApi(now=clock) as api, running(tmp_path, api, now=clock, coaching=coaching) as bot:
        anna = bot.member(ANNA, "Anna")
        await types(bot, anna, "/checkins")
        assert open_it in anna.last.text
        await clicks(bot, anna, words("checkins", "ages", "adult"))
        assert open_it in anna.last.text

        here = bot.dm(ANNA, "Anna")
        here.says("/tips")
        await bot.rests()
        assert open_it not in here.last.text
        await types(bot, anna, "/tips")
        assert open_it not in anna.last.text
