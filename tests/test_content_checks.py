"""The content checks: each thing that can go wrong is named by file and key, and the shipped content has none of them."""

import json
import os
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bots.commands import content as command
from chat import Chat
from content import checks, loader, reading
from content.loader import HERE
from core.clinical import Kind, Stage
from core.dialogue import Prompt

Edit = Callable[[str], str]
ROUTINE = "The structural abnormalities characteristically associated with osteoarthritis deteriorate progressively"
HARD = f"{ROUTINE}, necessitating comprehensive multidisciplinary rehabilitation programmes, " * 3 + "immediately."


class Copy:
    """A copy of the content in which one thing after another is broken and put back."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._kept: dict[Path, tuple[str, int] | None] = {}

    def edit(self, file: str, change: Edit) -> None:
        before = (self.root / file).read_text(encoding="utf-8")
        after = change(before)
        assert after != before, f"{file} is not as this test expects"
        self.write(file, after)

    def write(self, file: str, text: str) -> None:
        path = self._keep(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def remove(self, file: str) -> None:
        self._keep(file).unlink()

    def restore(self) -> None:
        """Put everything back, times included, so that what was parsed once need not be parsed again."""
        for path, kept in self._kept.items():
            if kept is None:
                path.unlink()
                continue
            path.write_text(kept[0], encoding="utf-8")
            os.utime(path, ns=(kept[1], kept[1]))
        self._kept.clear()

    def _keep(self, file: str) -> Path:
        path = self.root / file
        if path not in self._kept:
            here = path.exists()
            self._kept[path] = (path.read_text(encoding="utf-8"), path.stat().st_mtime_ns) if here else None
        return path


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copy") / "content"
    shutil.copytree(HERE, root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return root


@pytest.fixture
def copy(copied: Path) -> Iterator[Copy]:
    copy = Copy(copied)
    yield copy
    copy.restore()


@pytest.fixture
def checked(copy: Copy, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, list[str]]]:
    """Give a function that runs `hipwise content` on the copy and returns its exit code and its lines."""

    def run(*argv: str) -> tuple[int, list[str]]:
        code = command.run(["--root", str(copy.root), *argv])
        return code, capsys.readouterr().out.splitlines()

    return run


# Ways to edit a file


def puts(old: str, new: str) -> Edit:
    """Put one text in the place of another, once."""
    return lambda text: text.replace(old, new, 1)


def adds(more: str) -> Edit:
    return lambda text: f"{text}\n{more}\n"


def drops(key: str, *, table: str = "") -> Edit:
    """Take a key out, of the file or of one of its tables."""
    return says(key, None, table=table)


def says(key: str, value: Any, *, table: str = "") -> Edit:
    """Let a key that stands on one line say something else."""
    line = "" if value is None else f"{key} = {json.dumps(value)}"

    def change(text: str) -> str:
        start = text.index(f"[{table}]\n") if table else 0
        return text[:start] + re.sub(rf"(?m)^{key}\s*= .*$", lambda _: line, text[start:], count=1)

    return change


def begins(table: str, paragraph: str) -> Edit:
    """Put a paragraph before the others of a page."""

    def change(text: str) -> str:
        start = text.index(f"[{table}]\n")
        return text[:start] + text[start:].replace("body = [\n", f"body = [\n  {json.dumps(paragraph)},\n", 1)

    return change


def question(name: str = "extra", *, stage: str = "urgency", when: str = "", choices: str = "") -> Edit:
    choices = choices or '{ id = "yes", gives = ["walk_limp"] }'
    asked = f'when = ["{when}"]\n' if when else ""
    return adds(f'[[question]]\nid = "{name}"\nstage = "{stage}"\nkind = "many"\n{asked}choices = [{choices}]')


PATHWAY = loader.load_pathway()
GIVEN = {code for q in PATHWAY.questions for c in q.choices for code in c.gives}
UNTOLD = min(c for c in PATHWAY.codes - GIVEN if not c.startswith("unsure_"))
ONE = next(q for q in PATHWAY.questions if q.kind is Kind.ONE and not q.red_flag)
CHOICE = ONE.choices[0].id
FIRST = ", ".join(q.id for q in PATHWAY.questions if q.stage is Stage.SAFETY and not q.detail and not q.when)
JUDGEMENT = 'home_made = "Nothing was read on this."'
MANY = [f"c{i}" for i in range(26)]

CHECKINS = "checkins.toml"
RULES, QUESTIONS, CONDITIONS, ADVICE = "hip/rules.toml", "hip/questions.toml", "hip/conditions.toml", "hip/advice.toml"
TIPS, EN = "tips.toml", "locale/en"

BROKEN: list[tuple[str, dict[str, Edit], str]] = [
    # Check-ins
    (
        "a place of a check-in on an unknown code",
        {CHECKINS: puts('groin = ["place_groin_front"]', 'groin = ["place_groin"]')},
        "checkins.toml: places.groin: there is no finding 'place_groin'",
    ),
    (
        "a place without what it establishes",
        {CHECKINS: puts('groin = ["place_groin_front"]', "")},
        "checkins.toml: places.groin: is missing",
    ),
    (
        "a sign that there is not",
        {CHECKINS: puts("built = [", "bilt = [")},
        "checkins.toml: signs: 'bilt' is none of built, limp, still, worse, night, lying",
    ),
    ("cut points in disorder", {CHECKINS: puts("go = 3", "go = 6")}, "checkins.toml: scale: needs 0 < go < hold < 10"),
    ("a light without a source", {CHECKINS: says("hold", [], table="lights")}, "checkins.toml: hold.sources: cites nothing"),
    (
        "a limit that raises nothing",
        {CHECKINS: puts('to = "routine"', 'to = "self_care"')},
        "checkins.toml: home_care_a_week: does not raise the urgency",
    ),
    (
        "a limit on a day on which nobody is asked",
        {CHECKINS: puts("days = 7", "days = 8")},
        "checkins.toml: home_care_a_week: nobody is asked on day 8",
    ),
    (
        "a limit without words",
        {f"{EN}/checkins.toml": says("home_care_a_week", None)},
        f"{EN}/checkins.toml: limits.home_care_a_week: has no words",
    ),
    # Ids and references
    (
        "a rule on an unknown code",
        {RULES: puts('all = ["saddle_numb"]', 'all = ["saddle_nubm"]')},
        f"{RULES}: saddle_numb.all: there is no finding 'saddle_nubm'",
    ),
    (
        "a set of an unknown code",
        {RULES: puts('child = ["age_under_10"', 'child = ["age_under_11"')},
        f"{RULES}: sets.child: there is no finding 'age_under_11'",
    ),
    (
        "a pattern on an unknown code",
        {CONDITIONS: says("strong", ["nowhere"], table="gtps")},
        f"{CONDITIONS}: gtps.strong: there is no finding 'nowhere'",
    ),
    (
        "advice that an unknown code excludes",
        {ADVICE: adds('[extra]\nkind = "do"\nurgencies = ["routine"]\nnone = ["nowhere"]\nsources = ["SEED0"]')},
        f"{ADVICE}: extra.none: there is no finding 'nowhere'",
    ),
    (
        "a choice that gives an unknown code",
        {QUESTIONS: question(choices='{ id = "yes", gives = ["nowhere"] }')},
        f"{QUESTIONS}: extra.yes: there is no finding 'nowhere'",
    ),
    ("a question on an unknown code", {QUESTIONS: question(when="nowhere")}, f"{QUESTIONS}: extra.when: there is no finding"),
    (
        "a watched code that is unknown",
        {"hip/pathway.toml": puts('watch = [\n    "walk_unable"', 'watch = [\n    "walk_unabel"')},
        "hip/pathway.toml: watch: there is no finding 'walk_unabel'",
    ),
    (
        "other trouble shown by an unknown code",
        {"hip/pathway.toml": says("shin", ["place_shin"])},
        "hip/pathway.toml: not_the_hip.shin: there is no finding 'place_shin'",
    ),
    ("two questions of one id", {QUESTIONS: question(ONE.id)}, f"{QUESTIONS}: {ONE.id}: is there twice"),
    (
        "two choices of one id",
        {QUESTIONS: question(choices=2 * '{ id = "yes", gives = ["walk_limp"] },')},
        f"{QUESTIONS}: extra.yes: is there twice",
    ),
    (
        "two rules of one id",
        {RULES: adds('[[reassurance]]\nid = "saddle_numb"\nsources = ["SEED0"]')},
        f"{RULES}: saddle_numb: is there twice",
    ),
    (
        "one code in two groups",
        {"hip/findings.toml": adds('[extra]\nkind = "one"\ncodes = ["walk_limp"]')},
        "hip/findings.toml: walk_limp: is there twice",
    ),
    ("a page on two shelves", {"care/faq.toml": adds('[gtps]\nsources = ["SEED0"]')}, "gtps: stands on another shelf too"),
    (
        "a choice that opens nothing there is",
        {QUESTIONS: question(stage="safety", choices='{ id = "yes", opens = "nothing" }')},
        f"{QUESTIONS}: extra.yes: there is no question 'nothing' to open",
    ),
    (
        "a question opened where none is",
        {QUESTIONS: question(choices=f'{{ id = "yes", opens = "{ONE.id}" }}')},
        f"{QUESTIONS}: extra.yes: only a question of the safety or setting stage opens another, one deep",
    ),
    (
        "a choice that leads nowhere",
        {QUESTIONS: question(choices='{ id = "yes" }')},
        f"{QUESTIONS}: extra.yes: gives no finding and opens no question",
    ),
    ("a question that no answers lead to", {QUESTIONS: question(when=UNTOLD)}, f"{QUESTIONS}: extra: no answers lead to"),
    (
        "a question that changes nothing",
        {
            "hip/findings.toml": adds('[extra]\nkind = "one"\ncodes = ["extra"]'),
            QUESTIONS: question(choices='{ id = "yes", gives = ["extra"] }'),
        },
        f"{QUESTIONS}: extra: no rule and no pattern uses its answers, so it is never asked",
    ),
    (
        "a red flag without its not sure",
        {"hip/findings.toml": lambda text: text.replace('    "unsure_fever_ill",\n', "")},
        "hip/findings.toml: unsure_fever_ill: is missing, for not sure about ill.fever",
    ),
    (
        "a not sure that no rule acts on",
        {RULES: lambda text: re.sub(r'"unsure_fever_ill",?', "", text)},
        f"{RULES}: unsure_fever_ill: is in no rule, so not being sure changes nothing",
    ),
    (
        "a rule that names an unknown pattern first",
        {RULES: puts('first = ["cauda_equina"]', 'first = ["cauda_equine"]')},
        f"{RULES}: saddle_numb.first: there is no condition 'cauda_equine'",
    ),
    (
        "advice for an unknown pattern",
        {ADVICE: adds('[extra]\nkind = "do"\nurgencies = ["routine"]\nconditions = ["nothing"]\nsources = ["SEED0"]')},
        f"{ADVICE}: extra.conditions: there is no condition 'nothing'",
    ),
    (
        "a pattern without its page",
        {CONDITIONS: says("care", "gpts", table="gtps")},
        f"{CONDITIONS}: gtps.care: there is no care page 'gpts'",
    ),
    (
        "a page that leads to no page",
        {"care/conditions.toml": says("see_also", ["nowhere"], table="gtps")},
        "care/conditions.toml: gtps.see_also: there is no care page 'nowhere'",
    ),
    (
        "a ledger that points nowhere",
        {"articles.toml": adds('[[paragraph]]\nid = "SEED9-001"\ncarried_by = ["care:nowhere"]')},
        "articles.toml: SEED9-001.carried_by: there is no place 'care:nowhere'",
    ),
    (
        "a sign-off of nothing",
        {"signoffs.toml": adds('[[signoff]]\nitem = "rule:no"\nname = "A"\nrole = "B"\ndate = 2026-11-22\nhash = "0"')},
        "signoffs.toml: rule:no: there is no item 'rule:no'",
    ),
    (
        "skin trouble that is none",
        {"hip/pathway.toml": says("skin", ["tan"])},
        "hip/pathway.toml: skin: there is no trouble 'tan'",
    ),
    ("no day to look again", {"hip/pathway.toml": drops("routine")}, "hip/pathway.toml: look_again.routine: has no days"),
    # Fixed words, shapes and files
    (
        "an unknown urgency",
        {RULES: puts('urgency = "emergency"', 'urgency = "at once"')},
        f"{RULES}: saddle_numb.urgency: 'at once' is none of self_care, routine, within_days, same_day, emergency",
    ),
    ("an unknown stage", {QUESTIONS: question(stage="later")}, f"{QUESTIONS}: extra.stage: 'later' is none of safety"),
    ("an unknown kind", {ADVICE: says("kind", "maybe")}, ".kind: 'maybe' is none of do, dont"),
    ("a key in look_again", {"hip/pathway.toml": puts("routine = 14", "soon = 14")}, "hip/pathway.toml: look_again: 'soon'"),
    (
        "a rule that names an absence",
        {RULES: puts('id = "saddle_numb"\n', 'id = "saddle_numb"\nnone = ["walk_limp"]\n')},
        f"{RULES}: Object contains unknown field `none`",
    ),
    (
        "an unknown field",
        {ADVICE: adds('[extra]\nkind = "do"\nurgencies = ["routine"]\nsuorces = ["SEED0"]')},
        f"{ADVICE}: extra: Object ",
    ),
    ("a file that is no TOML", {f"{EN}/watch.toml": adds("walk_limp you limp")}, f"{EN}/watch.toml: cannot be read: "),
    ("a key said twice", {f"{EN}/watch.toml": adds('walk_limp = "you limp"')}, f"{EN}/watch.toml: cannot be read: "),
    # Sources
    (
        "an uncited rule",
        {RULES: says("sources", [])},
        f"{RULES}: saddle_numb.sources: cites nothing",
    ),
    (
        "an uncited pattern",
        {CONDITIONS: says("sources", [], table="gtps")},
        f"{CONDITIONS}: gtps.sources: cites nothing",
    ),
    ("an unknown source", {RULES: says("sources", ["NOBODY"])}, f"{RULES}: saddle_numb.sources: there is no source 'NOBODY'"),
    (
        "an unknown judgement",
        {"care/conditions.toml": says("sources", ["judgement.none"], table="gtps")},
        "care/conditions.toml: gtps.sources: there is no source 'judgement.none'",
    ),
    (
        "a judgement that nothing cites",
        {f"{EN}/judgements/conditions.toml": adds(JUDGEMENT)},
        f"{EN}/judgements/conditions.toml: home_made: nothing cites this judgement",
    ),
    # Words that are missing or left over
    ("no words to watch for", {f"{EN}/watch.toml": drops("walk_limp")}, f"{EN}/watch.toml: walk_limp: has no words"),
    (
        "a question that does not say why",
        {f"{EN}/questions.toml": says("why", "", table=ONE.id)},
        f"{EN}/questions.toml: {ONE.id}.why: has no words",
    ),
    ("a short name missing", {f"{EN}/ui.toml": drops(ONE.id, table="short")}, f"{EN}/ui.toml: short.{ONE.id}: has no words"),
    (
        "a sentence that the code asks for",
        {f"{EN}/ui.toml": drops("welcome")},
        f"{EN}/ui.toml: welcome: has no words, and the code asks for them",
    ),
    (
        "a label that the code asks for",
        {f"{EN}/ui.toml": drops("done", table="buttons")},
        f"{EN}/ui.toml: buttons.done: has no words, and the code asks for them",
    ),
    (
        "a label that only a screen asks for",
        {f"{EN}/ui.toml": drops("clinician", table="buttons")},
        f"{EN}/ui.toml: buttons.clinician: has no words, and the screen of 'buttons' asks for them",
    ),
    ("words left over", {f"{EN}/watch.toml": adds('gone = "it goes"')}, f"{EN}/watch.toml: gone: nothing uses these words"),
    (
        "words of the bot left over",
        {f"{EN}/ui.toml": puts("welcome =", 'no_longer_said = "Well."\nwelcome =')},
        f"{EN}/ui.toml: no_longer_said: nothing uses these words",
    ),
    # Placeholders
    (
        "a placeholder with a typo",
        {f"{EN}/advice.toml": says("ice_short", "Call {urgant}.")},
        f"{EN}/advice.toml: ice_short: {{urgant}} is not filled here",
    ),
    (
        "a placeholder that is not filled there",
        {f"{EN}/watch.toml": says("walk_limp", "call {emergency}")},
        f"{EN}/watch.toml: walk_limp: {{emergency}} is not filled here",
    ),
    (
        "a brace without its partner",
        {f"{EN}/advice.toml": says("ice_short", "Call {urgent.")},
        f"{EN}/advice.toml: ice_short: has a brace without its partner",
    ),
    (
        "a safety line without a number",
        {f"{EN}/ui.toml": says("safety_line", "Get help.")},
        f"{EN}/ui.toml: safety_line: does not say {{emergency}}",
    ),
    # What fits on a screen
    (
        "a label too long",
        {f"{EN}/questions.toml": says(CHOICE, 27 * "ab " + "c", table=f"{ONE.id}.choices")},
        f"{EN}/questions.toml: {ONE.id}: '{27 * 'ab '}c' has 82 characters; a button has 80 at most",
    ),
    (
        "a question too long",
        {f"{EN}/questions.toml": says("ask", 850 * "abc " + "?", table=ONE.id)},
        f"{EN}/questions.toml: {ONE.id}: has 35",
    ),
    (
        "a command that says too much",
        {f"{EN}/platform.toml": says("hip", 26 * "abc ", table="commands")},
        f"{EN}/platform.toml: commands.hip: has 104 characters on the screen; 100 at most",
    ),
    (
        "a form that says too much",
        {f"{EN}/platform.toml": says("type", 12 * "abc ", table="discord")},
        f"{EN}/platform.toml: discord.type: has 48 characters on the screen; 45 at most",
    ),
    (
        "too many buttons",
        {
            QUESTIONS: question(choices=",".join(f'{{ id = "{c}", gives = ["walk_limp"] }}' for c in MANY)),
            f"{EN}/questions.toml": adds(
                '[extra]\nask = "Which?"\nwhy = "To see."\nnone = "None"\n[extra.choices]\n'
                + "\n".join(f'{c} = "Yes"' for c in MANY)
            ),
            f"{EN}/ui.toml": puts("[short]\n", '[short]\nextra = "Extra"\n'),
        },
        f"{EN}/questions.toml: extra: has 3",
    ),
    (
        "a page too long",
        {f"{EN}/care/faq.toml": begins("faq_how_long", 699 * "Rest. " + "Rest.")},
        f"{EN}/care/faq.toml: faq_how_long: has ",
    ),
    (
        "a paragraph too long",
        {f"{EN}/care/faq.toml": begins("faq_how_long", 101 * "Rest. " + "Rest.")},
        f"{EN}/care/faq.toml: faq_how_long.body.0: has 611 characters; a paragraph has 600 at most",
    ),
    (
        "a title too long",
        {f"{EN}/care/faq.toml": says("title", 12 * "Rest " + "now", table="faq_how_long")},
        f"{EN}/care/faq.toml: faq_how_long.title: has 63 characters; a title has 60 at most",
    ),
    (
        "too much at first",
        {f"{EN}/questions.toml": says("ask", 40 * "one " + "two", table="body")},
        f"{EN}/questions.toml: {FIRST}: ",
    ),
    (
        "a phrase that is never matched",
        {f"{EN}/danger.toml": puts('"chest pain",', '"Can\'t breathe",')},
        f"{EN}/danger.toml: chest.phrases.0: is never matched: write it as 'cant breathe'",
    ),
    # How it reads
    (
        "a hard question",
        {f"{EN}/questions.toml": says("why", HARD, table=ONE.id)},
        f"{EN}/questions.toml: {ONE.id}: reads at grade ",
    ),
    (
        "a hard page",
        {f"{EN}/care/faq.toml": begins("faq_how_long", 4 * HARD)},
        f"{EN}/care/faq.toml: faq_how_long: reads at grade ",
    ),
    (
        "hard advice",
        {f"{EN}/advice.toml": says("ice_short", HARD)},
        f"{EN}/advice.toml: ice_short: reads at grade ",
    ),
    (
        "a term that may stay, for no reason",
        {"glossary.toml": says("emergency", "")},
        "glossary.toml: emergency: gives no reason",
    ),
    (
        "a term that nobody uses",
        {"glossary.toml": adds('electrocardiogram = "It is long."')},
        "glossary.toml: electrocardiogram: no text uses this term",
    ),
    (
        "a change that is not said",
        {"care/faq.toml": puts("[faq_what_feels_like]\n", '[faq_what_feels_like]\nchanged = ["C1"]\n')},
        f"{EN}/care/faq.toml: faq_what_feels_like: does not say that advice has changed",
    ),
    (
        "body weight",
        {f"{EN}/advice.toml": says("ice_short", "If you are overweight, run less.")},
        f"{EN}/advice.toml: ice_short: speaks of body weight: 'overweight'",
    ),
    # Tips
    ("a tip that cites nothing", {TIPS: says("sources", [], table="pillow")}, f"{TIPS}: pillow.sources: cites nothing"),
    (
        "a tip of an unknown source",
        {TIPS: says("sources", ["NOBODY"], table="pillow")},
        f"{TIPS}: pillow.sources: there is no source 'NOBODY'",
    ),
    (
        "a bound of an unknown source",
        {"load.toml": says("sources", ["NOBODY"], table="more")},
        "load.toml: more.sources: there is no source 'NOBODY'",
    ),
    ("a tip for no state", {TIPS: says("states", [], table="pillow")}, f"{TIPS}: pillow.states: names no state"),
    (
        "a tip for a red light",
        {TIPS: says("states", ["red"], table="pillow")},
        f"{TIPS}: pillow.states: 'red' is none of well, sore",
    ),
    (
        "a tip for everybody",
        {TIPS: says("states", ["well", "unknown"], table="hip_and_core")},
        f"{TIPS}: hip_and_core.states: fits whoever it is: name loads or seasons as well",
    ),
    (
        "a tip for pain that only red lights have",
        {TIPS: says("places", ["outer_hip", "groin"], table="swap_a_run")},
        f"{TIPS}: swap_a_run.places: 'groin' fits nobody with these states",
    ),
    (
        "a tip for children",
        {TIPS: says("ages", ["under_16", "under_18"], table="every_run")},
        f"{TIPS}: every_run.ages: nobody under 16 gets tips: name under_18, adult or both",
    ),
    (
        "advice on load under 18",
        {
            TIPS: puts(
                'topic = "warm_up"\nstates = ["well", "better"]\nages', 'topic = "load"\nstates = ["well", "better"]\nages'
            )
        },
        f"{TIPS}: every_run.ages: nobody under 18 gets advice about load",
    ),
    (
        "advice on a season under 18",
        {TIPS: puts("[every_run]\n", '[every_run]\nseasons = ["building"]\n')},
        f"{TIPS}: every_run.ages: nobody under 18 gets advice about load",
    ),
    (
        "an unknown load",
        {TIPS: puts('loads = ["longer"]', 'loads = ["heavier"]')},
        f"{TIPS}: after_long_one.loads: 'heavier' is none of longer, more, daily",
    ),
    ("a tip without words", {f"{EN}/tips.toml": drops("pillow")}, f"{EN}/tips.toml: say.pillow: has no words"),
    ("a state without its why", {f"{EN}/tips.toml": drops("step_back")}, f"{EN}/tips.toml: states.step_back: has no words"),
    (
        "words of a tip left over",
        {f"{EN}/tips.toml": puts("[say]\n", '[say]\ngone = "Rest."\n')},
        f"{EN}/tips.toml: say.gone: nothing uses these words",
    ),
    (
        "a tip too long",
        {f"{EN}/tips.toml": says("pillow", 40 * "Rest. " + "Rest.")},
        f"{EN}/tips.toml: say.pillow: has 245 characters; a tip has 200 at most",
    ),
    ("a hard tip", {f"{EN}/tips.toml": says("pillow", HARD)}, f"{EN}/tips.toml: say.pillow: reads at grade "),
    *(
        (f"a tip {name}", {f"{EN}/tips.toml": says("pillow", text)}, f"{EN}/tips.toml: say.pillow: {line}")
        for name, text, line in (
            ("on weight", "Lose some weight.", "speaks of body weight"),
            ("with a dose", "Take 400 mg before bed.", "has a dose"),
            ("with a diagnosis", "You have bursitis.", "reads as a diagnosis"),
            ("with a test", "Hop on that leg.", "asks for a movement as a test"),
            ("with a likelihood", "1 in 3 runners get hurt.", "has a likelihood in numbers"),
        )
    ),
]


@pytest.mark.parametrize(("edits", "line"), [pytest.param(e, line, id=name.replace(" ", "-")) for name, e, line in BROKEN])
def test_what_is_broken_is_named_by_file_and_key(
    copy: Copy, checked: Callable[..., tuple[int, list[str]]], edits: dict[str, Edit], line: str
) -> None:
    for file, change in edits.items():
        copy.edit(file, change)

    code, lines = checked()

    assert code == 2
    assert any(line in said for said in lines), "\n".join(lines)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        (f"{EN}/watch.toml", f"{EN}/watch.toml: the file is missing"),
        (ADVICE, f"{ADVICE}: file not found"),
        ("glossary.toml", "glossary.toml: file not found"),
        ("signoffs.toml", "signoffs.toml: file not found"),
    ],
)
def test_a_file_that_is_gone_is_named(copy: Copy, checked: Callable[..., tuple[int, list[str]]], file: str, line: str) -> None:
    copy.remove(file)

    code, lines = checked()

    assert code == 2
    assert any(line in said for said in lines), "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        "About 1 in 3 runners have it.",
        "It helped 51 of 66 people.",
        "Most heal (80%).",
        "It heals in 80 percent.",
        "Nine out of ten heal.",
        "It heals in 9 out of 10 people.",
        "It is twice as likely in winter.",
        "Two thirds of runners get better.",
        "Take 400 mg of it.",
        "Take 2 tablets at night.",
        "Hop on one leg and see if it hurts.",
        "If it does not hurt, hop on that leg.",
        "Does it hurt when you hop?",
        "Try to jump.",
        "Squat down to check whether it is sore.",
        "Press on the bone.",
        "Stand on one leg and see how it feels.",
        "Test it with a short jog.",
        "You have a stress fracture.",
        "So you probably have bursitis.",
        "Read <b>this</b> first.",
        "See www.example.org for more.",
        "This is **important**.",
        "Don\u2019t run.",
        "Well done \U0001f44d",
        "Two  spaces.",
        "A space at the end. ",
    ],
)
def test_what_the_house_style_keeps_out_is_found(text: str) -> None:
    assert reading.faults(text, english=True)


@pytest.mark.parametrize(
    "text",
    [
        "Pain of 7 or more out of 10.",
        "A little pain, 0 to 3 out of 10, is fine.",
        "Do not hop, jump or run to test it.",
        "Never hop or jump to see if the hip is better.",
        "It hurts more when you stand on one leg.",
        "Each foot strike, hopping or impact hurts.",
        "A sudden pull in a sprint, jump or kick.",
        "Press your knees out into the belt, gently.",
        "If you have hip arthritis, exercise helps.",
        "You have ever had cancer, and this pain is new.",
        "Women of 40 to 60 get it most.",
        "Call {emergency} now.",
    ],
)
def test_what_may_be_said_is_not_held_against_a_text(text: str) -> None:
    assert not reading.faults(text, english=True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Losing weight spares the hip.", "Losing weight"),
        ("You lost weight without trying.", ""),
        ("The leg cannot take your weight.", ""),
        ("Keep your weight off that leg.", ""),
        ("Keep your weight down.", "Keep your weight"),
    ],
)
def test_body_weight_is_told_from_weight_on_a_leg(text: str, found: str) -> None:
    assert reading.body_weight(text) == found


def test_the_grade_is_that_of_flesch_and_kincaid() -> None:
    assert reading.grade(["The cat sat on the mat."]) == pytest.approx(0.39 * 6 + 11.8 * 1 - 15.59)
    assert reading.grade(["Run. Stop"]) == reading.grade(["Run", "Stop"])


def test_a_term_of_the_glossary_counts_as_easy() -> None:
    text = ["See two physiotherapists."]

    assert reading.grade(text, {"physiotherapist"}) < reading.grade(text)


def test_one_long_word_does_not_fail_a_short_sentence(copy: Copy, checked: Callable[..., tuple[int, list[str]]]) -> None:
    copy.edit(f"{EN}/advice.toml", says("ice_short", "Physiotherapeutic rehabilitation helps."))

    assert not any("ice_short" in line for line in checked()[1])


def test_the_shipped_content_is_in_order() -> None:
    assert checks.check() == ()


def test_content_that_is_in_order_is_said_to_be(checked: Callable[..., tuple[int, list[str]]]) -> None:
    code, lines = checked()

    assert code == 0
    assert lines[0].startswith("The content is in order: ")
    assert lines[1].startswith("Not signed off: rule ")


def test_all_words_that_the_logic_asks_for_are_missed(copy: Copy, checked: Callable[..., tuple[int, list[str]]]) -> None:
    gone = []
    asked_by_the_code = ("checkins", "club", "link", "platform", "privacy", "progress", "ui")
    for file in (*(f"{EN}/{table}.toml" for table in checks.TABLES if table not in asked_by_the_code), f"{EN}/care/faq.toml"):
        words = tomllib.loads((copy.root / file).read_text(encoding="utf-8"))
        gone += [f"{file}: {key}: has no words" for key in keys(words) if not key.endswith(("if_worse", "first_doctor"))]
        copy.write(file, "")

    lines = set(checked()[1])

    assert len(gone) > 800
    assert [line for line in gone if line not in lines] == []


def keys(table: dict[str, Any], *path: str) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from keys(value, *path, key)
        else:
            yield ".".join((*path, key))


# Another language


def accented(text: str) -> str:
    """Return a text as a language that nobody speaks: placeholders kept, no plain vowel left."""
    parts = re.split(r"(\{\w+\})", text)
    return "".join(p if p.startswith("{") else p.translate(str.maketrans("aeiouAEIOU", "áéíóúÁÉÍÓÚ")) for p in parts)


def pseudo(node: Any) -> Any:
    if isinstance(node, str):
        return accented(node)
    if isinstance(node, list):
        return [pseudo(part) for part in node]
    return {key: pseudo(value) for key, value in node.items()}


def toml(table: dict[str, Any], *path: str) -> str:
    lines = [f"[{'.'.join(path)}]"] if path else []
    lines += [f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in table.items() if not isinstance(v, dict)]
    return "\n".join((*lines, *(toml(v, *path, k) for k, v in table.items() if isinstance(v, dict)), ""))


@pytest.fixture(scope="module")
def bilingual(copied: Path) -> Path:
    root = copied.parent / "bilingual"
    shutil.copytree(copied, root)
    for path in sorted((root / EN).rglob("*.toml")):
        other = root / "locale/xx" / path.relative_to(root / EN)
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_text(toml(pseudo(tomllib.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    return root


@pytest.fixture
def translated(bilingual: Path, copy: Copy) -> Copy:
    """Put the copy into two languages."""
    copy.root = bilingual
    return copy


def test_a_whole_translation_is_in_order(translated: Copy) -> None:
    assert checks.check(translated.root) == ()


async def test_a_check_can_be_held_in_another_language(translated: Copy) -> None:
    chat = Chat(library=loader.load("xx", translated.root))
    await chat.says("/hip")

    asked = 0
    while isinstance(chat.last[-1], Prompt):
        said = " ".join((chat.last[-1].text, *(b.label for b in chat.last[-1].choices)))
        assert not re.search("[aeiou]", said), said
        asked += 1
        await chat.chooses()

    assert asked > 5


@pytest.mark.parametrize(
    ("file", "change", "line"),
    [
        ("watch.toml", drops("walk_limp"), "locale/xx/watch.toml: walk_limp: has no words; English has"),
        ("watch.toml", adds('more = "íf"'), "locale/xx/watch.toml: more: English has no such words"),
        ("ui.toml", says("progress", "Q {done}"), "locale/xx/ui.toml: progress: has other placeholders than English"),
        ("ui.toml", says("progress", "{dóne} {done} {about}"), "locale/xx/ui.toml: progress: {dóne} is not filled here"),
        ("ui.toml", says("done", "x" * 81, table="buttons"), "locale/xx/questions.toml: body: 'xxx"),
        ("advice.toml", says("ice_short", "400 mg"), "locale/xx/advice.toml: ice_short: has a dose"),
    ],
)
def test_what_is_wrong_in_another_language_is_named(
    translated: Copy, checked: Callable[..., tuple[int, list[str]]], file: str, change: Edit, line: str
) -> None:
    translated.edit(f"locale/xx/{file}", change)

    code, lines = checked()

    assert code == 2
    assert any(said.startswith(line) for said in lines), "\n".join(lines)


def test_a_file_that_a_language_lacks_is_named_once(translated: Copy, checked: Callable[..., tuple[int, list[str]]]) -> None:
    translated.remove("locale/xx/care/faq.toml")

    assert checked()[1][0] == "locale/xx/care/faq.toml: the file is missing"


# Sign-off


def sign(item: str, signed: str) -> Edit:
    return adds(f'[[signoff]]\nitem = "{item}"\nname = "Ada"\nrole = "Physiotherapist"\ndate = 2026-11-22\nhash = "{signed}"')


@pytest.mark.parametrize(
    ("item", "file", "change"),
    [
        ("rule:groin_limp", f"{EN}/rules.toml", says("groin_limp", "Be seen today.")),
        ("rule:groin_limp", RULES, puts('groin = ["place_groin_front", ', "groin = [")),
        ("rule:child_routine", RULES, puts('from = "routine"\nto = "within_days"', 'from = "routine"\nto = "same_day"')),
        ("rule:easing", RULES, puts('all = ["course_better"]', 'all = ["course_better", "no_pain"]')),
        ("advice:ice_short", f"{EN}/advice.toml", says("ice_short", "Ice can numb the pain.")),
        ("care:gtps", f"{EN}/care/conditions.toml", begins("gtps", "Rest.")),
        ("condition:gtps", CONDITIONS, says("strong", ["press_outer"], table="gtps")),
        (f"question:{ONE.id}", f"{EN}/ui.toml", says(ONE.id, "This", table="short")),
        ("checkin:scale", CHECKINS, puts("go = 3", "go = 2")),
        ("checkin:hold", f"{EN}/checkins.toml", says("hold", "Hold on.", table="lights")),
        ("checkin:go", f"{EN}/checkins.toml", says("go", "Go on.", table="young")),
        ("checkin:red", f"{EN}/checkins.toml", says("limp", "Limping.", table="because")),
        ("limit:home_care_a_week", CHECKINS, puts('to = "routine"', 'to = "same_day"')),
        ("tip:pillow", f"{EN}/tips.toml", says("pillow", "Use a pillow.")),
        ("tip:pillow", TIPS, says("states", ["sore"], table="pillow")),
        ("load:longest_run", "load.toml", says("percent", 120, table="longest_run")),
    ],
)
def test_a_change_takes_a_sign_off_away(
    copy: Copy, checked: Callable[..., tuple[int, list[str]]], item: str, file: str, change: Edit
) -> None:
    [signed] = checked("--hash", item)[1]
    copy.edit("signoffs.toml", sign(item, signed))

    copy.edit(file, change)

    assert f"{item}: changed since Ada (Physiotherapist) signed it on 2026-11-22" in checked()[1]


def test_a_change_elsewhere_leaves_a_sign_off(copy: Copy, checked: Callable[..., tuple[int, list[str]]]) -> None:
    [signed] = checked("--hash", "rule:groin_limp")[1]
    copy.edit("signoffs.toml", sign("rule:groin_limp", signed))

    copy.edit(f"{EN}/rules.toml", says("foot_drop", "Be seen today."))

    assert "rule:groin_limp" not in " ".join(checked("--unsigned")[1])


def test_everything_is_unsigned_at_first(checked: Callable[..., tuple[int, list[str]]]) -> None:
    lines = checked("--unsigned")[1]

    assert {"rule:groin_limp", "advice:ice_short", "care:gtps", "condition:gtps", "question:body", "checkin:scale"} <= set(
        lines
    )


def test_a_hash_of_nothing_is_refused(checked: Callable[..., tuple[int, list[str]]]) -> None:
    code, lines = checked("--hash", "rule:nothing")

    assert code == 2
    assert "rule:nothing" in lines[0]
