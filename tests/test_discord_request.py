"""How Discord is asked: what was surely not done, what may have been, what was refused; and how much is asked at all."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bots.discord.limits import INVALID_FOR, MOST_AT_ONCE, MOST_INVALID, WITHIN
from bots.discord.request import Breaker, MaybeSent, NotSent, Refusal, Requests, Window
from discord_api import TOKEN, DiscordApi, Fault, Reset, Silence, answers, bans, holds, refuses
from discord_api.faults import Answers


@dataclass
class Seconds:
    """A clock that is moved by hand."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
async def api() -> AsyncIterator[DiscordApi]:
    async with DiscordApi() as opened:
        yield opened


@pytest.fixture
async def requests(api: DiscordApi) -> AsyncIterator[Requests]:
    asking = Requests(api.url, TOKEN, Seconds())
    yield asking
    await asking.close()


# ---------------------------------------------------------------- What became of it


async def test_an_answer_is_returned(api: DiscordApi, requests: Requests) -> None:
    assert (await requests.ask("GET", "/users/@me", token=True))["id"] == str(api.bot.id)


@pytest.mark.parametrize(
    "fault",
    [
        *(answers(status) for status in (500, 502, 503, 504, 520)),
        *(Reset(), Reset(done=True), Reset(closed=True), Silence(), Silence(done=True)),
        Answers(status=200, body=b'{"id": "1'),
        Answers(status=302, body=b"", headers={"Location": "http://127.0.0.1:1/"}),
        Answers(status=200, body=b"x" * 9_000_000),
        Answers(status=200, body=b"\xff"),
    ],
)
async def test_of_what_has_no_answer_nothing_is_known(api: DiscordApi, requests: Requests, fault: Fault) -> None:
    channel = api.dm(api.user(7, "Anna")).channel
    api.faults.lay("typing", fault)

    with pytest.raises(MaybeSent) as raised:
        await requests.ask("POST", f"/channels/{channel.id}/typing", token=True, within=0.3)
    assert raised.value.__cause__ is raised.value.__context__ is None
    assert "127.0.0.1" not in str(raised.value)


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (holds(0.3), 0.3),
        (holds(30, scope="global"), 30),
        (bans(), 600),
        (Answers(status=429, body=b"{}"), 5),
        (Answers(status=429, body=b'{"retry_after": "soon"}', headers={"Retry-After": "7"}), 7),
        (Answers(status=429, body=b'{"retry_after": -1}'), 5),
        (Answers(status=429, body=b'{"retry_after": 1e99}'), 24 * 3600),
        (Answers(status=429, body=b"[]"), 5),
    ],
)
async def test_who_is_held_knows_for_how_long(api: DiscordApi, requests: Requests, fault: Fault, seconds: float) -> None:
    api.faults.lay("me", fault)

    with pytest.raises(NotSent) as raised:
        await requests.ask("GET", "/users/@me", token=True)
    assert (raised.value.seconds, raised.value.held) == (seconds, True)


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (refuses(50007), 403, 50007),
        (answers(401), 401, 0),
        (Answers(status=404, body=b"<html>"), 404, 0),
        (Answers(status=400, body=b'{"code": "x"}'), 400, 0),
        (Answers(status=400, body=b"[" * 10_000), 400, 0),
    ],
)
async def test_a_refusal_says_why(api: DiscordApi, requests: Requests, fault: Fault, status: int, code: int) -> None:
    api.faults.lay("me", fault)

    with pytest.raises(Refusal) as raised:
        await requests.ask("GET", "/users/@me", token=True)
    assert (raised.value.status, raised.value.code) == (status, code)


@pytest.mark.parametrize("root", ["http://127.0.0.1:1", "nonsense://x", "http://"])
async def test_what_never_left_was_surely_not_done(root: str) -> None:
    requests = Requests(root, TOKEN, Seconds())

    with pytest.raises(NotSent) as raised:
        await requests.ask("GET", "/users/@me")
    assert not raised.value.held
    await requests.close()


async def test_once_closed_nothing_is_asked(requests: Requests) -> None:
    await requests.close()

    with pytest.raises(NotSent):
        await requests.ask("GET", "/users/@me")


async def test_only_what_needs_the_token_shows_it(api: DiscordApi, requests: Requests) -> None:
    with pytest.raises(Refusal) as raised:
        await requests.ask("GET", "/users/@me")

    assert raised.value.status == 401


# ---------------------------------------------------------------- How much


async def test_too_many_refusals_end_the_asking_until_they_are_old() -> None:
    clock = Seconds()
    breaker = Breaker(clock)
    invalid = ((401, 403, 429)[n % 3] for n in range(MOST_INVALID // 2))
    for status in (404, 200, None, *invalid):
        clock.at += 1
        await breaker.begin(token=True)
        breaker.end(status)

    with pytest.raises(NotSent) as raised:
        await breaker.begin(token=True)
    assert raised.value.seconds == INVALID_FOR.total_seconds() - MOST_INVALID // 2 + 1
    await breaker.begin(token=False)  # members who ask by themselves are answered still
    clock.at += raised.value.seconds
    await breaker.begin(token=True)


async def test_even_for_members_who_ask_there_is_an_end() -> None:
    breaker = Breaker(Seconds())
    for _ in range(MOST_INVALID - 1):
        await breaker.begin(token=False)
        breaker.end(403)

    with pytest.raises(NotSent):
        await breaker.begin(token=False)


async def test_as_many_as_ask_at_once_no_more_are_refused(api: DiscordApi, requests: Requests) -> None:
    """Whether one is refused is known only later: so no more are under way than may all be refused."""
    api.faults.lay("callback", answers(403), times=None)
    asked = (requests.ask("POST", f"/interactions/{n}/t/callback", {"type": 5}) for n in range(3 * MOST_INVALID))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)

    assert api.invalid() == MOST_INVALID - 1
    assert sum(isinstance(one, NotSent) for one in outcomes) == 2 * MOST_INVALID + 1


async def test_what_waits_for_others_to_come_back_is_asked_then(api: DiscordApi, requests: Requests) -> None:
    asked = (requests.ask("POST", f"/interactions/{n}/t/callback", {"type": 5}) for n in range(3 * MOST_INVALID))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)

    assert [getattr(one, "status", one) for one in outcomes] == [404] * 3 * MOST_INVALID


async def test_no_more_than_so_many_go_in_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Seconds()
    gone: list[float] = []

    async def sleep(seconds: float) -> None:
        gone[-1] += seconds

    monkeypatch.setattr("bots.discord.request.asyncio.sleep", sleep)
    window = Window(clock)
    for n in range(200):
        clock.at += 0.1 if n % 50 == 0 else 0.0
        gone.append(clock.at)
        await window.wait()

    assert all(sum(start <= at < start + WITHIN for at in gone) <= MOST_AT_ONCE for start in gone)
    assert gone == sorted(gone)
