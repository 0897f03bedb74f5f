"""Whole months of someone who is written to, lived through the door: `hipwise chat --days --json`."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from chat import library
from core.dialogue.typed import plain
from days import NEXT, USUAL, Script, Turn, came, checked, lived, opted_in, scheduled, taps

words = library().words
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
OLD_BUTTON = words("checkins", "answered")


def answer(step: str, which: str) -> str:
    return words("checkins", "answers", step, which)


def place(name: str) -> str:
    return words("checkins", "places", name)


def button(name: str) -> str:
    return words("checkins", "buttons", name)


RAN, NOT_RUN, NONE = answer("ran", "yes"), answer("ran", "no"), answer("worst", "none")
CALM = (answer("built", "no"), answer("limp", "no"))


def texts(lines: Turn) -> list[str]:
    return [line["text"] for line in lines if "text" in line]


def ignores() -> Script:
    while True:
        yield NEXT


def has(occasion: str, turn: Turn) -> bool:
    return any(line.get("occasion") == occasion for line in turn)


# ---------------------------------------------------------------- A month


def test_a_month_from_the_first_yes_to_the_second() -> None:
    def script() -> Script:
        yield from opted_in()
        yield from taps((yield NEXT), RAN, NONE)  # Tuesday: no pain
        sore = yield from taps((yield NEXT), RAN, "3", place("outer_hip"), *CALM)  # Thursday
        calm = yield from taps((yield NEXT), answer("worse", "no"), answer("night", "no"))
        green.extend((*sore, *calm))
        red.extend((yield from taps((yield NEXT), RAN, "2", place("groin"))))  # Sunday
        result.extend((yield from checked(red, "age_18_44")))
        while not has("last", (yield NEXT)):
            pass
        silent.extend((yield {"advance": "10d"}))
        yield {"text": "/checkins"}
        yield NEXT

    green: Turn = []
    red: Turn = []
    result: Turn = []
    silent: Turn = []
    lines = lived(script(), days=60, since=MONDAY)

    assert came(lines) == [
        "Tue 24 21:30 checkin",
        "Thu 26 21:30 checkin",
        "Fri 27 08:00 morning",
        "Sun 29 12:00 checkin",
        *("Tue 01 21:30 checkin", "Wed 02 08:00 nudge"),
        *("Thu 03 21:30 checkin", "Fri 04 08:00 nudge"),
        *("Sun 06 12:00 checkin", "Mon 07 08:00 nudge"),
        *("Sun 13 12:00 checkin", "Mon 14 08:00 nudge"),
        *("Sun 20 12:00 checkin", "Mon 21 08:00 nudge"),
        "Mon 21 13:01 last",
        "Thu 31 21:30 checkin",
    ]
    assert came(silent) == []
    assert [text.partition(".")[0] for text in texts(green)] == ["Go", "Go"]
    assert texts(red)[0].startswith(words("checkins", "because", "place"))
    assert "place" not in {line.get("question") for line in lines}
    assert [line["urgency"] for line in result if line["kind"] == "verdict"] == ["routine"]
    assert all(len(text.splitlines()) <= 3 for text in texts(scheduled(lines)))


# ---------------------------------------------------------------- Nobody answers


@pytest.mark.parametrize("plan", ["daily 18:00", "daily 11:00", "Mon, Tue, Wed, Thu 20:00, Sun 7", USUAL])
def test_three_that_are_ignored_in_a_row_slow_it_down_to_one_a_week(plan: str) -> None:
    def script() -> Script:
        yield from opted_in(plan=plan)
        yield from ignores()

    lines = lived(script(), days=60, since=MONDAY)

    runs = [datetime.fromisoformat(line["occurrence"].split(":", 1)[1][:16]) for line in scheduled(lines)[:-1]]
    asked = sorted(set(runs))
    assert len(asked) == 5
    assert all(later - earlier >= timedelta(days=7) for earlier, later in pairwise(asked[2:]))
    assert scheduled(lines)[-1]["occasion"] == "last"


def test_after_the_last_message_there_is_silence_until_check_ins_are_asked_for() -> None:
    def script() -> Script:
        yield from opted_in(plan="daily 18:00")
        while not has("last", (yield NEXT)):
            pass
        silent.extend((yield {"advance": "14d"}))
        yield {"text": "/checkins"}
        again.extend((yield NEXT))

    silent: Turn = []
    again: Turn = []
    lived(script(), days=60, since=MONDAY)

    assert came(silent) == []
    assert [line["occasion"] for line in scheduled(again)] == ["checkin"]


def test_what_is_ignored_is_asked_once_more_at_the_first_minute_of_the_morning() -> None:
    def script() -> Script:
        yield from opted_in()
        yield from ignores()

    assert came(lived(script(), days=5, since=MONDAY)) == [
        "Tue 24 21:30 checkin",
        "Wed 25 08:00 nudge",
        "Thu 26 21:30 checkin",
        "Fri 27 08:00 nudge",
    ]


def test_who_comes_back_before_the_last_message_does_not_get_it() -> None:
    def script() -> Script:
        yield from opted_in(plan="Tue 17:30")
        yield from taps((yield {"text": "/settings"}), button("quiet"))
        yield {"text": "19 to 8"}
        for _ in range(10):
            yield NEXT
        yield {"advance": "10h"}
        yield {"text": "/checkins"}
        yield NEXT

    lines = lived(script(), days=60, since=MONDAY)

    assert came(lines)[-2:] == ["Wed 23 16:00 nudge", "Wed 30 08:00 morning"]


# ---------------------------------------------------------------- What is set after it was planned


def test_a_delay_that_was_changed_holds_for_the_next_run() -> None:
    def script() -> Script:
        yield from opted_in(plan="Tue and Thu 11:00")
        yield {"advance": "24h"}  # Tuesday 10:00, and the check-in of 14:00 is planned
        yield from taps((yield {"text": "/settings"}), button("delay"), "4 hours")
        yield from taps((yield NEXT), NOT_RUN)
        yield {"advance": "18h"}  # Wednesday 10:00
        yield from taps((yield {"text": "/settings"}), button("delay"), "1 hour")
        yield NEXT

    assert came(lived(script(), since=MONDAY)) == ["Tue 24 16:00 checkin", "Thu 26 13:00 checkin"]


def test_runs_move_with_the_clock_of_someone_who_travels() -> None:
    def script() -> Script:
        yield from opted_in(plan="Tue and Thu 11:00")
        yield {"advance": "24h"}
        yield from taps((yield {"text": "/settings"}), button("zone"))
        yield {"text": "New York"}
        yield NEXT

    assert came(lived(script(), since=MONDAY), "America/New_York") == ["Tue 24 14:00 checkin"]


def test_a_run_that_is_no_longer_usual_is_not_asked_about() -> None:
    def script() -> Script:
        yield from opted_in(plan="Tue 11:00")
        yield {"advance": "24h"}
        yield from taps((yield {"text": "/settings"}), button("plan"))
        yield {"text": "Wed 11:00"}
        yield NEXT

    assert came(lived(script(), since=MONDAY)) == ["Wed 25 14:00 checkin"]


def test_answers_that_were_changed_leave_next_mornings_buttons_to_be_pressed() -> None:
    def script() -> Script:
        yield from opted_in(plan="Tue and Thu 11:00")
        sore = (RAN, "3", place("outer_hip"), *CALM)
        turn = yield from taps((yield NEXT), *sore)
        yield {"advance": "30m"}
        yield from taps(turn, button("redo"), *sore)
        told.extend((yield from taps((yield NEXT), answer("worse", "no"), answer("night", "no"))))

    told: Turn = []
    lines = lived(script(), since=MONDAY)

    assert came(lines) == ["Tue 24 14:00 checkin", "Wed 25 08:00 morning"]
    assert OLD_BUTTON not in texts(lines)
    assert texts(told)[0].startswith("Go.")


# ---------------------------------------------------------------- Later


def test_later_is_two_hours_later_each_time_that_it_is_asked_for() -> None:
    def script() -> Script:
        yield from opted_in(plan="Tue 9:00")
        yield from taps((yield NEXT), button("later"))
        yield NEXT
        yield {"text": "later"}
        yield from taps((yield NEXT), RAN, NONE)
        yield {"advance": "3d"}

    assert came(lived(script(), since=MONDAY)) == ["Tue 24 12:00 checkin", "Tue 24 14:00 nudge", "Tue 24 16:00 nudge"]


def test_later_comes_in_the_place_of_a_nudge_that_was_planned_and_says_nothing_of_missing_it() -> None:
    def script() -> Script:
        yield from opted_in(plan="Tue 7:00")
        turn = yield NEXT
        yield {"advance": "7h"}
        yield from taps(turn, button("later"))
        yield NEXT
        yield {"advance": "1d"}

    lines = lived(script(), since=MONDAY)

    assert came(lines) == ["Tue 24 10:00 checkin", "Tue 24 19:00 nudge"]
    assert words("checkins", "open", "nudge") not in "".join(texts(lines))


# ---------------------------------------------------------------- Late


@pytest.mark.parametrize("typed", [False, True])
def test_what_nobody_answered_in_time_may_still_be_answered_for_two_days(typed: bool) -> None:
    def script() -> Script:
        yield from opted_in(plan="Tue 18:30")
        yield NEXT
        turn = yield NEXT  # the nudge, on Wednesday at 8
        yield {"advance": "8h"}
        turn = yield from taps(turn, RAN)
        yield {"advance": "5m"}
        turn = (yield {"text": "3"}) if typed else (yield from taps(turn, "3"))
        yield {"advance": "5m"}
        told.extend((yield from taps(turn, place("outer_hip"), *CALM, answer("worse", "no"), answer("night", "no"))))

    told: Turn = []
    lines = lived(script(), since=MONDAY)

    assert OLD_BUTTON not in texts(lines)
    assert texts(told)[0].startswith("Go.")


def test_what_was_answered_or_skipped_is_not_opened_again() -> None:
    def script() -> Script:
        yield from opted_in(plan="Tue and Thu 11:00")
        turn = yield NEXT
        yield from taps(turn, RAN, NONE)
        yield {"advance": "20h"}
        again.append((yield from taps(turn, RAN)))
        turn = yield NEXT
        yield from taps(turn, button("skip"))
        yield {"advance": "20h"}
        again.append((yield from taps(turn, RAN)))

    again: list[Turn] = []
    lived(script(), since=MONDAY)

    assert [texts(turn) for turn in again] == [[OLD_BUTTON], [OLD_BUTTON]]


# ---------------------------------------------------------------- Tips, and what is not known


SORE = (RAN, "2", place("outer_hip"), *CALM)


def tips_too() -> Script:
    turn = yield {"text": "/tips"}
    yield from taps(turn, words("privacy", "consents", "tips", "give"))


def test_nothing_is_written_before_someone_has_told_where_they_are() -> None:
    def script() -> Script:
        yield from taps((yield {"text": "/checkins"}), words("checkins", "ages", "adult"))
        yield from tips_too()
        turn = yield from taps((yield {"text": "/ran 5 km"}), button("now"))
        yield from taps(turn, *SORE[1:])
        yield {"text": "/ran"}
        unknown.extend((yield {"advance": "7d"}))
        yield from taps((yield {"text": "/settings"}), button("zone"))
        yield {"text": "Berlin"}
        yield {"text": "/ran"}
        yield NEXT

    unknown: Turn = []
    lines = lived(script(), since=MONDAY)

    assert came(unknown) == []
    assert came(lines) == ["Mon 30 12:00 checkin"]


def test_a_pause_uses_up_no_tip() -> None:
    def script(*pause: str) -> Script:
        yield from opted_in(plan="Tue 11:00")
        yield from tips_too()
        yield from taps((yield NEXT), *SORE)
        for text in pause:
            yield {"text": text}
        while not has("tip", (yield NEXT)):
            pass

    first = scheduled(lived(script(), since=MONDAY))[-1]["occurrence"]
    after = scheduled(lived(script("/pause 5 days"), since=MONDAY))[-1]["occurrence"]

    assert (first.rsplit(":", 1)[0], first[-2:], after[-2:]) == (after.rsplit(":", 1)[0], "24", "29")


def test_a_tip_is_chosen_anew_when_answers_are_changed() -> None:
    def script(*changed: str) -> Script:
        yield from opted_in(plan="Tue 11:00")
        yield from tips_too()
        turn = yield from taps((yield NEXT), *SORE)
        if changed:
            yield {"advance": "30m"}
            yield from taps(turn, button("redo"), *changed)
        while not has("tip", (yield NEXT)):
            pass

    here = scheduled(lived(script(), since=MONDAY))[-1]
    sore = scheduled(lived(script(*SORE), since=MONDAY))[-1]
    hold = scheduled(lived(script(RAN, "5", place("sit_bone"), *CALM), since=MONDAY))[-1]

    assert sore["occurrence"] == here["occurrence"] != hold["occurrence"]


# ---------------------------------------------------------------- A result that is asked about again


def followed() -> Script:
    """Come to a result that calls for nothing soon, and ask to be asked about it."""
    turn = yield from checked((yield {"text": "/hip"}), "age_18_44", "place_outer_hip")
    yield from taps(turn, button("follow"), words("privacy", "consents", "follow_up", "give"))


def test_a_result_is_asked_about_at_its_times() -> None:
    def script() -> Script:
        yield from followed()
        yield {"text": "Berlin"}
        yield from taps((yield NEXT), answer("course", "better"))
        yield from ignores()

    assert came(lived(script(), days=40, since=MONDAY)) == ["Mon 30 10:00 followup", "Mon 14 10:00 followup"]


def test_a_result_is_asked_about_once_however_far_someone_travels_meanwhile() -> None:
    def script() -> Script:
        yield from opted_in("Auckland", plan="Tue 11:00")
        yield from followed()
        yield {"advance": "155h"}
        yield from taps((yield {"text": "/settings"}), button("zone"))
        yield {"text": "Honolulu"}
        yield {"advance": "3d"}

    asked = scheduled(lived(script(), days=40, since=MONDAY))

    assert [line["occasion"] for line in asked].count("followup") == 1


# ---------------------------------------------------------------- On a locked screen

OF_HEALTH = """
ache aches bone buttock diagnosis doctor groin health hip hips hurt hurts injured injury joint leg limp muscle night pain
painful pelvis physio sick sore symptom symptoms thigh treatment urgent weight worse
"""


def test_what_comes_by_itself_is_made_of_sentences_that_say_nothing_of_health_and_can_be_stopped_with_one_tap() -> None:
    def script() -> Script:
        yield from opted_in(plan="Tue 11:00")
        yield from tips_too()
        yield from taps((yield NEXT), *SORE)
        yield from followed()
        yield {"advance": "1d"}
        half = yield {"text": "/ran"}
        yield from taps(half, button("now"), "1")  # and left at where it was worst
        turn = yield NEXT
        while not has("tip", turn):
            turn = yield NEXT
        yield from ignores()

    came_by_itself = scheduled(lived(script(), days=90, since=MONDAY))
    sentences = words.table("checkins")["open"]
    patterns = [re.escape(sentence).replace(re.escape("{day}"), r"\w+day") for sentence in sentences.values()]
    stops = {button(key) for key in ("stop", "stop_again", "no_tips")}

    assert {line["occasion"] for line in came_by_itself} == {"checkin", "morning", "nudge", "followup", "tip", "last"}
    for line in came_by_itself:
        assert all(any(re.fullmatch(pattern, part) for pattern in patterns) for part in line["text"].splitlines()), line
        assert stops & {choice["label"] for choice in line["choices"]}, line
    said = {word for sentence in sentences.values() for word in plain(sentence).split()}
    assert not said & set(OF_HEALTH.split())


# ---------------------------------------------------------------- The clock is changed


@pytest.mark.parametrize(
    ("place", "since", "months"),
    [
        ("Berlin", datetime(2026, 10, 12, 9, tzinfo=UTC), "the clock goes back on 25 October"),
        ("Berlin", datetime(2027, 3, 15, 9, tzinfo=UTC), "the clock goes forward on 28 March"),
        ("Lord Howe", datetime(2027, 3, 22, 9, tzinfo=UTC), "the clock goes back by half an hour on 4 April"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_is_asked_at_the_same_time_on_the_wall_whatever_is_done_to_the_clock(
    place: str, since: datetime, months: str
) -> None:
    def script() -> Script:
        yield from opted_in(place, plan="Sun 9:00")
        while True:
            yield from taps((yield NEXT), RAN, NONE)

    zone = {"Berlin": "Europe/Berlin", "Lord Howe": "Australia/Lord_Howe"}[place]
    lines = lived(script(), days=28, since=since)

    assert [when.split(" ", 2)[::2] for when in came(lines, zone)] == [["Sun", "12:00 checkin"]] * 4
    assert len({line["at"][11:16] for line in scheduled(lines)}) == 2
