"""The ledger of the source articles: every paragraph has a place in the content, or a line that says why not."""

import json
from pathlib import Path

from chat import library
from content import loader

PARAGRAPHS = json.loads((Path(__file__).parent / "data/article_paragraphs.json").read_text(encoding="utf-8"))
LEDGER = loader.load_articles()


def test_every_paragraph_of_every_article_is_in_the_ledger_and_nothing_else() -> None:
    assert [p.id for p in LEDGER] == [p["id"] for p in PARAGRAPHS]


def test_every_paragraph_is_carried_or_left_out_with_a_reason() -> None:
    neither = [p.id for p in LEDGER if bool(p.carried_by) == bool(p.left_out.strip())]

    assert neither == []


def test_every_key_that_carries_a_paragraph_exists() -> None:
    pathway = library().pathway
    known = {
        "care": {p.id for p in library().pages},
        "condition": {c.id for c in pathway.conditions},
        "advice": {a.id for a in pathway.advice},
        "rule": {r.id for r in pathway.rules} | {r.id for r in pathway.reassurances},
        "question": {q.id for q in pathway.questions},
        "finding": set(pathway.codes),
        "danger": set(library().words.table("danger")),
    }
    missing = [
        (p.id, key)
        for p in LEDGER
        for key in p.carried_by
        if key.partition(":")[2] not in known.get(key.partition(":")[0], set())
    ]

    assert missing == []


def test_every_care_page_about_advice_that_changed_says_so() -> None:
    changed = {c for page in library().pages for c in page.changed}

    assert changed >= {f"C{n}" for n in range(1, 29)}
