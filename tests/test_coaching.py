"""Check-ins as members have them: asked about a run, answered by taps or in words, and sent to the check where it is red."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from chat import library
from coaching_chat import Runner
from core import backing_off, checkins
from core.checkins import Step
from core.dialogue import Prompt, Tap
from core.diary import Age, Diary, Light, Origin, Place, Quiet
from core.occasions import Occasion

EVENING = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
"""A Tuesday: an hour of running, and asked at 20:00."""
words = library().words


def said(*key: str, **values: object) -> str:
    return words("checkins", *key, **values)


def label(key: str) -> str:
    step, _, answer = key.partition("_")
    return said("answers", step, answer)


@pytest.fixture
def runner() -> Runner:
    """Give a member in UTC who is asked about a run of Tuesday evening."""
    member = Runner()
    member.diary = Diary(age=Age.ADULT)
    member.ran(EVENING)
    return member


async def tells(runner: Runner, worst: str, place: str, built: str = "built_no", limp: str = "limp_no") -> None:
    await runner.taps(label("ran_yes"), worst, said("places", place))
    if runner.led and not runner.led.begins:
        await runner.taps(label(built))
    if runner.led and not runner.led.begins:
        await runner.taps(label(limp))


def light(runner: Runner) -> Light | None:
    return runner.diary.askings[-1].light


def asks(runner: Runner) -> str:
    return runner.prompt.question


# ---------------------------------------------------------------- What is written first


def test_a_message_that_comes_by_itself_says_nothing_of_health(runner: Runner) -> None:
    for step in Step:
        text = opening(runner, step).text
        assert not set(text.casefold().split()) & {"pain", "hip", "hurt", "hurts", "sore", "limp", "night"}


def opening(runner: Runner, step: Step) -> Prompt:
    from core.coaching.asked import Asked

    return Asked(library(), runner.diary, runner.diary.askings[-1]).opening(step, runner.clock.at.date())


@pytest.mark.parametrize("step", list(Step))
def test_every_message_of_a_check_in_can_be_stopped_with_one_tap(runner: Runner, step: Step) -> None:
    from core.coaching.asked import Asked

    drawn = Asked(library(), runner.diary, runner.diary.askings[-1])
    for prompt in (drawn.opening(step, EVENING.date()), drawn.question(step)):
        assert said("buttons", "stop") in [b.label for b in prompt.choices]


@pytest.mark.parametrize(("days", "key"), [(0, "today"), (1, "yesterday")])
def test_the_message_names_the_day_of_the_run(runner: Runner, days: int, key: str) -> None:
    from core.coaching.asked import Asked

    drawn = Asked(library(), runner.diary, runner.diary.askings[-1])
    assert drawn.opening(Step.RAN, EVENING.date() + timedelta(days=days)).text.startswith(said("open", key))


# ---------------------------------------------------------------- Taps


async def test_no_run_is_one_tap(runner: Runner) -> None:
    runner.asked()
    await runner.taps(label("ran_no"))

    assert runner.text == said("not_run")
    assert runner.diary.askings[-1].closed


async def test_no_pain_is_two_taps_and_green(runner: Runner) -> None:
    runner.asked()
    await runner.taps(label("ran_yes"), label("worst_none"))

    assert runner.text == said("lights", "none")
    assert runner.diary.askings[-1].closed


async def test_pain_is_five_taps_and_two_next_morning(runner: Runner) -> None:
    runner.asked()
    await tells(runner, "2", "outer_hip")
    assert light(runner) is Light.GO
    assert said("tomorrow") in runner.text
    assert not runner.diary.askings[-1].closed

    runner.asked()
    await runner.taps(label("worse_no"), label("night_no"))
    assert light(runner) is Light.GO
    assert runner.diary.askings[-1].closed


async def test_worse_next_morning_steps_back(runner: Runner) -> None:
    runner.asked()
    await tells(runner, "2", "outer_hip")
    runner.asked()
    await runner.taps(label("worse_yes"), label("night_no"))

    assert light(runner) is Light.STEP_BACK


@pytest.mark.parametrize(("number", "light_key"), [("3", "go"), ("4", "hold"), ("5", "hold"), ("6", "step_back")])
async def test_the_number_leads_to_its_light(runner: Runner, number: str, light_key: str) -> None:
    runner.asked()
    await tells(runner, number, "sit_bone")

    assert light(runner) is Light(light_key)


@pytest.mark.parametrize("place", [p for p in Place if p not in library().checkins.scale.places])
async def test_an_alarming_place_goes_to_the_check_at_once_with_what_was_told(runner: Runner, place: Place) -> None:
    runner.asked()
    await tells(runner, "1", place.value)

    assert light(runner) is Light.RED
    assert asks(runner) == "body"
    assert runner.session
    assert set(runner.session.given) == {*library().checkins.places[place], "pain_0_3"}


@pytest.mark.parametrize(
    ("built", "limp", "given"),
    [
        ("built_yes", "limp_no", {"run_builds"}),
        ("built_no", "limp_yes", {"walk_limp"}),
        ("built_no", "limp_still", {"rest_pain"}),
        ("built_no", "limp_both", {"walk_limp", "rest_pain"}),
    ],
)
async def test_a_red_sign_goes_to_the_check_at_once(runner: Runner, built: str, limp: str, given: set[str]) -> None:
    runner.asked()
    await tells(runner, "1", "outer_hip", built, limp)

    assert asks(runner) == "body"
    assert runner.session
    assert set(runner.session.given) == {"place_outer_hip", "pain_0_3", *given}


async def test_pain_at_night_goes_to_the_check_in_the_morning(runner: Runner) -> None:
    runner.asked()
    await tells(runner, "1", "outer_hip")
    runner.asked()
    await runner.taps(label("worse_no"), label("night_yes"))

    assert runner.session
    assert "night_any_position" in runner.session.given
    assert asks(runner) == "body"


async def test_what_was_given_is_on_the_review_card_and_counts(runner: Runner) -> None:
    runner.asked()
    await tells(runner, "2", "groin")
    await runner.taps(words("ui", "buttons", "review"))
    place = f"{words('ui', 'short', 'place')}: {words('questions', 'place', 'choices', 'groin')}"
    assert runner.text.splitlines()[1] == f"1. {place}"
    assert len(runner.text.splitlines()) == 3  # and how bad it is

    await runner.taps(words("ui", "buttons", "go_on"))
    verdict = await runner.answers({"age_18_44", "run_stopped"})
    assert words("findings", "place_groin_front") in verdict.text


async def test_red_joins_a_check_that_is_open(runner: Runner) -> None:
    runner.clock.at = EVENING
    await runner.says("/hip")
    await runner.chooses()
    runner.asked()
    await tells(runner, "2", "groin")

    assert asks(runner) == "health"
    assert runner.session
    assert [a.question for a in runner.session.answers] == ["body"]
    assert "place_groin_front" in runner.session.given


async def test_the_light_says_what_it_rests_on_and_can_be_changed(runner: Runner) -> None:
    runner.asked()
    await tells(runner, "4", "muscle")
    await runner.taps(words("ui", "buttons", "basis"))
    assert library().sources["PMMBIM"].title in runner.text
    assert words("judgements", "scale_for_few_places") in runner.text

    runner.receives(runner.said[-2])
    await runner.taps(said("buttons", "redo"), label("ran_yes"), label("worst_none"))
    assert light(runner) is Light.GO


async def test_back_takes_the_last_answer_back(runner: Runner) -> None:
    runner.asked()
    await runner.taps(label("ran_yes"), "7", words("ui", "buttons", "back"), "2")

    assert runner.diary.askings[-1].worst == 2
    assert asks(runner) == "checkin_place"


# ---------------------------------------------------------------- Twice, late, gone


async def test_either_copy_of_a_message_closes_both(runner: Runner) -> None:
    first, second = runner.asked(), opening(runner, Step.RAN)
    await runner.taps(label("ran_yes"))
    before = runner.diary
    await runner.sends(Tap(runner.address, second.choices[0].tap))

    assert runner.notice.text == said("answered")
    assert asks(runner) == "checkin_worst"
    assert runner.diary == before
    assert first.choices[0].tap == second.choices[0].tap


async def test_a_button_from_before_going_back_changes_nothing(runner: Runner) -> None:
    runner.asked()
    await runner.taps(label("ran_yes"))
    old = runner.button("3").tap
    await runner.taps("7", words("ui", "buttons", "back"))
    before = runner.diary
    await runner.sends(Tap(runner.address, old))

    assert runner.notice.text == said("answered")
    assert runner.diary == before


async def test_a_press_after_the_end_changes_nothing(runner: Runner) -> None:
    prompt = runner.asked()
    await runner.taps(label("ran_no"))
    before = runner.diary
    await runner.sends(Tap(runner.address, prompt.choices[0].tap))

    assert runner.text == said("answered")
    assert runner.diary == before


async def test_an_answer_that_comes_days_later_is_thanked_with_the_way_on(runner: Runner) -> None:
    runner.asked()
    runner.clock.moves(days=4)
    before = runner.diary
    await runner.taps(label("ran_yes"))

    assert runner.text == said("over")
    assert runner.diary == before


async def test_a_check_in_that_was_erased_is_over(runner: Runner) -> None:
    runner.asked()
    runner.kept = None
    await runner.taps(label("ran_yes"))

    assert runner.text == said("over")


async def test_a_late_answer_next_morning_is_asked_all_of_it(runner: Runner) -> None:
    runner.asked()
    runner.clock.at = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
    await tells(runner, "2", "outer_hip")

    assert asks(runner) == "checkin_worse"


async def test_the_message_of_an_answered_occurrence_needs_not_be_sent(runner: Runner) -> None:
    runner.asked()
    await runner.taps(label("ran_no"))

    diary, scale = runner.diary, library().checkins.scale
    for occasion in (Occasion.CHECKIN, Occasion.MORNING, Occasion.NUDGE):
        assert not backing_off.wanted(diary, scale, diary.askings[-1], occasion, runner.clock())


@pytest.mark.parametrize(
    ("quiet", "says"), [(Quiet(time(0), time(0)), said("later_at", clock="22:00")), (Quiet(), said("later"))]
)
async def test_later_says_when(runner: Runner, quiet: Quiet, says: str) -> None:
    runner.diary = replace(runner.diary, quiet=quiet)
    runner.asked()
    await runner.taps(said("buttons", "later"))

    assert runner.text == says


async def test_skip_ends_it_and_later_asks_again(runner: Runner) -> None:
    runner.asked()
    await runner.taps(said("buttons", "later"))
    later = runner.diary.askings[-1].later
    assert later == runner.clock() + timedelta(hours=2)

    await runner.sends(Tap(runner.address, opening(runner, Step.RAN).choices[3].tap))
    assert runner.text == said("skipped")
    assert runner.diary.askings[-1].closed


async def test_one_that_was_left_half_way_goes_on_where_it_was(runner: Runner) -> None:
    runner.asked()
    await runner.taps(label("ran_yes"), "4")
    runner.receives(opening(runner, Step.PLACE))
    await runner.taps(words("ui", "buttons", "go_on"))

    assert asks(runner) == "checkin_place"


# ---------------------------------------------------------------- In words


@pytest.mark.parametrize(
    ("typed", "worst"),
    [("7", 7), ("0", 0), ("10", 10), ("3/10", 3), ("4 out of 10", 4), ("no pain", 0), ("0, none", 0), ("2.", 2)],
)
async def test_a_typed_number_is_the_number(runner: Runner, typed: str, worst: int) -> None:
    runner.asked()
    await runner.says("yes")
    await runner.says(typed)

    assert runner.diary.askings[-1].worst == worst


@pytest.mark.parametrize(
    ("typed", "worse"),
    [("worse", True), ("a bit worse", True), ("bad", True), ("no worse", False), ("the same", False), ("fine", False)],
)
async def test_how_it_is_next_morning_can_be_said_in_plain_words(runner: Runner, typed: str, worse: bool) -> None:
    runner.asked()
    await tells(runner, "2", "outer_hip")
    runner.asked()
    await runner.says(typed)

    assert runner.diary.askings[-1].worse is worse


@pytest.mark.parametrize("typed", [str(number) for number in range(11)])
async def test_a_number_that_answers_how_it_was_presses_nothing(runner: Runner, typed: str) -> None:
    """It may be how much it hurt: as the place of a button in its row it would end all check-ins, or say that all is well."""
    runner.asked()
    before = runner.diary
    await runner.says(typed)
    assert runner.text == "\n".join((said("not_caught_words"), said("ask", "ran")))
    assert runner.diary == before

    await tells(runner, "2", "outer_hip")
    runner.asked()
    before = runner.diary
    await runner.says(typed)
    assert runner.diary == before


@pytest.mark.parametrize("typed", ["3", "4", "6"])
async def test_a_number_presses_no_button_but_an_answer(runner: Runner, typed: str) -> None:
    runner.asked()
    await runner.taps(label("ran_yes"), "2", said("places", "outer_hip"))
    before = runner.diary
    await runner.says(typed)
    assert runner.diary == before

    await runner.says("1")
    assert runner.diary.askings[-1].built is False


@pytest.mark.parametrize("typed", ["11", "99", "-1", "lots", "5.5", "7 or 8"])
async def test_a_number_that_is_none_of_the_scale_is_asked_again(runner: Runner, typed: str) -> None:
    runner.asked()
    await runner.says("yes")
    await runner.says(typed)

    assert runner.notice.text == said("not_caught_number")
    assert runner.diary.askings[-1].worst is None


async def test_a_number_out_of_ten_at_once_says_that_they_ran(runner: Runner) -> None:
    runner.asked()
    await runner.says("3/10")

    asking = runner.diary.askings[-1]
    assert (asking.ran, asking.worst) == (True, 3)


async def test_a_whole_check_in_can_be_typed(runner: Runner) -> None:
    runner.asked()
    for text in ("yes", "4", "outside", "no", "neither"):
        await runner.says(text)

    assert light(runner) is Light.HOLD


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        *(("outer hip", Place.OUTER_HIP), ("Side of the hip", Place.OUTER_HIP), ("sit bone", Place.SIT_BONE)),
        *(("low back", Place.SACRUM), ("glute", Place.BUTTOCK), ("not sure", Place.UNKNOWN), ("hip joint", Place.DEEP)),
    ],
)
async def test_a_place_is_understood_as_people_say_it(runner: Runner, typed: str, place: Place) -> None:
    runner.asked()
    await runner.taps(label("ran_yes"), "2")
    await runner.says(typed)

    assert runner.diary.askings[-1].place is place


async def test_a_word_of_danger_comes_first_and_answers_nothing(runner: Runner) -> None:
    runner.asked()
    before = runner.diary
    await runner.says("no, chest pain")
    await runner.says("I have chest pain and can't breathe")

    assert words("danger", "chest", "answer", emergency=library().region(None).emergency) in runner.text
    assert runner.diary == before


async def test_a_typed_answer_belongs_to_the_newest_open_question(runner: Runner) -> None:
    await runner.says("/hip")
    runner.asked()
    await runner.says("no")
    assert runner.text.startswith(said("not_run"))

    runner.ran(runner.clock() + timedelta(hours=12))
    runner.asked()
    runner.clock.moves(minutes=1)
    await runner.says("/hip")
    await runner.says("back")
    assert not runner.diary.askings[-1].touched


async def test_words_long_after_a_message_nobody_answered_are_the_librarys(runner: Runner) -> None:
    runner.asked()
    runner.clock.moves(days=4)
    await runner.says("bursitis")

    assert runner.led is None


# ---------------------------------------------------------------- When


QUIET = Quiet()


@pytest.mark.parametrize(
    ("start", "due"),
    [
        # An hour of running and two after it; the next morning at eight.
        ("2026-11-24 17:00", ["checkin 2026-11-24 20:00", "morning 2026-11-25 08:00"]),
        # It would fall in quiet hours: both as one.
        ("2026-11-24 19:00", ["together 2026-11-25 08:00"]),
        ("2026-11-24 23:30", ["together 2026-11-25 08:00"]),
        # After midnight: that very morning.
        ("2026-11-25 00:30", ["together 2026-11-25 08:00"]),
        # An early run is asked about as soon as the quiet hours end.
        ("2026-11-25 04:30", ["checkin 2026-11-25 08:00", "morning 2026-11-26 08:00"]),
        ("2026-11-25 06:00", ["checkin 2026-11-25 09:00", "morning 2026-11-26 08:00"]),
    ],
)
def test_when_the_two_occurrences_are_asked(start: str, due: list[str]) -> None:
    assert due == list(planned(Diary(), datetime.fromisoformat(f"{start}+00:00")))


def planned(diary: Diary, start: datetime) -> Iterator[str]:
    from core.diary import Run

    for window in checkins.windows(diary, Run("r", start, Origin.TOLD)):
        kind = "together" if window.together else window.occasion
        yield f"{kind} {window.due:%Y-%m-%d %H:%M}"


def test_days_that_were_ruled_out_are_left_alone() -> None:
    weekdays = Diary(days=(0, 1, 2, 3, 4))
    saturday, friday = datetime(2026, 11, 28, 9, tzinfo=UTC), datetime(2026, 11, 27, 9, tzinfo=UTC)

    assert list(planned(weekdays, saturday)) == []
    assert list(planned(weekdays, friday)) == ["checkin 2026-11-27 12:00"]


def test_no_quiet_hours_at_all_and_the_clock_on_the_wall() -> None:
    diary = Diary(zone="Europe/Berlin", quiet=Quiet(EVENING.time(), EVENING.time()))
    assert list(planned(diary, datetime(2026, 11, 24, 20, tzinfo=UTC))) == [
        "checkin 2026-11-24 23:00",
        "morning 2026-11-25 07:00",
    ]


# ---------------------------------------------------------------- Under 18


async def test_of_someone_under_18_only_the_open_one_is_kept(runner: Runner) -> None:
    runner.diary = replace(runner.diary, age=Age.UNDER_18)
    runner.asked()
    await tells(runner, "4", "muscle")
    assert said("young", "hold") in runner.text
    runner.asked()
    await runner.taps(label("worse_no"), label("night_no"))

    asking = runner.diary.askings[-1]
    assert asking.closed
    assert (asking.worst, asking.place, asking.light, asking.built, asking.worse) == (None,) * 5


@pytest.mark.parametrize("light_key", ["go", "hold", "step_back"])
async def test_someone_under_18_with_pain_is_told_when_to_have_it_checked_and_nothing_of_load(
    runner: Runner, light_key: str
) -> None:
    runner.diary = replace(runner.diary, age=Age.UNDER_18)
    runner.asked()
    await tells(runner, {"go": "2", "hold": "4", "step_back": "7"}[light_key], "sit_bone")

    assert runner.text.startswith(said("young", light_key))
    assert "/hip" in said("young", light_key)
    assert "as you planned" not in runner.text
