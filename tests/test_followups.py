"""A result that someone asked to be asked about: when, what is asked, and what the answers raise."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from chat import library
from coaching_chat import Runner
from core import followups
from core.clinical import Disposition
from core.coaching.following import Following
from core.coaching.told import Here
from core.dialogue import Tap
from core.diary import Diary, FollowUp
from core.followups import Ask, Course, Seen
from core.members import Preferences
from core.tips import to_be_seen

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
KNOWN = library().checkins
words = library().words
FIRST = ("age_18_44", "place_outer_hip", "run_builds")
REFERENCE = Disposition.SELF_CARE


def result(urgency: Disposition, **changes: object) -> FollowUp:
    new = FollowUp("0123abcd", "check", urgency.value, FIRST, MONDAY)
    return replace(new, **changes)  # type: ignore[arg-type] # a test knows its fields


def said(*key: str, **values: object) -> str:
    return words("checkins", *key, **values)


def asked_about(urgency: Disposition) -> Runner:
    """Return a member who asked to be asked about a result of Monday."""
    member = Runner()
    member.diary = Diary(follow_ups=(result(urgency),))
    return member


def receives(member: Runner) -> str:
    """Move to the next occasion, and receive its message."""
    follow_up = member.diary.follow_ups[-1]
    member.clock.at = followups.windows(member.diary, KNOWN, follow_up)[follow_up.asked].due
    prompt = Following(library(), Here(member.diary, Preferences(), member.clock.at, ""), follow_up).opening()
    member.receives(prompt)
    return prompt.text


async def tells(member: Runner, *answers: str) -> None:
    for answer in answers:
        step = "seen" if answer in set(Seen) else "course"
        await member.taps(said("answers", step, answer))


# ---------------------------------------------------------------- When


@pytest.mark.parametrize(
    ("urgency", "days"),
    [("emergency", (2, 7)), ("same_day", (2, 7)), ("within_days", (7, 21)), ("routine", (7, 21)), ("self_care", (7, 21))],
)
def test_each_urgency_is_asked_about_on_its_days(urgency: str, days: tuple[int, ...]) -> None:
    planned = followups.windows(Diary(), KNOWN, result(Disposition(urgency)))
    assert tuple((window.due - MONDAY).days for window in planned) == days


def test_it_waits_for_the_end_of_quiet_hours() -> None:
    late = replace(result(Disposition.SAME_DAY), began=MONDAY.replace(hour=23))
    [first, _] = followups.windows(Diary(), KNOWN, late)
    assert first.due == datetime(2026, 11, 26, 8, tzinfo=UTC)


def test_an_occasion_that_nobody_answered_is_over_and_the_last_ends_all() -> None:
    follow_up = result(Disposition.SAME_DAY)
    assert followups.passed(Diary(), KNOWN, follow_up, MONDAY + timedelta(days=2, hours=23)) == follow_up
    once = followups.passed(Diary(), KNOWN, follow_up, MONDAY + timedelta(days=4))
    assert (once.asked, once.closed) == (1, None)
    ended = followups.passed(Diary(), KNOWN, once, MONDAY + timedelta(days=9))
    assert (ended.closed is not None, ended.findings, ended.answers) == (True, (), ())


# ---------------------------------------------------------------- What the answers raise


def test_no_answer_lowers_and_worse_never_raises_less() -> None:
    order = [Course.GONE, Course.BETTER, Course.SAME, Course.WORSE]
    for urgency, days in product(Disposition, (0, 2, 7, 8, 21, 40)):
        levels = [followups.raised(KNOWN, result(urgency), course, MONDAY + timedelta(days=days)) for course in order]
        assert levels == sorted(levels)
        assert levels[0] == levels[1] == urgency


def test_waiting_longer_never_raises_less() -> None:
    for urgency, course in product(Disposition, Course):
        levels = [followups.raised(KNOWN, result(urgency), course, MONDAY + timedelta(days=d)) for d in range(40)]
        assert levels == sorted(levels)


@pytest.mark.parametrize(
    ("urgency", "days", "course", "to"),
    [
        ("self_care", 7, "same", "routine"),
        ("self_care", 21, "same", "within_days"),
        ("routine", 7, "same", "routine"),
        ("routine", 21, "same", "within_days"),
        ("within_days", 7, "same", "same_day"),
        ("self_care", 2, "worse", "routine"),
        ("routine", 7, "worse", "within_days"),
        ("same_day", 2, "worse", "same_day"),
        ("emergency", 2, "worse", "emergency"),
        ("self_care", 21, "better", "self_care"),
    ],
)
def test_what_is_raised(urgency: str, days: int, course: str, to: str) -> None:
    follow_up = result(Disposition(urgency))
    assert followups.raised(KNOWN, follow_up, Course(course), MONDAY + timedelta(days=days)) is Disposition(to)


# ---------------------------------------------------------------- As members have it


@pytest.mark.parametrize("urgency", list(Disposition))
def test_the_message_says_nothing_of_health_and_can_be_stopped(urgency: Disposition) -> None:
    member = asked_about(urgency)
    text = receives(member)

    assert not set(text.casefold().split()) & {"pain", "hip", "hurt", "doctor", "seen"}
    assert said("buttons", "stop_again") in [b.label for b in member.prompt.choices]


async def test_better_is_good_and_it_is_asked_once_more() -> None:
    member = asked_about(Disposition.SELF_CARE)
    receives(member)
    await tells(member, "better")

    assert said("course", "better") in member.text
    assert said("once_more") in member.text
    assert words("findings", "run_builds") in member.text
    assert not member.diary.follow_ups[-1].closed


async def test_no_better_after_a_week_at_home_is_to_be_looked_at() -> None:
    member = asked_about(Disposition.SELF_CARE)
    receives(member)
    await tells(member, "same")

    assert said("limits", "home_care_a_week") in member.text
    assert words("dispositions", "routine", "first") in member.text


async def test_not_seen_is_told_again_what_was_to_be_done() -> None:
    member = asked_about(Disposition.SAME_DAY)
    receives(member)
    await tells(member, "no")

    assert said("not_seen") in member.text
    assert words("dispositions", "same_day", "first", urgent=words("ui", "urgent_fallback")) in member.text
    assert member.prompt.question == "followup_course"


async def test_worse_begins_a_check_with_what_still_holds() -> None:
    member = asked_about(Disposition.ROUTINE)
    receives(member)
    await tells(member, "worse")

    assert member.session
    assert member.session.given == ("age_18_44", "place_outer_hip", "course_worse")
    assert member.prompt.question == "body"
    assert member.diary.follow_ups[-1].closed


async def test_gone_ends_it() -> None:
    member = asked_about(Disposition.SELF_CARE)
    receives(member)
    await tells(member, "gone")

    assert member.text == said("course", "gone")
    assert member.diary.follow_ups[-1].closed


async def test_who_was_seen_is_not_asked_that_again() -> None:
    member = asked_about(Disposition.SAME_DAY)
    receives(member)
    await tells(member, "yes", "better")
    assert receives(member) == said("open", "again")

    await tells(member, "better")
    assert member.diary.follow_ups[-1].closed


async def test_either_copy_closes_both_and_a_late_one_changes_nothing() -> None:
    member = asked_about(Disposition.ROUTINE)
    receives(member)
    copy = member.prompt
    await tells(member, "better")
    before = member.diary
    await member.sends(Tap(member.address, copy.choices[0].tap))
    assert member.diary == before

    member.clock.moves(days=60)
    await member.sends(Tap(member.address, copy.choices[0].tap))
    assert said("followup_over") in member.text
    assert member.diary == before


def passes(member: Runner, **time: float) -> None:
    """Let time go by, and the occasions in it, as planning does."""
    member.clock.moves(**time)
    [kept] = member.diary.follow_ups
    member.diary = member.diary.with_follow_up(followups.passed(member.diary, KNOWN, kept, member.clock()))


@pytest.mark.parametrize("course", ["same", "worse"])
async def test_how_soon_to_be_seen_stands_first_where_that_is_sooner_now(course: str) -> None:
    member = asked_about(Disposition.SELF_CARE)
    receives(member)
    await tells(member, course)

    assert member.text.startswith(words("dispositions", "routine", "first"))


async def test_an_answer_after_its_occasion_shows_the_question_and_takes_nothing_from_the_next() -> None:
    member = asked_about(Disposition.SELF_CARE)
    receives(member)
    late = member.prompt
    passes(member, days=2)
    await member.sends(Tap(member.address, late.choices[2].tap))
    assert [reply.text for reply in member.last] == [said("ask", "course")]
    assert not member.diary.follow_ups[-1].answers

    await tells(member, "same")
    assert said("limits", "home_care_a_week") in member.text
    assert said("once_more") in member.text
    assert receives(member) == said("open", "again")
    assert member.clock.at == MONDAY + timedelta(days=21)
    await tells(member, "same")
    assert said("limits", "home_care_three_weeks") in member.text
    assert member.diary.follow_ups[-1].closed


@pytest.mark.parametrize("typed", ["1", "2", "3", "4", "5"])
async def test_a_number_that_answers_how_it_is_presses_nothing(typed: str) -> None:
    member = asked_about(Disposition.ROUTINE)
    receives(member)
    before = member.diary
    await member.says(typed)

    assert member.diary == before
    assert member.text == "\n".join((said("not_caught_words"), said("ask", "course")))


async def test_an_answer_to_an_older_message_shows_the_newer_question() -> None:
    member = asked_about(Disposition.ROUTINE)
    receives(member)
    older = member.prompt
    passes(member, days=13)
    receives(member)
    await member.sends(Tap(member.address, older.choices[1].tap))

    assert [reply.text for reply in member.last] == [said("ask", "course")]


async def test_what_was_answered_is_not_asked_again_before_its_next_time() -> None:
    member = asked_about(Disposition.ROUTINE)
    receives(member)
    copy = member.prompt
    await tells(member, "better")
    await member.sends(Tap(member.address, copy.choices[0].tap))

    assert [reply.text for reply in member.last] == [said("answered")]


async def test_between_two_occasions_words_are_no_answer_to_either() -> None:
    member = asked_about(Disposition.ROUTINE)
    receives(member)
    await tells(member, "better")
    await member.says("worse")
    assert member.led is None

    missed = asked_about(Disposition.ROUTINE)
    receives(missed)
    passes(missed, days=3)
    await missed.says("a bit better")
    assert missed.diary.follow_ups[-1].answers == ("better",)

    ignored = asked_about(Disposition.ROUTINE)
    receives(ignored)
    passes(ignored, days=5)
    await ignored.says("a bit better")
    assert ignored.led is None


@pytest.mark.parametrize(("answers", "left"), [(("same", "same"), ("same",)), (("better", "worse"), ("worse",))])
async def test_once_it_is_over_only_how_it_was_at_last_is_kept(answers: tuple[str, ...], left: tuple[str, ...]) -> None:
    member = asked_about(Disposition.ROUTINE)
    for answer in answers:
        receives(member)
        await tells(member, answer)

    [over] = member.diary.follow_ups
    assert (over.closed is not None, over.findings, over.answers) == (True, (), left)
    assert to_be_seen(KNOWN.scale, member.diary, member.clock())  # so that no tip comes


async def test_an_answer_can_be_typed() -> None:
    member = asked_about(Disposition.ROUTINE)
    receives(member)
    await member.says("a bit better")

    assert member.diary.follow_ups[-1].answers == ("better",)


def test_an_answer_that_the_question_does_not_have_changes_nothing() -> None:
    for ask in Ask:
        assert followups.answered(KNOWN, result(REFERENCE), ask, 9, MONDAY) is None
