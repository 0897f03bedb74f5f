"""Opting in and out, settings, runs that are told, and results that are asked about again."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from chat import library
from coaching_chat import Runner
from core import backing_off
from core.checkins import Step
from core.coaching import Coaching
from core.coaching.arranging import Arranging
from core.coaching.asked import Asked
from core.coaching.following import Following
from core.coaching.spoken import Spoken
from core.coaching.telling import Telling
from core.coaching.told import Here
from core.dialogue import Prompt, Tap, Taps
from core.diary import Age, Diary, Light, Origin, Quiet, Rhythm, Run, Slot
from core.members import Preferences, Units

words = library().words
spoken = Spoken(words)
EVENING = time(18, 30)
KINDS = ["check_ins", "tips"]
COMMANDS = {"check_ins": "/checkins", "tips": "/tips"}


def said(*key: str, **values: object) -> str:
    return words("checkins", *key, **values)


def consent(kind: str, part: str) -> str:
    return words("privacy", "consents", kind, part)


def button(key: str) -> str:
    return said("buttons", key)


async def agrees(runner: Runner, kind: str = "check_ins", age: str = "adult") -> None:
    await runner.says(COMMANDS[kind])
    await runner.taps(said("ages", age))


@pytest.fixture
def new() -> Runner:
    """Give a member who has agreed to nothing."""
    return Runner()


@pytest.fixture
async def runner(new: Runner) -> Runner:
    """Give a member of 18 or over in Berlin with check-ins, who runs on Tuesdays."""
    await agrees(new)
    await new.says("Berlin")
    await new.says("Tue 18:30")
    return new


# ---------------------------------------------------------------- Opting in


@pytest.mark.parametrize("kind", KINDS)
async def test_what_when_and_how_often_is_said_before_the_yes(new: Runner, kind: str) -> None:
    await new.says(COMMANDS[kind])

    assert new.text == consent(kind, "text")
    assert [b.label for b in new.prompt.choices] == [said("ages", a) for a in ("adult", "under_18", "under_16")] + [
        button("no")
    ]
    assert not new.consents
    assert new.kept is None


async def test_both_texts_say_when_and_how_often() -> None:
    assert "2 hours after a run" in consent("check_ins", "text")
    assert "in the late afternoon, twice a week at most" in consent("tips", "text")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("label", "age"), [("adult", Age.ADULT), ("under_18", Age.UNDER_18)])
async def test_a_yes_is_kept_with_the_age_band(new: Runner, kind: str, label: str, age: Age) -> None:
    await agrees(new, kind, label)

    assert [(c["kind"], c["given"]) for c in new.consents] == [(kind, True)]
    assert new.diary.age is age
    assert consent(kind, "given") in new.text


@pytest.mark.parametrize("kind", KINDS)
async def test_under_16_there_are_none_and_nothing_is_kept(new: Runner, kind: str) -> None:
    await agrees(new, kind, "under_16")

    assert new.text == said("under_16")
    assert not new.consents
    assert new.kept is None


@pytest.mark.parametrize("kind", KINDS)
async def test_no_changes_nothing(new: Runner, kind: str) -> None:
    await new.says(COMMANDS[kind])
    await new.taps(button("no"))

    assert new.text == said("left")
    assert not new.consents


async def test_the_two_stand_apart_and_the_age_is_asked_once(runner: Runner) -> None:
    await runner.says("/tips")
    assert [b.label for b in runner.prompt.choices] == [consent("tips", "give"), button("no")]

    await runner.taps(
        consent("tips", "give"),
    )
    assert [c["kind"] for c in runner.consents] == ["check_ins", "tips"]


async def test_a_yes_to_a_text_that_has_changed_shows_the_text_of_now(new: Runner) -> None:
    await new.says("/checkins")
    yes = new.button(said("ages", "adult")).tap
    await new.sends(Tap(new.address, "000000" + yes[yes.index(".") :]))

    assert new.text == consent("check_ins", "text")
    assert not new.consents


async def test_the_menu_of_consents_leads_to_the_same_question(new: Runner) -> None:
    version = library().pathway.version.rpartition(".")[2][:6]
    for act in ("consent", "give"):
        await new.sends(Tap(new.address, f"{version}.menu.0.{act}_2"))
        assert new.text == consent("check_ins", "text")
        assert not new.consents


async def test_nothing_is_written_before_it_is_known_where_they_are(new: Runner) -> None:
    await agrees(new)
    assert new.prompt.question == "zone"
    assert not backing_off.asks(new.diary, Run("r", new.clock(), Origin.TOLD))

    await new.says("Berlin")
    assert new.diary.zone == "Europe/Berlin"
    assert backing_off.asks(new.diary, Run("r", new.clock(), Origin.TOLD))
    assert new.prompt.question == "plan"


async def test_checkins_again_says_how_they_stand_and_ends_a_silence(runner: Runner) -> None:
    runner.diary = replace(runner.diary, rhythm=Rhythm.SILENT, paused=runner.clock() + timedelta(days=3))
    await runner.says("/checkins")

    assert runner.text == "\n".join((said("set", "resumed"), said("on", "check_ins")))
    assert (runner.diary.rhythm, runner.diary.paused) == (Rhythm.EACH_RUN, None)


# ---------------------------------------------------------------- A yes in words


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("lines", "age"),
    [
        (["yes", "34"], Age.ADULT),
        (["Yes please!", "I'm 17"], Age.UNDER_18),
        (["ok", "16 years old"], Age.UNDER_18),
        (["34", "I agree"], Age.ADULT),
        (["I am 17", "yes"], Age.UNDER_18),
        (["yes, 34"], Age.ADULT),
        (["ok I am 18"], Age.ADULT),
    ],
)
async def test_a_clear_yes_and_an_age_can_be_typed(new: Runner, kind: str, lines: list[str], age: Age) -> None:
    await new.says(COMMANDS[kind])
    for line in lines:
        assert not new.consents
        assert new.kept is None
        await new.says(line)

    assert [(c["kind"], c["given"]) for c in new.consents] == [(kind, True)]
    assert new.diary.age is age
    assert new.prompt.question == "zone"


@pytest.mark.parametrize("lines", [["1"], ["yes", "2"], ["18", "1"], ["4"]])
async def test_the_number_of_a_line_agrees_to_nothing(new: Runner, lines: list[str]) -> None:
    await new.says("/checkins")
    for line in lines:
        await new.says(line)

    assert said("not_caught_setting") in [reply.text for reply in new.last]
    assert new.prompt.question == "check_ins"
    assert not new.consents
    assert new.kept is None


async def test_what_is_left_to_tell_is_asked_for(new: Runner) -> None:
    await new.says("/checkins")
    await new.says("yes")
    assert new.text == said("ask_age")
    await new.says("/tips")
    await new.says("34")
    assert new.text == said("ask_yes")
    assert [b.label for b in new.prompt.choices] == [consent("tips", "give"), button("no")]


async def test_a_typed_age_under_16_ends_it_with_or_without_a_yes(new: Runner) -> None:
    for lines in (["15"], ["yes", "I am 12"]):
        await new.says("/checkins")
        for line in lines:
            await new.says(line)
        assert new.text == said("under_16")
        assert not new.consents
        assert new.kept is None


async def test_an_age_under_16_that_is_told_later_takes_all_back(runner: Runner) -> None:
    await runner.says("/tips")
    await runner.says("yes, I am 15")

    assert runner.text == said("under_16")
    assert runner.diary == Diary()
    assert not Arranging(library(), Here(runner.diary, Preferences(), runner.clock(), ""), tuple(runner.consents)).writes


async def test_an_age_under_18_that_is_told_later_leaves_no_history(runner: Runner) -> None:
    await runner.says("/ran 8 km 45 min")
    await runner.taps(button("now"), said("answers", "worst", "none"))
    await runner.says("/tips")
    await runner.says("yes, I am 17")

    assert (runner.diary.age, runner.diary.runs) == (Age.UNDER_18, ())
    [asking] = runner.diary.askings
    assert (asking.worst, asking.light, asking.run.metres, asking.run.minutes) == (None, None, None, None)


@pytest.mark.parametrize("line", ["no", "No, thank you.", "not now", "nope"])
async def test_a_typed_no_changes_nothing(new: Runner, line: str) -> None:
    await new.says("/checkins")
    await new.says(line)
    assert new.text == said("left")

    await new.says("yes")
    assert not new.consents


@pytest.mark.parametrize(
    "line", ["yes and no", "I do not agree", "no yes", "maybe yes", "under 18", "16 or 17", "yes 400", "0", "yes 34 35"]
)
async def test_nobody_agrees_by_a_guess(new: Runner, line: str) -> None:
    await new.says("/checkins")
    await new.says(line)

    assert not new.consents
    assert new.kept is None
    assert not isinstance(new.last[-1], Prompt) or new.prompt.question == "check_ins"


async def test_what_was_not_clear_is_asked_again_and_still_open(new: Runner) -> None:
    await new.says("/checkins")
    await new.says("yes")
    await new.says("yes and no")
    assert new.last[0].text == said("not_caught_setting")
    assert new.text.endswith(said("ask_age"))

    await new.says("34")
    assert new.diary.age is Age.ADULT


async def test_other_words_below_an_offer_are_the_librarys(new: Runner) -> None:
    await new.says("/checkins")
    await new.says("gluteal tendinopathy")

    assert new.led is None


async def test_a_yes_is_one_only_to_what_was_said_last(new: Runner) -> None:
    await new.says("/checkins")
    await new.says("/help")
    await new.says("yes")
    assert not new.consents

    await new.says("/checkins")
    new.clock.moves(hours=2)
    await new.says("yes")
    assert not new.consents


async def test_a_yes_below_a_message_that_came_since_is_an_answer_to_that(runner: Runner) -> None:
    runner.ran(runner.clock(), Origin.USUAL)
    await runner.says("/tips")
    runner.asked()
    await runner.says("yes")

    assert runner.diary.askings[-1].ran
    assert [c["kind"] for c in runner.consents] == ["check_ins"]


async def test_a_yes_is_no_answer_to_the_check_below_the_offer(new: Runner) -> None:
    await new.says("/hip")
    before = new.session
    await new.says("/checkins")
    await new.says("no")

    assert new.last[0].text == said("left")
    assert new.session is not None
    assert before is not None
    assert new.session.answers == before.answers


async def test_words_of_danger_are_no_answer_to_an_offer(new: Runner) -> None:
    await new.says("/checkins")
    await new.says("yes I have chest pain")

    assert new.led is None
    assert not new.consents


async def test_a_follow_up_can_be_agreed_to_in_words(new: Runner) -> None:
    await finishes(new, "age_18_44", "place_outer_hip")
    await new.taps(button("follow"))
    await new.says("34")
    assert not new.consents
    await new.says("ok")

    assert [c["kind"] for c in new.consents] == ["follow_up"]
    assert new.prompt.question == "zone"
    assert len(new.diary.follow_ups) == 1


async def test_a_follow_up_can_be_declined_in_words(new: Runner) -> None:
    await finishes(new, "age_18_44", "place_outer_hip")
    await new.taps(button("follow"))
    await new.says("no thanks")

    assert new.last[0].text == said("left")
    assert not new.consents


# ---------------------------------------------------------------- Where nothing would come


@pytest.mark.parametrize("kind", KINDS)
async def test_where_nothing_can_be_written_first_that_is_said_before_the_yes(new: Runner, kind: str) -> None:
    new.reached = False
    await new.says(COMMANDS[kind])

    assert [reply.text for reply in new.last] == [said("reach", "never"), consent(kind, "text")]


async def test_where_nothing_can_be_written_first_nothing_is_promised(new: Runner) -> None:
    new.reached = False
    await agrees(new)
    assert new.last[0].text == said("reach", "agreed")
    await new.says("Berlin")
    await new.says("Tue 18:30")
    await new.says("/checkins")
    assert new.last[0].text == said("reach", "never")

    await new.says("/ran 5 km")
    assert new.last[0].text == said("noted", run="5 km")
    await new.taps(button("now"))
    assert new.prompt.question == "checkin_worst"

    await new.taps("3", said("places", "outer_hip"), said("answers", "built", "no"), said("answers", "limp", "no"))
    assert new.diary.askings[-1].light is Light.GO
    assert said("tomorrow") not in new.text


@pytest.mark.parametrize("kind", KINDS)
async def test_who_has_not_written_in_private_is_told_to_before_and_after_the_yes(new: Runner, kind: str) -> None:
    new.apart = True
    await new.says(COMMANDS[kind])
    assert [reply.text for reply in new.last] == [said("reach", "unopened"), consent(kind, "text")]

    await new.taps(said("ages", "adult"))
    assert [reply.text for reply in new.last[:2]] == [consent(kind, "given"), said("reach", "unopened")]


async def test_a_follow_up_says_so_too(new: Runner) -> None:
    new.apart = True
    await finishes(new, "age_18_44", "place_outer_hip")
    await new.taps(button("follow"))
    assert new.last[0].text == said("reach", "unopened")

    await new.taps(consent("follow_up", "give"))
    assert new.last[1].text == said("reach", "unopened")


@pytest.mark.parametrize("way", ["placed", "linked"])
async def test_who_can_be_written_to_is_told_nothing_of_that(new: Runner, way: str) -> None:
    new.apart, new.more = True, {way: True}
    await new.says("/checkins")

    assert [reply.text for reply in new.last] == [consent("check_ins", "text")]


# ---------------------------------------------------------------- Opting out


async def test_who_has_no_usual_runs_is_not_asked_for_them_again(new: Runner) -> None:
    await agrees(new)
    for line in ("Berlin", "none", "/checkins"):
        await new.says(line)
    assert new.text == said("on", "check_ins")

    await new.says("/pause 2 weeks")
    await new.says("/checkins")
    assert [reply.text for reply in new.last] == [said("set", "resumed"), said("on", "check_ins")]
    assert new.diary.paused is None


async def test_progress_of_someone_who_asked_for_nothing_says_how_to(new: Runner) -> None:
    await new.says("/progress")

    assert new.text == words("progress", "nothing_kept")


async def test_one_tap_on_a_message_ends_check_ins_and_erases_what_was_kept(runner: Runner) -> None:
    runner.ran(runner.clock())
    runner.asked()
    await runner.taps(button("stop"))

    assert consent("check_ins", "withdrawn") in runner.text
    assert [c["given"] for c in runner.consents] == [True, False]
    assert runner.diary == Diary()


async def test_stop_typed_below_a_message_is_that_tap(runner: Runner) -> None:
    runner.ran(runner.clock())
    runner.asked()
    await runner.says("stop")

    assert runner.consents[-1]["given"] is False


async def test_the_button_of_an_erased_message_still_stops(runner: Runner) -> None:
    runner.ran(runner.clock())
    runner.asked()
    runner.diary = replace(runner.diary, askings=())
    await runner.taps(button("stop"))

    assert runner.consents[-1]["given"] is False


async def test_ending_one_leaves_the_other(runner: Runner) -> None:
    await runner.says("/tips")
    await runner.taps(consent("tips", "give"))
    await runner.says("/checkins")
    await runner.taps(consent("check_ins", "withdraw"))

    assert runner.diary.plan == ()
    assert runner.diary.zone == "Europe/Berlin"
    await runner.says("/tips")
    assert consent("tips", "text") not in runner.text


async def test_stop_takes_both_back(runner: Runner) -> None:
    await runner.says("/tips")
    await runner.taps(consent("tips", "give"))
    told = Coaching(library()).stopped(runner.record, runner.diary, now=runner.clock())

    assert [(c["kind"], c["given"]) for c in told.consents] == [("check_ins", False), ("tips", False)]
    assert told.diary == Diary()
    assert Coaching(library()).stopped(Runner().record, None, now=runner.clock()).replies == ()


# ---------------------------------------------------------------- Settings


async def test_settings_without_check_ins_are_region_and_units_and_the_way_to_them(new: Runner) -> None:
    await new.says("/settings")

    labels = [b.label for b in new.prompt.choices]
    assert words("ui", "buttons", "set_region") in labels
    assert consent("check_ins", "name") in labels
    assert button("zone") not in labels


async def test_with_a_follow_up_alone_the_clock_and_its_hours_can_be_set(new: Runner) -> None:
    await finishes(new, "age_18_44", "place_outer_hip")
    await new.taps(button("follow"), consent("follow_up", "give"))
    await new.says("Berlin")
    await new.says("/settings")
    labels = [b.label for b in new.prompt.choices]
    assert {button(key) for key in ("zone", "quiet", "days", "pause")} <= set(labels)
    assert not {button(key) for key in ("delay", "plan")} & set(labels)
    assert said("set", "quiet", hours="22:00 to 08:00") in new.text

    await new.taps(button("quiet"))
    await new.says("21 to 9")
    assert new.diary.quiet == Quiet(time(21), time(9))
    assert new.diary.zone == "Europe/Berlin"


@pytest.mark.parametrize("kind", ["tips", "follow_up"])
@pytest.mark.parametrize("setting", ["plan", "delay"])
async def test_a_setting_of_check_ins_leads_to_them_where_they_are_off(new: Runner, kind: str, setting: str) -> None:
    if kind == "tips":
        await agrees(new, "tips")
    else:
        await finishes(new, "age_18_44", "place_outer_hip")
        await new.taps(button("follow"), consent("follow_up", "give"))
    version = library().pathway.version.rpartition(".")[2][:6]
    for token in (f"set_{setting}", f"{setting}_60"):
        await new.sends(Tap(new.address, f"{version}.menu.0.{token}"))
        assert new.text.startswith(consent("check_ins", "text"))


async def test_settings_say_how_it_all_stands(runner: Runner) -> None:
    await runner.says("/settings")

    for line in (
        said("set", "zone", clock="Berlin, 09:00"),
        said("set", "quiet", hours=said("from_to", start="22:00", end="08:00")),
        said("set", "days", days=said("every_day")),
        said("set", "delay", minutes=120),
        said("set", "plan", plan="Tuesday 18:30"),
    ):
        assert line in runner.text


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Europe/Paris", "Europe/Paris"),
        ("pariss", "Europe/Paris"),
        ("Ireland", "Europe/Dublin"),
        ("new york", "America/New_York"),
    ],
)
async def test_a_zone_is_understood_however_it_is_said(runner: Runner, typed: str, zone: str) -> None:
    await runner.says("/settings")
    await runner.taps(button("zone"))
    await runner.says(typed)

    assert runner.diary.zone == zone


async def test_the_time_on_the_wall_tells_the_zone(runner: Runner) -> None:
    await runner.says("/settings")
    await runner.taps(button("zone"))
    await runner.says("13:30")  # it is 8:00 in UTC

    assert runner.diary.zone == "Asia/Kolkata"


async def test_of_several_zones_with_that_time_one_is_tapped(runner: Runner) -> None:
    await runner.says("/settings")
    await runner.taps(button("zone"))
    await runner.says("9:00")
    assert runner.text == said("which_zone")

    await runner.taps("Lagos")
    assert runner.diary.zone == "Africa/Lagos"
    assert said("set", "zone", clock="Lagos, 09:00") in runner.text


async def test_a_place_that_is_not_there_is_asked_for_again(runner: Runner) -> None:
    await runner.says("/settings")
    await runner.taps(button("zone"))
    await runner.says("qqqqqqqq")

    assert runner.notice.text == said("no_such_place")
    assert runner.prompt.question == "zone"
    assert runner.diary.zone == "Europe/Berlin"


async def test_a_zone_of_an_older_list_is_not_taken(runner: Runner) -> None:
    await runner.says("/settings")
    await runner.taps(button("zone"))
    await runner.says("9:00")
    old = runner.button("Lagos").tap
    runner.clock.moves(minutes=5)
    await runner.says("/settings")
    await runner.taps(button("zone"))
    await runner.sends(Tap(runner.address, old))

    assert runner.diary.zone == "Europe/Berlin"


async def test_a_setting_that_was_left_is_not_read_into_later_words(runner: Runner) -> None:
    await runner.says("/settings")
    await runner.taps(button("quiet"))
    runner.clock.moves(hours=2)
    await runner.says("22 to 7")

    assert runner.led is None
    assert runner.diary.quiet == Quiet()


@pytest.mark.parametrize(
    ("setting", "typed", "field", "value"),
    [
        ("quiet", "22 to 7:30", "quiet", Quiet(time(22), time(7, 30))),
        ("quiet", "10pm-6am", "quiet", Quiet(time(22), time(6))),
        ("quiet", "none", "quiet", Quiet(time(0), time(0))),
        ("delay", "90 min", "delay", 90),
        ("delay", "3", "delay", 180),
        (
            "plan",
            "Tue and Thu 18:30, long run Sunday 9",
            "plan",
            (Slot(1, time(18, 30)), Slot(3, time(18, 30)), Slot(6, time(9))),
        ),
        ("pause", "10 days", "paused", datetime(2026, 12, 3, 8, tzinfo=UTC)),
    ],
)
async def test_a_setting_can_be_typed(runner: Runner, setting: str, typed: str, field: str, value: object) -> None:
    await runner.says("/settings")
    await runner.taps(button(setting))
    await runner.says(typed)

    assert getattr(runner.diary, field) == value
    assert runner.text.startswith(said("done"))
    assert runner.diary.waiting is None


@pytest.mark.parametrize(
    ("setting", "tapped", "field", "value"),
    [
        ("quiet", "21:00 to 07:00", "quiet", Quiet(time(21), time(7))),
        ("delay", "1 hour", "delay", 60),
        ("days", "Sunday", "days", (0, 1, 2, 3, 4, 5)),
        ("plan", "No usual runs", "plan", ()),
        ("pause", "2 weeks", "paused", datetime(2026, 12, 7, 8, tzinfo=UTC)),
    ],
)
async def test_a_setting_can_be_tapped(runner: Runner, setting: str, tapped: str, field: str, value: object) -> None:
    await runner.says("/settings")
    await runner.taps(button(setting), tapped)

    assert getattr(runner.diary, field) == value


@pytest.mark.parametrize("typed", ["always", "25:00 to 7", "7", "", "22 to 7 to 9"])
async def test_what_is_no_such_setting_is_asked_for_again(runner: Runner, typed: str) -> None:
    await runner.says("/settings")
    await runner.taps(button("quiet"))
    await runner.says(typed or "?")

    assert runner.diary.quiet == Quiet()
    assert runner.prompt.question == "quiet"


@pytest.mark.parametrize(
    ("setting", "typed", "field", "value"),
    [
        *(("quiet", "2", "quiet", Quiet(time(21, 30), time(8))), ("quiet", "none", "quiet", Quiet(time(0), time(0)))),
        *(("plan", "no usual runs", "plan", ()), ("plan", "1", "plan", ()), ("plan", "none", "plan", ())),
        *(("delay", "3 hours after", "delay", 180), ("delay", "2", "delay", 120)),
    ],
)
async def test_a_line_below_a_setting_can_be_typed(runner: Runner, setting: str, typed: str, field: str, value: object) -> None:
    await runner.says("/settings")
    await runner.taps(button(setting))
    await runner.says(typed)

    assert getattr(runner.diary, field) == value


async def test_the_number_of_a_zone_is_no_time(runner: Runner) -> None:
    await runner.says("/settings")
    await runner.taps(button("zone"))
    await runner.says(f"{runner.clock():%H:%M}")
    first, *_ = [b.label for b in runner.prompt.choices]
    await runner.says("1")

    assert said("set", "zone", clock=first) in runner.text


async def test_one_day_is_left(runner: Runner) -> None:
    runner.diary = replace(runner.diary, days=(2,))
    await runner.says("/settings")
    await runner.taps(button("days"), "Wednesday")

    assert runner.notice.text == said("one_day")
    assert runner.diary.days == (2,)


@pytest.mark.parametrize(
    ("before", "chosen", "after"),
    [
        ((0, 1, 2, 3, 4, 5, 6), (1, 3), (1, 3)),
        ((1, 3), (1, 3, 6), (1, 3, 6)),
        ((1, 3), (2,), (2,)),  # never without a day in between
    ],
)
async def test_several_days_are_chosen_in_one_go(
    runner: Runner, before: tuple[int, ...], chosen: tuple[int, ...], after: tuple[int, ...]
) -> None:
    runner.diary = replace(runner.diary, days=before)
    await runner.says("/settings")
    await runner.taps(button("days"))
    lines = enumerate(choice for choice in runner.prompt.choices if choice.ticked is not None)
    await runner.sends(Taps(runner.address, tuple(b.tap for day, b in lines if b.ticked is not (day in chosen))))

    assert runner.diary.days == after
    assert [b.label for b in runner.prompt.choices if b.ticked] == [words.list("ui", "days")[day] for day in after]


async def test_no_day_chosen_leaves_one_and_says_so(runner: Runner) -> None:
    runner.diary = replace(runner.diary, days=(1, 3))
    await runner.says("/settings")
    await runner.taps(button("days"))
    await runner.sends(Taps(runner.address, tuple(b.tap for b in runner.prompt.choices if b.ticked)))

    assert runner.notice.text == said("one_day")
    assert len(runner.diary.days) == 1


async def test_a_word_of_danger_is_no_setting(runner: Runner) -> None:
    await runner.says("/settings")
    await runner.taps(button("zone"))
    await runner.says("I have chest pain")

    assert runner.led is None
    assert words("danger", "chest", "answer", emergency=library().region(None).emergency) in runner.text


async def test_whoever_has_not_told_where_they_are_reads_that_nothing_comes_until_then(new: Runner) -> None:
    await agrees(new)
    assert new.prompt.text == said("ask_zone_first")

    await new.says("/settings")
    assert said("set", "zone_unknown") in new.text
    await new.says("/ran 8 km")
    assert new.prompt.text == said("ask_zone_first")

    await new.says("Berlin")
    await new.says("/settings")
    assert said("set", "zone_unknown") not in new.text
    await new.taps(button("zone"))
    assert new.prompt.text == said("ask_zone")


# ---------------------------------------------------------------- A pause


@pytest.mark.parametrize(
    ("typed", "days"), [("2 weeks", 14), ("10 days", 10), ("a week", 7), ("1 month", 30), ("3", 3), ("2 weeks holiday", 14)]
)
async def test_a_pause_is_taken_as_it_is_said(runner: Runner, typed: str, days: int) -> None:
    await runner.says(f"/pause {typed}")

    assert runner.diary.paused == runner.clock() + timedelta(days=days)
    assert "December" in runner.text or "November" in runner.text


@pytest.mark.parametrize("typed", ["ten years", "0 days", "5000 weeks", "-"])
async def test_a_pause_that_is_none_is_asked_for(runner: Runner, typed: str) -> None:
    await runner.says(f"/pause {typed}")

    assert runner.diary.paused is None
    assert runner.prompt.question == "pause"


async def test_whoever_asks_for_silence_is_not_asked_to_agree_to_anything(new: Runner) -> None:
    await new.says("/pause 2 weeks")

    assert new.text == said("nothing_to_pause")
    assert new.proposal is None


async def test_a_pause_can_be_ended(runner: Runner) -> None:
    await runner.says("/pause 2 weeks")
    await runner.says("/pause off")

    assert runner.diary.paused is None
    assert said("set", "resumed") in runner.text


@pytest.mark.parametrize("typed", ["off", "End the pause"])
async def test_a_pause_can_be_ended_where_it_is_asked_for(runner: Runner, typed: str) -> None:
    await runner.says("/pause 2 weeks")
    await runner.says("/pause")
    await runner.says(typed)

    assert runner.diary.paused is None
    assert said("set", "resumed") in runner.text


async def test_a_pause_that_is_over_cannot_be_ended(runner: Runner) -> None:
    await runner.says("/pause 3")
    runner.clock.moves(days=4)
    await runner.says("/pause")

    assert button("resume") not in [b.label for b in runner.prompt.choices]


# ---------------------------------------------------------------- A run that is told


@pytest.mark.parametrize(
    ("typed", "units", "run"),
    [
        ("8 km 45 min", Units.KM, (8000, 45)),
        ("8k in 45m", Units.KM, (8000, 45)),
        ("8k 45m", Units.KM, (8000, 45)),
        ("5 miles", Units.KM, (8047, None)),
        ("5", Units.MILES, (8047, None)),
        ("5", Units.KM, (5000, None)),
        ("1h 10", Units.KM, (None, 70)),
        ("1:05:30", Units.KM, (None, 65)),
        ("45:30", Units.KM, (None, 45)),
        ("10,5 km 1:02", Units.KM, (10500, 62)),
        ("42.195 km", Units.KM, (42195, None)),
        ("5000 km", Units.KM, None),
        ("0 km", Units.KM, None),
        ("8 bananas", Units.KM, None),
        ("fast", Units.KM, None),
        ("9" * 400, Units.KM, None),
    ],
)
def test_how_a_run_is_read(typed: str, units: Units, run: tuple[int | None, int | None] | None) -> None:
    assert spoken.run(typed, units) == run


async def test_a_told_run_is_noted_and_asked_about(runner: Runner) -> None:
    await runner.says("/ran 8 km 45 min")

    [run], [asking] = runner.diary.runs, runner.diary.askings
    assert (run.metres, run.minutes, run.origin) == (8000, 45, Origin.TOLD)
    assert run.end == runner.clock()
    assert asking.ran is True
    assert said("asks_at", clock="11:00") in runner.text


async def test_a_run_that_is_told_in_a_pause_ends_it_and_that_is_said(runner: Runner) -> None:
    await runner.says("/pause 2 weeks")
    await runner.says("/ran 8 km")
    assert runner.diary.paused is None
    assert said("set", "resumed") in runner.text

    await runner.says("/ran 9 km")
    assert said("set", "resumed") not in runner.text


async def test_one_tap_tells_of_it_at_once(runner: Runner) -> None:
    await runner.says("/ran")
    await runner.taps(button("now"))
    assert runner.prompt.question == "checkin_worst"

    await runner.says("0")
    assert runner.text == said("lights", "none")
    assert runner.diary.askings[-1].closed


async def test_a_run_that_is_told_after_it_was_asked_about_is_that_run(runner: Runner) -> None:
    runner.ran(runner.clock() - timedelta(minutes=75))
    [asking] = runner.diary.askings
    await runner.says("/ran 8 km 60 min")

    [now] = runner.diary.askings
    assert (now.id, now.run.id, now.run.metres, now.ran) == (asking.id, asking.run.id, 8000, True)


async def test_a_run_told_twice_is_one_and_two_a_day_are_two(runner: Runner) -> None:
    await runner.says("/ran 8 km")
    await runner.says("/ran 9 km")
    assert [run.metres for run in runner.diary.runs] == [9000]
    assert len(runner.diary.askings) == 1

    runner.clock.moves(hours=8)
    await runner.says("/ran 5 km")
    assert len(runner.diary.runs) == len(runner.diary.askings) == 2


async def test_a_run_that_was_told_by_mistake_goes_again(runner: Runner) -> None:
    await runner.says("/ran 8 km")
    await runner.taps(button("unran"))

    assert runner.text == said("unran")
    assert (runner.diary.runs, runner.diary.askings) == ((), ())


async def test_of_a_run_that_is_taken_back_nothing_stays_with_a_check_in_that_was_there_before(runner: Runner) -> None:
    runner.ran(runner.clock() - timedelta(hours=3))
    await runner.says("/ran 12 km 90 min")
    await runner.taps(button("unran"))
    assert runner.text == said("unran")

    [asking] = runner.diary.askings
    assert (asking.run.metres, asking.run.minutes, asking.ran) == (None, None, None)


async def test_what_was_answered_before_a_run_is_taken_back_stays(runner: Runner) -> None:
    runner.ran(runner.clock() - timedelta(hours=3))
    runner.receives(Asked(library(), runner.diary, runner.diary.askings[-1]).opening(Step.RAN))
    await runner.taps(said("answers", "ran", "yes"))
    await runner.says("/ran 12 km 90 min")
    await runner.taps(button("unran"))

    [asking] = runner.diary.askings
    assert (asking.run.metres, asking.ran) == (None, True)


async def test_what_is_no_run_is_said_to_be_none(runner: Runner) -> None:
    before = runner.diary
    await runner.says("/ran far")

    assert runner.text == said("not_a_run")
    assert runner.diary == before


async def test_without_a_yes_no_run_is_kept(new: Runner) -> None:
    await new.says("/ran 8 km")

    assert new.text == consent("check_ins", "text")
    assert new.kept is None


async def test_of_someone_under_18_no_runs_are_kept(new: Runner) -> None:
    await agrees(new, age="under_18")
    await new.says("Berlin")
    await new.says("/ran 8 km")

    assert new.diary.runs == ()
    assert len(new.diary.askings) == 1


async def test_of_someone_under_18_a_check_in_that_is_over_takes_nothing_up_again(new: Runner) -> None:
    await agrees(new, age="under_18")
    await new.says("Berlin")
    await new.says("/ran 5 km")
    await new.taps(button("now"), said("answers", "worst", "none"))
    await new.says("/ran 6 km")

    [asking] = new.diary.askings
    assert (asking.ran, asking.run.metres) == (None, None)


# ---------------------------------------------------------------- A result that is asked about again


async def finishes(runner: Runner, *findings: str) -> None:
    await runner.says("/hip")
    await runner.answers(findings)
    runner.receives(*Coaching(library()).offered(runner.last, runner.record, runner.diary, runner.session, now=runner.clock()))


async def test_a_result_offers_to_be_asked_about_and_says_how(runner: Runner) -> None:
    await finishes(runner, "age_18_44", "place_outer_hip", "dur_2_6w")
    await runner.taps(button("follow"))
    assert runner.text.startswith(consent("follow_up", "text"))

    await runner.taps(consent("follow_up", "give"))
    [follow_up] = runner.diary.follow_ups
    assert runner.session
    assert (follow_up.check, follow_up.urgency) == (runner.session.id, "routine")
    assert "place_outer_hip" in follow_up.findings
    assert runner.consents[-1]["kind"] == "follow_up"


async def test_it_is_offered_once_for_each_result(runner: Runner) -> None:
    await finishes(runner, "age_18_44", "place_outer_hip")
    await runner.taps(button("follow"), consent("follow_up", "give"))
    shown = Coaching(library()).offered((runner.said[-1],), runner.record, runner.diary, runner.session, now=runner.clock())

    assert button("follow") not in [b.label for reply in shown for b in reply.choices]


async def test_who_has_no_zone_yet_is_asked_for_it(new: Runner) -> None:
    await finishes(new, "age_18_44", "place_outer_hip")
    await new.taps(button("follow"), consent("follow_up", "give"))
    assert new.prompt.question == "zone"

    await new.says("Berlin")
    assert new.diary.zone == "Europe/Berlin"
    assert [reply.text for reply in new.last] == [said("set", "zone", clock="Berlin, 09:00")]
    assert len(new.diary.follow_ups) == 1


async def test_of_someone_under_18_no_answers_are_kept_for_it(new: Runner) -> None:
    await finishes(new, "age_10_17", "place_outer_hip")
    await new.taps(button("follow"), said("ages", "under_18"))
    [follow_up] = new.diary.follow_ups
    assert (follow_up.findings, new.diary.age) == ((), Age.UNDER_18)

    await new.says("Berlin")
    for days, answer in ((7, "same"), (21, "worse")):
        new.clock.at = follow_up.began + timedelta(days=days, hours=9)
        again = Following(library(), Here(new.diary, Preferences(), new.clock.at, ""), new.diary.follow_ups[0])
        new.receives(again.opening())
        await new.taps(said("answers", "course", answer))
        assert said("first_time", told="").rstrip(".") not in new.text
        assert not any(new.diary.follow_ups[0].answers)


@pytest.mark.parametrize("line", ["I am under 16", "15", "yes, I am 12"])
async def test_nobody_under_16_is_asked_about_a_result(new: Runner, line: str) -> None:
    await finishes(new, "age_10_17", "place_outer_hip")
    await new.taps(button("follow"))
    assert [b.label for b in new.prompt.choices[:3]] == [said("ages", "under_18"), said("ages", "under_16"), button("no")]
    await (new.taps(line) if line == said("ages", "under_16") else new.says(line))

    assert new.last[0].text == said("under_16")
    assert not new.consents
    assert new.kept is None


async def test_a_child_is_not_even_offered_it(new: Runner) -> None:
    await finishes(new, "age_under_10", "place_outer_hip")

    assert button("follow") not in [b.label for b in new.last[-1].choices]


@pytest.mark.parametrize("lines", [["yes", "16"], ["17", "yes"], ["ok, I am 17"]])
async def test_a_yes_with_an_age_of_16_or_17_can_be_typed_to_that_too(new: Runner, lines: list[str]) -> None:
    await finishes(new, "age_10_17", "place_outer_hip")
    await new.taps(button("follow"))
    for line in lines:
        assert not new.consents
        await new.says(line)

    assert [c["kind"] for c in new.consents] == ["follow_up"]
    assert new.diary.age is Age.UNDER_18


async def test_without_a_result_there_is_nothing_to_ask_about(new: Runner) -> None:
    version = library().pathway.version.rpartition(".")[2][:6]
    for act in ("follow", "followyes"):
        await new.sends(Tap(new.address, f"{version}.menu.0.{act}"))
        assert new.text == said("no_result")
        assert new.kept is None


def test_the_last_message_says_nothing_of_health_and_leads_back() -> None:
    last = Coaching(library()).last()
    assert not set(last.text.casefold().split()) & {"pain", "hip", "hurt"}
    assert [b.label for b in last.choices] == [button("again"), button("stop")]


async def test_the_last_message_can_end_check_ins_for_good(runner: Runner) -> None:
    runner.receives(Coaching(library()).last())
    await runner.taps(button("stop"))

    assert not Arranging(library(), Here(runner.diary, Preferences(), runner.clock(), ""), tuple(runner.consents)).writes


def test_miles_are_said_in_miles() -> None:
    here = Here(Diary(), Preferences(units=Units.MILES), datetime(2026, 11, 23, 8, tzinfo=UTC), "00000001")
    told = Telling(library(), here).ran("5 miles 40 min")
    assert told.replies[0].text.startswith(said("noted", run="5 miles, 40 min"))
