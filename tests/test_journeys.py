"""Every journey goes as it is written down, also when the bot restarts or its content changes on the way.

`UPDATE_JOURNEYS=1 pytest tests/test_journeys.py` writes the files anew; read what changed before you keep it.
"""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

import journey
from chat import library
from core.clinical import Choice, Condition, Disposition, Kind, Question, Stage
from core.dialogue import Prompt, Verdict
from core.dialogue.shelves import SHELVES
from core.dialogue.typed import plain
from core.library import Library
from core.words import Words
from journey import Member

if os.environ.get("UPDATE_JOURNEYS"):
    asyncio.run(journey.write_anew())

PATHS = journey.paths()
IN_FULL = frozenset(PATHS[:: len(PATHS) // 20 or 1])
"""Journeys that are gone on with to their end from every step; the others from three."""

SAMPLE = ("gtps", "labral_tear", "hip_osteoarthritis", "lumbar_radiculopathy", "apophyseal_injury", "bone_tumour")
"""Patients in the middle of whose checks the content changes."""


# As written


@pytest.mark.parametrize("path", PATHS, ids=journey.name_of)
async def test_a_journey_goes_as_it_is_written_down(path: Path) -> None:
    member = await journey.replayed(path)

    assert journey.text_of(journey.title_of(path), member) == journey.read(path)


def test_every_script_has_its_file_and_every_file_its_script() -> None:
    written = {journey.name_of(p) for p in PATHS if journey.is_scripted(p)}

    assert written == set(journey.scripts()), "UPDATE_JOURNEYS=1 pytest tests/test_journeys.py"


# Of everything


@pytest.mark.parametrize("code", journey.red_flag_codes())
async def test_a_red_flag_is_told_in_its_journey_and_counts(code: str) -> None:
    member = await journey.replayed(journey.ROOT / f"red_flags/{code}.txt")
    rules = [f.rule.urgency for f in library().triage.assess(frozenset({code})).fired]

    assert code in member.told
    assert member.verdict.urgency >= max(rules, default=Disposition.SELF_CARE)


@pytest.mark.parametrize("question", journey.plain_questions(), ids=lambda q: q.id)
async def test_what_is_still_not_sure_counts_in_its_journey(question: Question) -> None:
    member = await journey.replayed(journey.ROOT / f"red_flags/not_sure_{question.id}.txt")
    unsure = frozenset(f"unsure_{c.item}" for c in question.choices)

    assert unsure <= member.told
    assert member.verdict.urgency >= max(Disposition.WITHIN_DAYS, library().triage.urgency(unsure))


@pytest.mark.parametrize("condition", library().pathway.conditions, ids=lambda c: c.id)
async def test_a_condition_is_among_the_first_three_named_in_its_journey(condition: Condition) -> None:
    """Also where the check ends at once: the sign that ends it names the condition first.

    One is exempt from the first three: a painful click tells the bursa at the front of the hip from its tendon, and a check
    that already has everything that decides how soon does not go on to ask for it.
    """
    member = await journey.replayed(journey.ROOT / f"conditions/{condition.id}.txt")

    assert condition.id in member.verdict.conditions[: 5 if condition.id == "iliopsoas_bursitis" else 3]


@pytest.mark.parametrize("condition", library().pathway.conditions, ids=lambda c: c.id)
def test_a_patient_is_a_believable_one(condition: Condition) -> None:
    told = journey.patients()[condition.id]
    alone = [set(g.codes) & told for g in library().pathway.groups if g.kind is Kind.ONE]

    assert told <= library().pathway.codes
    assert len((condition.strong | condition.typical) & told) >= 2
    assert [codes for codes in alone if len(codes) > 1] == []


@pytest.mark.parametrize("question", library().pathway.questions, ids=lambda q: q.id)
async def test_every_question_is_asked_in_some_journey_and_changed_after_the_result(question: Question) -> None:
    member = Member()
    answers = []
    for step in journey.steps(journey.ROOT / f"edits/{question.id}.txt"):
        await member.does(step)
        if isinstance(member.last[-1], Verdict) and member.session:
            answers.append(member.session.answer(question.id))

    assert answers[0] is not None
    assert answers[-1] != answers[0]


@pytest.mark.parametrize("shelf", SHELVES)
async def test_every_page_of_a_shelf_is_opened_in_its_journey(shelf: str) -> None:
    member = await journey.replayed(journey.ROOT / f"care/{shelf}.txt")
    titles = [library().words("care", page.id, "title") for page in library().shelf(shelf)]

    assert [t for t in titles if not any(r.text.startswith(f"{t}\n\n") for r in member.said)] == []


# After a restart


@pytest.mark.parametrize("path", PATHS, ids=journey.name_of)
async def test_a_journey_goes_on_the_same_after_a_restart_at_any_step(path: Path) -> None:
    """At every step a fresh bot over what was kept takes the next one alike, and from some steps all that follow."""
    steps = journey.steps(path)
    to_the_end = range(len(steps)) if path in IN_FULL else {len(steps) // 4, len(steps) // 2, 3 * len(steps) // 4}
    member = Member()
    gone_on: list[Member] = []
    for at, step in enumerate(steps):
        restarted = member.restored()
        for each in (member, restarted, *gone_on):
            await each.does(step)
        assert (restarted.written[-1], restarted.sessions.kept) == (member.written[-1], member.sessions.kept)
        if at in to_the_end:
            gone_on.append(restarted)

    assert [each.written for each in gone_on] == [member.written] * len(gone_on)


# After a change of content


ALARM = Question(
    id="new_alarm",
    stage=Stage.SAFETY,
    kind=Kind.MANY,
    choices=(Choice("numb", gives=("saddle_numb",)),),
    red_flag=True,
    fingerprint="new",
)
ALARM_WORDS = {"ask": "Now?", "why": "Why.", "none": "No", "plain": "Now?"} | {
    kind: {"numb": "Numb"} for kind in ("choices", "plain_choices")
}


def with_questions(*questions: Question) -> Library:
    """Return the library after an update that left it with these questions, in this order."""
    words = library().words.tree
    words = {**words, "questions": {**words["questions"], ALARM.id: ALARM_WORDS}}
    pathway = replace(library().pathway, version="2.0ddba115", questions=questions)
    return replace(library(), pathway=pathway, words=Words("en", words))


async def on_the_way(condition: str) -> list[Member]:
    """Return a patient as they are after each step of their journey."""
    member = Member()
    passed = []
    for step in journey.steps(journey.ROOT / f"conditions/{condition}.txt"):
        await member.does(step)
        passed.append(member.restored())
    return passed


async def come_back(member: Member, changed: Library) -> Member:
    """Return a member who asks for their check after an update, and goes on with it."""
    back = member.restored(changed)
    await back.says("/hip")
    await back.taps(back.prompt.choices[0].label)
    return back


def asked(member: Member) -> str | None:
    """Return the question that is open, None at the result."""
    return member.prompt.question if isinstance(member.last[-1], Prompt) else None


async def to_the_result(member: Member, condition: str, *more: str) -> list[str]:
    """Go on to the result, and return the questions that are asked on the way, in order."""
    said = len(member.said) - len(member.last)
    await member.answers(journey.patients()[condition] | set(more))
    return list(dict.fromkeys(r.question for r in member.said[said:] if isinstance(r, Prompt)))


@pytest.mark.parametrize("condition", SAMPLE)
async def test_an_update_that_changes_no_question_loses_no_answer(condition: str) -> None:
    passed = await on_the_way(condition)
    changed = with_questions(*library().pathway.questions)
    for member in passed:
        back = await come_back(member, changed)

        assert back.session
        assert member.session
        assert back.session.answers == member.session.answers
        assert asked(back) == asked(member)
        await to_the_result(back, condition)
        assert back.verdict.text == passed[-1].verdict.text


@pytest.mark.parametrize("condition", SAMPLE)
async def test_a_button_from_before_an_update_shows_where_the_member_is(condition: str) -> None:
    changed = with_questions(*library().pathway.questions)
    for member in await on_the_way(condition):
        back = member.restored(changed)
        await back.taps(back._choices[0].label)

        assert back.notice.text.startswith(library().words("ui", "old_button"))
        assert asked(back) == asked(member)
        assert back.told == member.told


@pytest.mark.parametrize("condition", SAMPLE)
async def test_a_question_whose_choices_change_is_asked_again_before_the_result(condition: str) -> None:
    """Always where it is about safety, age or place; any other where its answer can still change something."""
    finished = (await on_the_way(condition))[-1]
    assert finished.session
    for question in [library().pathway.by_id[a.question] for a in finished.session.answers]:
        changed = (replace(q, fingerprint="changed") if q is question else q for q in library().pathway.questions)
        back = await come_back(finished, with_questions(*changed))
        again = await to_the_result(back, condition)

        assert back.session
        answer = back.session.answer(question.id)
        assert question.id in again if question.stage in (Stage.SAFETY, Stage.SETTING) else True
        assert answer.fingerprint == "changed" if answer else question.id not in again
        assert back.verdict.urgency is finished.verdict.urgency


@pytest.mark.parametrize("condition", SAMPLE)
async def test_a_new_red_flag_is_asked_before_the_result_and_counts(condition: str) -> None:
    changed = with_questions(ALARM, *library().pathway.questions)
    for member in await on_the_way(condition):
        back, alarmed = await come_back(member, changed), await come_back(member, changed)

        assert asked(back) == ALARM.id
        await to_the_result(back, condition)
        assert back.verdict.urgency is not Disposition.EMERGENCY
        await to_the_result(alarmed, condition, "saddle_numb")
        assert alarmed.verdict.urgency is Disposition.EMERGENCY


@pytest.mark.parametrize("condition", SAMPLE)
async def test_a_question_that_is_gone_takes_its_answer_with_it_and_nothing_else(condition: str) -> None:
    passed = await on_the_way(condition)
    finished = passed[-1].session
    assert finished
    questions = library().pathway.by_id
    for gone in [a.question for a in finished.answers if not questions[a.question].detail]:
        goes = {gone} | what_hangs_on(questions[gone])
        changed = with_questions(*(q for q in questions.values() if q.id != gone))
        for member in passed:
            back = await come_back(member, changed)

            assert back.session
            assert member.session
            assert back.session.answers == tuple(a for a in member.session.answers if a.question not in goes)
            assert gone not in await to_the_result(back, condition)


def what_hangs_on(question: Question) -> set[str]:
    """Return the questions that an answer to this one opens or calls for."""
    pathway = library().pathway
    gives = frozenset().union(*(pathway.leads_to[question.id, c.id] for c in question.choices))
    opened = {c.opens for c in question.choices if c.opens}
    return opened | {q.id for q in pathway.questions if q.when & gives}


def test_no_answer_says_the_same_as_another_button_of_its_screen() -> None:
    words = library().words
    ways = ("done", "not_sure", "still_not_sure", "back", "why", "review", "start_again", "stop")
    taken = {plain(text) for way in ways for text in (words("ui", "buttons", way), *words.list("ui", "typed", way))}
    doubled = []
    for question in library().pathway.questions:
        for wording in ("choices", "plain_choices"):
            labels = [plain(label) for label in words.table("questions", question.id, wording).values()]
            labels.append(plain(words("questions", question.id, "none")))
            doubled += [(question.id, label) for label in labels if label in taken or labels.count(label) > 1]

    assert doubled == []
