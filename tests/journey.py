"""Journeys: whole conversations as plain text, for a clinician to read and for the tests to replay.

A line that begins with "> " is what the member does; all else is what they see. `[ ]` takes ticks, `( )` takes one tap. Buttons
that only lead about (Back, Why?, Done) are left out, and a screen that a tick draws again shows what is now ticked.

    > says: /hip                        typed, or a command
    > taps: Groin or front of hip       a button on the latest screen
    > scrolls up and taps: Done         a button further up, perhaps an old one
    > waits: 25 hours

A journey file alone is replayed. To write one down by hand, type its steps and let `UPDATE_JOURNEYS=1 pytest
tests/test_journeys.py` fill in the replies. That command also writes the files of SCRIPTED anew, from the scripts below.
"""

import json
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

from chat import START, Chat, JsonRecords, library
from core.clinical import Findings, Kind, Question
from core.companion import Companion
from core.dialogue import Command, Inbound, Prompt, Reply, Role, Session, Tap, Taps, Text, Upload, Verdict, from_json
from core.dialogue.flow import findings_of
from core.dialogue.shelves import COMMAND_SHELVES, PER_SCREEN, SHELVES
from core.dialogue.turn import Button
from core.library import Library
from core.patient import play

ROOT = Path(__file__).parent / "journeys"
SHOWN = (Role.ANSWER, Role.NONE, Role.NOT_SURE, Role.CONFIRM)
STEP = "> "


@dataclass
class Member(Chat):
    """A member whose conversation is written down as it goes."""

    written: list[str] = field(default_factory=list)
    """One text for each step: what the member did, and what they saw."""

    def __post_init__(self) -> None:
        # From what was said so far, so that a member restored half-way is given the same ids as one who was not.
        self.companion = Companion(self.library, self.sessions, self.clock, lambda: f"{len(self.said):016x}")

    def restored(self, changed: Library | None = None) -> "Member":
        """Return this member after a restart: the store as it was kept, all else anew, perhaps with changed content."""
        sessions = JsonRecords()
        sessions.kept = dict(self.sessions.kept)
        return replace(
            self,
            library=changed or self.library,
            clock=replace(self.clock),
            sessions=sessions,
            said=list(self.said),
            written=list(self.written),
        )

    async def does(self, step: str) -> None:
        """Take one step of a journey file."""
        verb, _, what = step.partition(": ")
        match verb:
            case "says":
                await self.says(what)
            case "taps":
                await self.taps(what)
            case "scrolls up and taps":
                await self.sends(Tap(self.address, self.above(what).tap))
            case "waits":
                self.waits(int(what.removesuffix(" hours")))
            case _:
                raise ValueError(f"a journey has no step {step!r}")

    async def sends(self, inbound: Inbound) -> tuple[Reply, ...]:
        """Hand an inbound to the bot, and write down what came of it."""
        did, before = self._did(inbound), self.last
        replies = await super().sends(inbound)
        self.written.append(f"{STEP}{did}\n{self._seen(before)}")
        return replies

    async def presses(self, *keys: str) -> tuple[Reply, ...]:
        """Press the buttons with these keys of `ui.buttons`, further up where the latest screen has none such."""
        for key in keys:
            label = self.library.words("ui", "buttons", key)
            here = (b for b in self._choices if b.label == label and b.role is not Role.ANSWER)
            await self.sends(Tap(self.address, (next(here, None) or self.above(label)).tap))
        return self.last

    def waits(self, hours: int) -> None:
        """Let some time go by."""
        self.clock.moves(hours=hours)
        self.written.append(f"{STEP}waits: {hours} hours")

    def above(self, label: str) -> Button:
        """Return the newest button with this label that is not on the latest screen."""
        earlier = self.said[: len(self.said) - len(self.last)]
        return next(b for r in reversed(earlier) for b in r.choices if b.label == label)

    @property
    def session(self) -> Session | None:
        """Return the open check, as it was kept."""
        text, _ = self.sessions.kept.get(self.address, (None, None))
        return None if text is None else from_json(json.loads(text))

    @property
    def told(self) -> Findings:
        """Return every finding that the open check has established."""
        return findings_of(self.library, self.session) if self.session else frozenset()

    def _did(self, inbound: Inbound) -> str:
        match inbound:
            case Text(text=text):
                return f"says: {text}"
            case Tap(token=token):
                return self._tapped(token)
            case Upload():
                return "sends a calendar"
            case Taps(tokens=tokens):
                return self._tapped(tokens[-1])
            case Command(name=name, rest=rest):
                return f"says: {f'/{name} {rest}'.rstrip()}"

    def _tapped(self, token: str) -> str:
        if label := next((b.label for b in self._choices if b.tap == token), None):
            assert self.button(label).tap == token, f"two buttons say {label!r}"
            return f"taps: {label}"
        label = next(b.label for r in reversed(self.said) for b in r.choices if b.tap == token)
        assert self.above(label).tap == token, f"a newer button says {label!r}"
        return f"scrolls up and taps: {label}"

    def _seen(self, before: Sequence[Reply]) -> str:
        if len(self.last) == 1 and before and _only_ticks_changed(before[-1], self.last[0]):
            return "\n".join([_box(b) for b in self.last[0].choices if b.ticked] or ["  nothing is ticked"])
        # The version is a hash of the content: it would say that something changed, never what.
        return "\n\n".join(drawn(r) for r in self.last).replace(self.library.pathway.version, "<version>")


def drawn(reply: Reply) -> str:
    """Return a reply as a journey shows it: its words, then the answers it takes."""
    head = []
    if isinstance(reply, Verdict):
        head.append(f"== {reply.urgency.value}: {', '.join(reply.conditions) or 'no pattern'}")
    return "\n".join((*head, reply.text, *(_box(b) for b in reply.choices if b.role in SHOWN)))


def _box(button: Button) -> str:
    box = "( )" if button.ticked is None else "[x]" if button.ticked else "[ ]"
    return f"  {box} {button.label}"


def _only_ticks_changed(before: Reply, now: Reply) -> bool:
    return (
        isinstance(before, Prompt)
        and isinstance(now, Prompt)
        and before.text == now.text
        and any(b.ticked is not None for b in now.choices)
        and [b.label for b in before.choices] == [b.label for b in now.choices]
    )


# Files


def paths() -> list[Path]:
    """Return every journey file."""
    return sorted(ROOT.rglob("*.txt"))


def name_of(path: Path) -> str:
    """Return a journey's name, such as `red_flags/saddle_numb`."""
    return path.relative_to(ROOT).with_suffix("").as_posix()


def is_scripted(path: Path) -> bool:
    """Return whether a journey file is written from a script."""
    return path.relative_to(ROOT).parts[0] in SCRIPTED


def read(path: Path) -> str:
    """Return the text of a journey file."""
    return path.read_text(encoding="utf-8")


@cache
def steps(path: Path) -> tuple[str, ...]:
    """Return what the member does in a journey file."""
    return tuple(line.removeprefix(STEP) for line in read(path).splitlines() if line.startswith(STEP))


async def replayed(path: Path) -> Member:
    """Return the member of a journey file after its last step."""
    member = Member()
    for step in steps(path):
        await member.does(step)
    return member


def title_of(path: Path) -> str:
    """Return the first line of a journey file, which says what it shows."""
    return read(path).partition("\n")[0]


def text_of(title: str, member: Member) -> str:
    """Return a journey file."""
    return "\n\n".join((title, *member.written)) + "\n"


async def write_anew() -> None:
    """Write every journey file from its script, or from its own steps where it was written by hand."""
    texts = {path: text_of(title_of(path), await replayed(path)) for path in paths() if not is_scripted(path)}
    for name, script in scripts().items():
        member = Member()
        await script.plays(member)
        texts[ROOT / f"{name}.txt"] = text_of(f"# {script.title}", member)
    for folder in SCRIPTED:
        shutil.rmtree(ROOT / folder, ignore_errors=True)
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    steps.cache_clear()


# Scripts: what members do, in ids rather than words, so that the files can be written anew after any change of words


@dataclass(frozen=True)
class Script:
    """How one journey goes."""

    title: str
    plays: Callable[[Member], Awaitable[None]]


SCRIPTED = ("red_flags", "conditions", "edits", "moves", "danger", "care")
"""Folders whose files are written from scripts. A journey written by hand, such as one that shows a bug, goes elsewhere."""

MILD: Findings = frozenset(
    {"age_18_44", "place_outer_hip", "dur_3_14d", "walk_fine", "one_side", "pain_0_3", "run_after_only", "course_better"}
)
"""A sore outer hip for which home care is enough, as long as nothing else is told."""

# Someone with each pattern, who tells what people with it often tell.
PATIENTS = {
    "femoral_stress_fracture": "age_18_44 place_groin_front dur_2_6w run_builds hurts_weight walk_limp course_worse "
    "one_side onset_gradual load_more_volume",
    "sacral_stress_fracture": "age_18_44 place_buttock dur_2_6w run_builds hurts_footstrike press_bone walk_sore "
    "course_worse one_side onset_gradual load_long_run risk_missed_periods",
    "pelvic_stress_fracture": "age_18_44 place_pubic_middle dur_2_6w run_builds hurts_footstrike press_bone walk_sore "
    "course_worse one_side onset_gradual load_more_volume risk_low_energy",
    "cauda_equina": "age_45_59 place_low_back leg_both_nerve saddle_numb bladder_bowel_change",
    "hip_fracture_dislocation": "age_60_plus place_groin_front onset_trauma crack_heard cannot_move_hip walk_limp pain_7_10",
    "joint_infection": "age_45_59 place_groin_front dur_under_3d onset_no_cause hist_immune_risk fever_ill walk_sore",
    "implant_problem": "age_60_plus place_thigh hist_hip_replacement dur_3_14d hurts_weight hurts_after_sitting "
    "course_worse walk_sore one_side",
    "dvt": "age_45_59 place_lower_leg leg_swollen hist_clot_risk feel_throbbing dur_under_3d one_side",
    "rhabdomyolysis": "age_18_44 place_front_thigh dark_urine both_sides load_extreme dur_under_3d",
    "abdominal_pelvic_cause": "age_18_44 place_lower_belly belly_moderate spotting dur_under_3d onset_no_cause",
    "bleed": "age_60_plus place_groin_front hist_blood_thinner bruise_big onset_no_cause dur_under_3d walk_sore",
    "scfe": "age_10_17 place_knee walk_limp leg_turns_out dur_2_6w onset_gradual one_side",
    "apophyseal_injury": "age_10_17 place_pelvic_rim onset_pop hurts_sprint_kick press_bone growth_spurt dur_under_3d "
    "one_side walk_sore",
    "childhood_hip": "age_under_10 place_hip walk_limp dur_under_3d onset_no_cause one_side",
    "gtps": "age_45_59 place_outer_hip dur_6_12w night_side_lying press_outer hurts_stairs_hills hurts_one_leg "
    "hurts_crossing_legs hurts_after_sitting walk_sore one_side onset_gradual course_same run_after_only",
    "gluteus_medius_strain": "age_18_44 place_outer_hip onset_pop press_muscle muscle_weak dur_3_14d course_better "
    "walk_sore one_side load_hills_speed",
    "itb_syndrome": "age_18_44 place_outer_knee run_same_point hurts_stairs_hills dur_2_6w walk_fine one_side course_same "
    "load_long_run onset_gradual",
    "meralgia_paraesthetica": "age_45_59 place_outer_thigh leg_outer_skin hurts_belt feel_burning dur_6_12w walk_fine "
    "one_side onset_gradual run_no_effect",
    "fai_syndrome": "age_18_44 place_groin_front hurts_squat_socks sit_groin_hurts dur_over_3m onset_gradual walk_fine "
    "one_side course_same run_after_only treatment_failed",
    "labral_tear": "age_18_44 place_deep place_groin_front click_painful catch_lock_giveway hurts_squat_socks "
    "sit_groin_hurts dur_over_3m walk_fine one_side course_same",
    "hip_osteoarthritis": "age_60_plus place_groin_front place_inner_thigh stiff_up_to_30 hurts_squat_socks dur_over_3m "
    "onset_gradual walk_sore one_side course_same run_after_only",
    "hip_flexor_strain": "age_18_44 place_groin_front onset_pop hurts_knee_lift press_muscle dur_3_14d walk_fine one_side "
    "course_better load_hills_speed run_no_effect",
    "adductor_strain": "age_18_44 place_inner_thigh hurts_knee_squeeze hurts_leg_sideways hurts_sprint_kick press_muscle "
    "onset_pop dur_under_3d walk_sore one_side load_other_sport",
    "hip_tendinopathy": "age_18_44 place_groin_front run_warms_up onset_gradual hurts_knee_lift dur_2_6w walk_fine one_side "
    "course_same load_more_volume",
    "pubic_related_groin_pain": "age_18_44 place_pubic_middle hurts_knee_squeeze hurts_sprint_kick hurts_leg_sideways "
    "hist_postpartum dur_6_12w walk_fine onset_gradual course_same",
    "inguinal_hernia": "age_45_59 place_groin_front lump_groin_comes_goes hurts_cough dur_over_3m walk_fine one_side "
    "course_same",
    "iliopsoas_bursitis": "age_18_44 place_groin_front hurts_knee_lift hurts_after_sitting click_painful onset_gradual "
    "dur_6_12w walk_fine one_side course_same run_after_only",
    "snapping_hip": "age_18_44 place_outer_hip click_painless no_pain onset_years dur_over_3m walk_fine run_no_effect "
    "course_same",
    "proximal_hamstring_tendinopathy": "age_45_59 place_sit_bone sit_bone_hurts run_warms_up load_hills_speed dur_6_12w "
    "walk_fine one_side onset_gradual course_same",
    "hamstring_strain": "age_18_44 place_back_thigh onset_pop muscle_weak bruise_big press_muscle dur_under_3d walk_sore "
    "one_side run_stopped",
    "lumbar_radiculopathy": "age_45_59 place_buttock place_back_thigh leg_below_knee leg_numb_tingling hurts_cough "
    "sit_buttock_down_leg feel_electric dur_2_6w walk_sore one_side",
    "deep_gluteal_syndrome": "age_18_44 place_buttock sit_buttock_down_leg leg_back_of_thigh feel_burning dur_6_12w "
    "walk_fine one_side onset_gradual course_same",
    "sacroiliac_pain": "age_18_44 place_low_back hist_postpartum hurts_one_leg hurts_stairs_hills dur_6_12w walk_sore "
    "one_side onset_gradual course_same",
    "axial_spondyloarthritis": "age_18_44 place_low_back place_buttock stiff_over_30 night_late_better_moving "
    "stiff_better_moving hist_inflammatory relief_anti_inflammatory dur_over_3m onset_gradual both_sides walk_fine "
    "course_same",
    "training_soreness": "age_18_44 place_front_thigh both_sides onset_after_one_run run_after_only load_extreme "
    "course_better dur_under_3d walk_sore pain_4_6",
    "contusion": "age_18_44 place_outer_hip onset_trauma bruise_small walk_sore dur_under_3d course_better press_outer "
    "one_side pain_0_3",
    "bone_tumour": "age_18_44 place_back_thigh weight_loss_sweats lump_bone night_any_position dur_6_12w course_worse "
    "walk_sore one_side onset_gradual",
    "osteonecrosis": "age_45_59 place_deep risk_alcohol xray_normal hurts_weight dur_6_12w walk_sore onset_gradual "
    "course_worse",
    "transient_osteoporosis": "age_18_44 place_groin_front hist_pregnant walk_limp hurts_weight dur_2_6w course_worse one_side",
    "iliac_artery_disease": "age_18_44 place_thigh run_hard_effort_only leg_cold_effort feel_cramp_heavy load_high "
    "dur_over_3m walk_fine one_side course_same",
}

# Members who are asked what nobody above is.
OTHERS = (
    "age_18_44 place_lower_leg dur_2_6w run_builds press_bone walk_fine course_same",
    "age_18_44 place_front_thigh dur_under_3d onset_after_one_run both_sides load_long_run walk_fine course_same",
    "age_60_plus place_outer_hip dur_6_12w course_worse home_care_failed run_warms_up walk_sore",
    "age_18_44 place_all_over dur_over_3m hist_inflammatory stiff_better_moving",
)


def scripts() -> dict[str, Script]:
    """Return every script, by the name of its journey."""
    return {**_red_flags(), **_conditions(), **_edits(), **_moves(), **_danger(), **_care()}


def red_flag_codes() -> dict[str, Question]:
    """Return every finding that a red-flag question asks about, with the question."""
    questions = (q for q in library().pathway.questions if q.red_flag)
    return {code: q for q in questions for c in q.choices for code in c.gives}


def plain_questions() -> tuple[Question, ...]:
    """Return the questions that have a "not sure"."""
    return tuple(q for q in library().pathway.questions if q.red_flag)


def patients() -> dict[str, Findings]:
    """Return the findings of someone with each pattern."""
    return {condition: frozenset(told.split()) for condition, told in PATIENTS.items()}


def but(findings: Findings, *codes: str) -> Findings:
    """Return findings with some more, in the place of those that cannot be told beside them."""
    alone = [g.codes for g in library().pathway.groups if g.kind is Kind.ONE and set(g.codes) & set(codes)]
    return findings.difference(*alone) | set(codes)


def _red_flags() -> dict[str, Script]:
    found = {"red_flags/none": Script("A mildly sore hip, and no alarm sign", partial(_is_checked, findings=MILD))}
    for code, question in red_flag_codes().items():
        told = but(MILD, code, *sorted(question.when)[:1])
        title = f"A mildly sore hip, and: {library().words('findings', code)}"
        found[f"red_flags/{code}"] = Script(title, partial(_is_checked, findings=told))
    for question in plain_questions():
        title = f"Not sure, and still not sure: {library().words('ui', 'short', question.id)}"
        found[f"red_flags/not_sure_{question.id}"] = Script(title, partial(_is_not_sure, question=question))
    return found


def _conditions() -> dict[str, Script]:
    return {
        f"conditions/{id}": Script(library().words("conditions", id, "name"), partial(_is_checked, findings=findings))
        for id, findings in patients().items()
    }


def _edits() -> dict[str, Script]:
    found = {}
    for question, told in who_is_asked().items():
        title = f"Changed after the result: {library().words('ui', 'short', question)}"
        found[f"edits/{question}"] = Script(title, partial(_changes, question=question, findings=told))
    return found


@cache
def who_is_asked() -> dict[str, Findings]:
    """Return every question that is asked in some check, with the findings of the first member who is asked it."""
    flagged = (but(MILD, code, *sorted(q.when)[:1]) for code, q in red_flag_codes().items())
    others = (frozenset(told.split()) for told in OTHERS)
    found: dict[str, Findings] = {}
    for told in (*patients().values(), *others, *flagged):
        for question in play(library(), told, now=START).asked:
            found.setdefault(question, told)
    return found


async def _is_checked(member: Member, *, findings: Findings) -> None:
    await member.says("/hip")
    await member.answers(findings)


async def _is_not_sure(member: Member, *, question: Question) -> None:
    """Come to a question by way of the line that opens it, and be not sure twice."""
    pathway = library().pathway
    opening = next((c for q in pathway.questions for c in q.choices if c.opens == question.id), None)
    findings = but(MILD, *sorted(question.when)[:1])
    await member.says("/hip")
    while member.prompt.question != question.id:
        asked = pathway.by_id[member.prompt.question]
        if opening in asked.choices:
            await member.chooses(opening.id)
        elif asked.red_flag:
            await member.chooses()
        else:
            best = max(asked.choices, key=lambda c: len(findings.intersection(c.gives)))
            await member.chooses(best.id)
    await member.taps_role(Role.NOT_SURE)
    await member.taps_role(Role.NOT_SURE)
    await member.answers(findings)


async def _changes(member: Member, *, question: str, findings: Findings) -> None:
    """Come to the result, answer one question otherwise, and come to the result again."""
    await _is_checked(member, findings=findings)
    await member.presses("review")
    await _edits_line(member, question)
    await _answers_otherwise(member)
    await member.answers(findings)


async def _edits_line(member: Member, question: str) -> None:
    words = member.library.words
    await member.taps(words("ui", "change", what=words("ui", "short", question))[:80])


async def _answers_otherwise(member: Member) -> None:
    """Clear all ticks or make the first; of answers of which one holds, take the next."""
    question = member.library.pathway.by_id[member.prompt.question]
    ticked = [b.label for b in member.prompt.choices if b.ticked]
    if ticked:
        await member.taps(*ticked)
        await _takes_none(member)
    elif question.kind is Kind.MANY:
        await member.chooses(question.choices[0].id)
    else:
        answer = member.session.answer(question.id) if member.session else None
        ids = [c.id for c in question.choices]
        last = ids.index(answer.chosen[0]) if answer and answer.chosen else -1
        await member.chooses(ids[(last + 1) % len(ids)])


async def _takes_none(member: Member) -> None:
    """None of these, and once more where it is asked again in plainer words."""
    question = member.prompt.question
    while isinstance(member.last[-1], Prompt) and member.prompt.question == question:
        await member.chooses()


def _moves() -> dict[str, Script]:
    """Return the journeys that lead about: each function below is one, named and explained by its name and docstring."""
    moves = (
        back_at_every_step,
        mistap_undone_after_an_emergency,
        none_after_a_tick_kept,
        none_after_a_tick_cleared,
        none_after_a_tick_back,
        not_sure_then_sure,
        edited_before_the_result,
        a_detail_unticked,
        resumed_and_gone_on,
        resumed_and_started_again,
        result_seen_again,
        restarted_by_button,
        restarted_by_word,
        stopped_by_command,
        stopped_by_button,
        stopped_by_word,
        region_set_from_the_result,
        settings_changed,
        everything_behind_the_result,
        why_a_question_is_asked,
        answers_typed,
        answers_mistyped,
        old_buttons,
        a_day_later,
        first_words,
    )
    return {f"moves/{move.__name__}": Script((move.__doc__ or "").removesuffix("."), move) for move in moves}


async def back_at_every_step(member: Member) -> None:
    """Back at every question, and the answer before it given once more."""
    findings = patients()["lumbar_radiculopathy"]
    await member.says("/hip")
    await member.says("back")
    while not any(isinstance(r, Verdict) for r in member.last):
        await _answers_one(member, findings)
        if isinstance(member.last[-1], Prompt):
            await member.presses("back")
            await _answers_one(member, findings)


async def mistap_undone_after_an_emergency(member: Member) -> None:
    """A mis-tap that made it an emergency, undone."""
    await member.says("/hip")
    await member.chooses("walk")
    await member.chooses("unable")
    await member.presses("mistap")
    await member.chooses("limp")
    await member.answers(but(MILD, "walk_limp"))


async def none_after_a_tick_kept(member: Member) -> None:
    """A line ticked, then "None of these": the tick was right."""
    await _ticks_then_none(member)
    await member.taps_role(Role.CONFIRM)
    await member.answers(MILD | {"saddle_numb"})


async def none_after_a_tick_cleared(member: Member) -> None:
    """A line ticked, then "None of these": the tick was wrong."""
    await _ticks_then_none(member)
    await member.taps_role(Role.NONE)
    await member.answers(MILD)


async def none_after_a_tick_back(member: Member) -> None:
    """A line ticked, then "None of these": back to look once more, and the tick cleared there."""
    await _ticks_then_none(member)
    await member.presses("back")
    await member.taps(*(b.label for b in member.prompt.choices if b.ticked))
    await member.answers(MILD)


async def not_sure_then_sure(member: Member) -> None:
    """Not sure at first, and sure once it is put in plainer words."""
    await member.says("/hip")
    await member.taps_role(Role.NOT_SURE)
    await member.chooses("leg")
    await member.taps_role(Role.NOT_SURE)
    await member.presses("back")
    await member.answers(MILD | {"leg_numb_tingling"})


async def edited_before_the_result(member: Member) -> None:
    """An answer changed half-way, and the check gone on with."""
    await member.says("/hip")
    await _answers_up_to(member, "duration", MILD)
    await member.presses("review")
    await _edits_line(member, "place")
    await member.chooses("groin")
    await member.presses("review", "go_on")
    await member.answers(but(MILD - {"place_outer_hip"}, "place_groin_front"))


async def a_detail_unticked(member: Member) -> None:
    """A line unticked after the result: what was told on the screen that it opened goes with it."""
    await _is_checked(member, findings=MILD | {"leg_swollen"})
    await member.presses("review")
    await _edits_line(member, "body")
    await member.taps(*(b.label for b in member.prompt.choices if b.ticked))
    await _takes_none(member)
    await member.answers(MILD)
    await member.presses("review")


async def resumed_and_gone_on(member: Member) -> None:
    """A check left open for some hours, and gone on with."""
    await member.says("/hip")
    await _answers_up_to(member, "duration", MILD)
    member.waits(3)
    await member.says("/hip")
    await member.presses("go_on")
    await member.answers(MILD)


async def resumed_and_started_again(member: Member) -> None:
    """A check left open, and a new one begun instead."""
    await member.says("/hip")
    await _answers_up_to(member, "age", MILD)
    await member.says("/hip")
    await member.presses("start_again")
    await member.answers(MILD)


async def result_seen_again(member: Member) -> None:
    """A result that is still there when asked for."""
    await _is_checked(member, findings=MILD)
    await member.says("/hip")
    await member.presses("see_result")


async def restarted_by_button(member: Member) -> None:
    """Start again, by button, from a question and from the result."""
    await member.says("/hip")
    await _answers_up_to(member, "health", MILD)
    await member.presses("start_again")
    await member.answers(MILD)
    await member.presses("start_again")


async def restarted_by_word(member: Member) -> None:
    """Start again, by word, from a question and from the result."""
    await member.says("/hip")
    await _answers_up_to(member, "health", MILD)
    await member.says("restart")
    await member.answers(MILD)
    await member.says("new check")


async def stopped_by_command(member: Member) -> None:
    """Stop, by command: with a check open, with a result, and with nothing."""
    await member.says("/hip")
    await member.says("/stop")
    await _is_checked(member, findings=MILD)
    await member.says("/stop")
    await member.says("/stop")
    await member.says("/why")


async def stopped_by_button(member: Member) -> None:
    """Stop, by button; the buttons left behind do nothing."""
    await member.says("/hip")
    await _answers_up_to(member, "age", MILD)
    await member.presses("stop", "review")


async def stopped_by_word(member: Member) -> None:
    """Stop, by word."""
    await member.says("/hip")
    await _answers_up_to(member, "age", MILD)
    await member.says("stop")


async def region_set_from_the_result(member: Member) -> None:
    """A country set by tap: the result is shown again with its numbers."""
    await _is_checked(member, findings=MILD | {"fever_ill"})
    await member.presses("set_region")
    await member.taps(member.library.words("regions", "GB"))


async def settings_changed(member: Member) -> None:
    """Country and distances set, and used in what follows."""
    await member.says("/settings")
    await member.presses("set_region")
    await member.taps(member.library.words("regions", "US"))
    await member.says("/settings")
    await member.presses("miles")
    await member.says("/settings")
    await _is_checked(member, findings=patients()["sacral_stress_fracture"])


async def everything_behind_the_result(member: Member) -> None:
    """Every button of a result, and a page of the care library from it."""
    await _is_checked(member, findings=but(patients()["hip_tendinopathy"], "risk_steroid_course"))
    await member.presses("why", "advice", "changes", "clinician", "patterns")
    await member.taps(member.notice.choices[0].label)
    await member.presses("review", "see_result")
    await member.says("/why")


async def why_a_question_is_asked(member: Member) -> None:
    """Why? at three questions, by button, by word and by command."""
    await member.says("/hip")
    await member.presses("why")
    await _answers_up_to(member, "age", MILD)
    await member.says("why")
    await _answers_up_to(member, "duration", MILD)
    await member.says("/why")
    await member.answers(MILD)


async def answers_typed(member: Member) -> None:
    """A check without a tap: numbers, an age, words and whole labels typed."""
    findings = but(patients()["gluteus_medius_strain"], "leg_numb_tingling")
    typed = {"age": "34", "place": "outside of hip", "onset": "pop"}
    await member.says("/hip")
    while isinstance(member.last[-1], Prompt):
        question = member.prompt.question
        await _types(member, typed.get(question), findings)
        if question == "age":
            await member.says("my answers")
            await member.says("go on")
    await member.says("what is it")


async def answers_mistyped(member: Member) -> None:
    """What cannot be read is not guessed at, and a slip of the finger is forgiven."""
    await member.says("/hip")
    await member.says("it hurts a bit when I run, you know")
    await member.says("99")
    await member.says("Non of thees")
    await member.says("none")
    await member.says("1 2")
    await member.says("Groin or frnt of hip")
    await _answers_up_to(member, "place", MILD)
    await member.says("Groin or frnt of hip")
    await member.says("/hop")


async def old_buttons(member: Member) -> None:
    """A double tap, a button of an earlier screen, and buttons of a check that was started again."""
    await member.says("/hip")
    await _answers_up_to(member, "age", MILD)
    await member.chooses("adult")
    await member.sends(Tap(member.address, member.above(member.library.words("questions", "age", "choices", "adult")).tap))
    await member.presses("start_again")
    await member.sends(Tap(member.address, member.above(member.library.words("questions", "age", "choices", "adult")).tap))


async def a_day_later(member: Member) -> None:
    """A check that was left for more than a day is gone, and its buttons say so."""
    await member.says("/hip")
    await _answers_up_to(member, "age", MILD)
    member.waits(25)
    await member.taps(member.library.words("questions", "age", "choices", "adult"))
    await member.says("/hip")
    await member.sends(Tap(member.address, member.above(member.library.words("questions", "age", "choices", "adult")).tap))


async def first_words(member: Member) -> None:
    """What a newcomer may send before any check."""
    await member.says("hello")
    await member.says("/start")
    await member.says("/help")
    await member.says("/why")
    await member.says("side of my hip")
    await member.says("/hip")


async def _types(member: Member, text: str | None, findings: Findings) -> None:
    """Type an answer to the open question: a text, or the numbers of what fits."""
    question = member.library.pathway.by_id[member.prompt.question]
    fitting = [i for i, c in enumerate(question.choices, 1) if member.library.pathway.leads_to[question.id, c.id] & findings]
    await member.says(text or " and ".join(map(str, fitting)) or "none of them")
    if isinstance(member.last[-1], Prompt) and any(b.ticked for b in member.prompt.choices):
        await member.says("done")


async def _ticks_then_none(member: Member) -> None:
    label = member.library.words("questions", "body", "choices", "saddle")
    await member.says("/hip")
    await member.taps(label)
    await member.taps_role(Role.NONE)


async def _answers_up_to(member: Member, question: str, findings: Findings) -> None:
    while member.prompt.question != question:
        await _answers_one(member, findings)


async def _answers_one(member: Member, findings: Findings) -> None:
    """Answer the open question; what is ticked already stays."""
    question = member.library.pathway.by_id[member.prompt.question]
    leads = {c.id: len(member.library.pathway.leads_to[question.id, c.id] & findings) for c in question.choices}
    if question.kind is Kind.ONE:
        best = max(leads, key=leads.__getitem__)
        await member.chooses(*([best] if leads[best] else []))
    elif any(b.ticked for b in member.prompt.choices):
        await member.taps_role(Role.DONE)
    else:
        await member.chooses(*(id for id, shared in leads.items() if shared))


def _danger() -> dict[str, Script]:
    """Return a journey for every kind of words of danger, typed in the middle of a check."""
    return {
        f"danger/{kind}": Script(
            f"Words of danger in the middle of a check: {entry['phrases'][0]}", partial(_in_danger, kind=kind)
        )
        for kind, entry in library().words.table("danger").items()
    }


async def _in_danger(member: Member, *, kind: str) -> None:
    await member.says("/hip")
    await _answers_up_to(member, "age", MILD)
    await member.says(member.library.words.list("danger", kind, "phrases")[0])
    await member.presses("go_on")


def _care() -> dict[str, Script]:
    words = library().words
    found = {
        f"care/{shelf}": Script(f"Every page of a shelf: {words('ui', 'shelves', shelf)}", partial(_reads, shelf=shelf))
        for shelf in SHELVES
    }
    found["care/search"] = Script("The care library searched, with slips of the finger", _searches)
    found["care/commands"] = Script("The commands that open a shelf", _opens_shelves)
    return found


async def _reads(member: Member, *, shelf: str) -> None:
    """Open every page of a shelf from the shelf itself."""
    words = member.library.words
    await member.says("/care")
    await member.taps(words("ui", "shelves", shelf))
    for i, page in enumerate(member.library.shelf(shelf)):
        if i and i % PER_SCREEN == 0:
            await member.presses("more")
        title = words("care", page.id, "title")
        if any(b.label == title and b.role is Role.ANSWER for b in member._choices):
            await member.taps(title)
        else:
            await member.sends(Tap(member.address, member.above(title).tap))


async def _searches(member: Member) -> None:
    for typed in ("bursitus", "sciattica", "labrel tare", "streching", "hip flexer", "xqzw", "ice"):
        await member.says(f"/care {typed}")
    await member.says("artritis")


async def _opens_shelves(member: Member) -> None:
    for command in COMMAND_SHELVES:
        await member.says(f"/{command}")
