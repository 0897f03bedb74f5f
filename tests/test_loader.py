"""Content files to core types: what is wrong is refused, and the message names the file and the key."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from chat import library
from content import loader
from content.loader import ContentError
from core.clinical import Disposition, Kind, Stage
from core.words import MissingWords

PATHWAY = library().pathway


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a copy of the content to spoil."""
    return Path(copytree(loader.HERE, tmp_path / "content", ignore=lambda _, names: [n for n in names if not is_content(n)]))


def is_content(name: str) -> bool:
    return name.endswith(".toml") or ("." not in name and name not in ("__pycache__", "checks"))


def replaced(old: str, new: str) -> Callable[[Path], None]:
    def spoil(file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    return spoil


def added(lines: str) -> Callable[[Path], None]:
    def spoil(file: Path) -> None:
        file.write_text(f"{file.read_text(encoding='utf-8')}\n{lines}\n", encoding="utf-8")

    return spoil


# ---------------------------------------------------------------- What is shipped


def test_the_shipped_content_loads() -> None:
    loaded = loader.load()

    assert loaded.pathway.id == "hip"
    assert loaded.words.language == "en"
    assert {page.shelf for page in loaded.pages} == set(loader.SHELVES)


def test_every_language_has_a_folder() -> None:
    assert "en" in loader.languages()


def test_a_named_set_stands_for_its_codes_wherever_it_is_used() -> None:
    every = [*(r.all.union(*r.any) for r in PATHWAY.rules), *(q.when for q in PATHWAY.questions)]
    every += [*(a.any | a.none for a in PATHWAY.advice), PATHWAY.hip_places, *PATHWAY.not_the_hip.values()]

    assert all(codes <= PATHWAY.codes for codes in every)


def test_every_finding_that_a_pattern_looks_at_is_one_of_the_vocabulary() -> None:
    for c in PATHWAY.conditions:
        assert c.strong | c.typical | c.possible | c.against | c.expects <= PATHWAY.codes


def test_a_question_that_a_tick_opens_is_a_detail() -> None:
    opened = {c.opens for q in PATHWAY.questions for c in q.choices if c.opens}

    assert {q.id for q in PATHWAY.questions if q.detail} == opened


def test_a_raise_lifts_each_rule_of_its_level_by_one() -> None:
    by_id = {r.id: r for r in PATHWAY.rules}
    lifted = [r for r in PATHWAY.rules if r.lifts]

    assert lifted
    for rule in lifted:
        below = by_id[rule.lifts]
        assert rule.urgency.level == below.urgency.level + 1
        assert rule.all == below.all
        assert rule.any[: len(below.any)] == below.any
        assert set(below.sources) < set(rule.sources)


def test_the_pathway_is_made_of_values_not_of_text() -> None:
    assert {type(r.urgency) for r in PATHWAY.rules} == {Disposition}
    assert {(type(q.kind), type(q.stage)) for q in PATHWAY.questions} == {(Kind, Stage)}


# ---------------------------------------------------------------- Versions


@pytest.mark.parametrize("file", ["hip/rules.toml", "hip/questions.toml", "locale/en/questions.toml", "regions.toml"])
def test_any_change_of_the_content_is_a_new_version(root: Path, file: str) -> None:
    before = loader.load_pathway(root).version

    added("# a word more")(root / file)

    assert loader.load_pathway(root).version != before


def test_the_same_content_has_the_same_version(root: Path) -> None:
    assert loader.load_pathway(root).version == loader.load_pathway(root).version


def test_a_question_whose_choices_change_has_another_fingerprint_and_the_others_keep_theirs(root: Path) -> None:
    before = loader.load_pathway(root).by_id
    replaced('{ id = "fever", gives = ["fever_ill"] }', '{ id = "fever", gives = ["fever_ill", "very_ill"] }')(
        root / "hip/questions.toml"
    )

    after = loader.load_pathway(root).by_id

    assert [id for id in before if before[id].fingerprint != after[id].fingerprint] == ["ill"]


def test_other_words_leave_every_fingerprint_as_it_was(root: Path) -> None:
    before = loader.load_pathway(root).by_id
    added("# other words")(root / "locale/en/questions.toml")

    after = loader.load_pathway(root).by_id

    assert [id for id in before if before[id].fingerprint != after[id].fingerprint] == []


# ---------------------------------------------------------------- What is refused


@pytest.mark.parametrize(
    ("file", "spoil", "key"),
    [
        # A rule can never ask for an absent finding.
        ("hip/rules.toml", replaced('all = ["saddle_numb"]', 'all = ["saddle_numb"]\nnone = ["walk_fine"]'), "none"),
        ("hip/rules.toml", replaced('urgency = "emergency"', 'urgancy = "emergency"'), "urgancy"),
        ("hip/rules.toml", replaced('all = ["saddle_numb"]', 'all = "saddle_numb"'), "all"),
        ("hip/rules.toml", replaced('all = ["saddle_numb"]', 'all = ["@no_such_set"]'), "no_such_set"),
        ("hip/rules.toml", replaced("stop_running = true", 'stop_running = "yes"'), "stop_running"),
        ("hip/questions.toml", replaced("red_flag = true", "redflag = true"), "redflag"),
        ("hip/questions.toml", replaced('opens = "ill"', "opens = 7"), "opens"),
        ("hip/advice.toml", replaced('kind = "dont"', 'kinds = "dont"'), "kinds"),
        ("hip/pathway.toml", replaced("self_care = 7", 'self_care = "soon"'), "look_again"),
        ("hip/conditions.toml", replaced("strong   =", "strongest ="), "strongest"),
        ("regions.toml", replaced("date = 2026-11-22", 'date = "yesterday"'), "date"),
        ("sources.toml", replaced("title =", "titel ="), "titel"),
        ("care/faq.toml", replaced("sources =", "source ="), "source"),
    ],
)
def test_a_key_that_is_wrong_is_refused_with_its_file_and_its_name(
    root: Path, file: str, spoil: Callable[[Path], None], key: str
) -> None:
    spoil(root / file)

    with pytest.raises(ContentError) as refused:
        loader.load(root=root)

    assert file in str(refused.value)
    assert key in str(refused.value)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("hip/rules.toml", 'urgency = "emergency"', 'urgency = "at_once"'),
        ("hip/rules.toml", 'from = "routine"', 'from = "rutine"'),
        ("hip/questions.toml", 'stage = "safety"', 'stage = "safty"'),
        ("hip/questions.toml", 'kind = "many"', 'kind = "some"'),
        ("hip/findings.toml", 'kind = "one"', 'kind = "two"'),
        ("hip/advice.toml", 'urgencies = ["emergency"]', 'urgencies = ["now"]'),
        ("hip/pathway.toml", "self_care = 7", "selfcare = 7"),
    ],
)
def test_a_value_that_is_none_of_the_few_is_refused_with_its_file(root: Path, file: str, old: str, new: str) -> None:
    replaced(old, new)(root / file)

    with pytest.raises(ContentError) as refused:
        loader.load(root=root)

    assert file in str(refused.value)
    assert new.partition("=")[2].strip(' []"') in str(refused.value) or new.partition(" ")[0] in str(refused.value)


@pytest.mark.parametrize("file", ["hip/rules.toml", "locale/en/ui.toml", "care/faq.toml", "regions.toml"])
@pytest.mark.parametrize("broken", [b"x = ", b"[a]\n[a]\n", b"\xff\xfe", b'a = "\n"', b"a = 1\na = 2\n"], ids=repr)
def test_a_file_that_is_no_toml_is_refused_with_its_name(root: Path, file: str, broken: bytes) -> None:
    (root / file).write_bytes(broken)

    with pytest.raises(ContentError, match=file.rpartition("/")[2]):
        loader.load(root=root)


@pytest.mark.parametrize(
    "file", ["hip/rules.toml", "hip/findings.toml", "hip/pathway.toml", "care/exercises.toml", "sources.toml", "regions.toml"]
)
def test_a_file_that_is_missing_is_named(root: Path, file: str) -> None:
    (root / file).unlink()

    with pytest.raises(ContentError, match=f"{file}: file not found"):
        loader.load(root=root)


def test_a_language_that_is_not_there_is_named(root: Path) -> None:
    with pytest.raises(ContentError, match="xx: no such language"):
        loader.load("xx", root)


def test_the_same_page_in_two_files_of_words_is_refused(root: Path) -> None:
    added("[gtps]\ntitle = 'Twice'")(root / "locale/en/care/faq.toml")

    with pytest.raises(ContentError, match="gtps: stands in another file"):
        loader.load(root=root)


def test_a_file_that_was_edited_is_read_again(root: Path) -> None:
    first = loader.load_words("en", root)
    assert first("ui", "buttons", "stop") == library().words("ui", "buttons", "stop")

    replaced('stop = "Stop"', 'stop = "Halt"')(root / "locale/en/ui.toml")

    assert loader.load_words("en", root)("ui", "buttons", "stop") == "Halt"


# ---------------------------------------------------------------- Words


def test_words_that_are_missing_are_an_error_that_names_their_key() -> None:
    with pytest.raises(MissingWords, match=r"questions\.no_such\.ask"):
        library().words("questions", "no_such", "ask")


def test_a_table_is_not_words() -> None:
    with pytest.raises(MissingWords, match=r"questions\.body"):
        library().words("questions", "body")


def test_placeholders_are_filled_by_name() -> None:
    assert "999" in library().words("ui", "safety_line", emergency="999")


def test_every_word_of_the_language_can_be_listed() -> None:
    listed = dict(library().words.every())

    assert listed["ui.buttons.stop"] == library().words("ui", "buttons", "stop")
    assert all(isinstance(text, str) for text in listed.values())
