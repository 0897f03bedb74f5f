"""The result of a check, in the order in which it is needed: what to do and how soon, why, and the rest on tap."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from core.care import Source
from core.clinical import Disposition, Findings, Fired, Fit
from core.dialogue.flow import findings_of
from core.dialogue.screens import short_version
from core.dialogue.session import Session
from core.dialogue.token import MENU, Token
from core.dialogue.turn import Button, Notice, Role, Verdict
from core.library import Library
from core.members import Preferences
from core.words import Words

REASONS = 2
TOLD = 4
PATTERNS = 3
DO = 2
WATCH = 3
"""What the result itself shows of each; the rest is on tap, one thing at a time."""


class Result:
    """Draws one finished check."""

    def __init__(self, library: Library, session: Session, preferences: Preferences) -> None:
        self._library, self._session, self._preferences = library, session, preferences
        self._words = library.words
        self._findings = findings_of(library, session)
        self._assessment = library.triage.assess(self._findings)
        region = library.region(preferences.region)
        urgent = region.urgent or library.words("ui", "urgent_fallback")
        self._numbers = {"emergency": region.emergency, "urgent": urgent}

    def verdict(self) -> Verdict:
        """Return the result: urgent words in its first line, never behind a button."""
        return Verdict(
            text="\n\n".join(part for part in self._parts() if part),
            urgency=self._assessment.urgency,
            conditions=tuple(f.condition for f in self._assessment.differential),
            choices=tuple(self._buttons()),
        )

    def why(self, *, every: bool = False) -> Notice:
        """Return the chain behind the result: what was told, the rule it fired, and the source behind the rule.

        The rules that decide how soon; with `every`, the less urgent ones that fired beside them too.
        """
        fired = self._assessment.fired
        shown = fired if every else [f for f in fired if f.rule.urgency is self._assessment.urgency]
        parts = [self._why_rule(f) for f in shown]
        if self._assessment.reassurance:
            parts.append(self._why_reassured(self._assessment.reassurance))
        if not parts:
            parts.append(self._words("ui", "why_default"))
        more = () if len(shown) == len(fired) else (self._button("reasons"),)
        return Notice("\n\n".join((self._words("ui", "why_head"), *parts)), more)

    def patterns(self) -> Notice:
        """Return the patterns that fit, with what speaks for and against each, and a way to its care page."""
        fits = self._assessment.differential[: PATTERNS + 2]
        if not fits:
            return Notice(self._words("ui", "no_pattern"))
        texts = [self._pattern(f) for f in fits]
        buttons = [self._page_button(f.condition) for f in fits[:PATTERNS]]
        return Notice("\n\n".join((self._words("ui", "patterns_head"), *texts)), tuple(b for b in buttons if b))

    def advice(self) -> Notice:
        """Return everything to do and to leave for now."""
        return Notice("\n\n".join(part for part in (self._advice(do=True), self._advice(do=False)) if part))

    def changes(self) -> Notice:
        """Return the nearest answers that would raise the urgency, with what it would become."""
        lines = [
            self._words("ui", "would_become", what=self._words("watch", code), soon=self._soon(to))
            for code, to in self._assessment.would_raise
        ]
        return Notice("\n".join((self._words("ui", "changes_head"), *(f"- {line}" for line in lines[:8]))))

    def clinician(self, now: datetime) -> Notice:
        """Return what was told, as one plain text for a clinician: findings, what was denied, rules and versions."""
        told = [self.finding(c) for c in sorted(self._findings) if not c.startswith("unsure_")]
        lines = [
            self._words("ui", "clinician_head", date=f"{now:%Y-%m-%d}"),
            self._words("ui", "clinician_result", soon=self._soon(self._assessment.urgency)),
            self._words("ui", "clinician_told"),
            *(f"- {t}" for t in told),
            *self._unsure_lines(),
        ]
        if denied := list(self._denied()):
            lines.append(self._words("ui", "clinician_denied"))
            lines += [f"- {label}" for label in denied]
        rules = ", ".join(f.rule.id for f in self._assessment.fired) or self._assessment.reassurance or "-"
        lines.append(self._words("ui", "clinician_rules", rules=rules, version=self._session.version))
        return Notice("\n".join(lines))

    def finding(self, code: str) -> str:
        """Return a finding in words; one that is not sure says so."""
        if not code.startswith("unsure_"):
            return self._in_units(self._words("findings", code))
        return self._words("ui", "not_sure_of", item=self._item(code.removeprefix("unsure_")))

    def alarming_question(self) -> str | None:
        """Return the question whose answer the most urgent rule rests on: where a mis-tap is put right."""
        because = {c for f in self._assessment.fired[:1] for c in f.because}
        for answer in reversed(self._session.answers):
            question = self._library.pathway.by_id[answer.question]
            gives = {g for c in question.choices if c.id in answer.chosen for g in c.gives}
            gives |= {f"unsure_{item}" for item in answer.unsure}
            if gives & because:
                return answer.question
        return None

    def _parts(self) -> Iterator[str]:
        urgency = self._assessment.urgency
        yield self._first_lines(urgency)
        yield self._because()
        yield "\n".join(self._unsure_lines())
        yield "\n".join(self._not_the_hip())
        if urgency is not Disposition.EMERGENCY and not self._only_skin():
            yield self._pattern_names()
        yield "" if self._only_skin() else self._short_advice()
        if urgency is not Disposition.EMERGENCY:
            yield self._watch()
            yield self._look_again(urgency)
            yield self._words("ui", "safety_line", **self._numbers)

    def _first_lines(self, urgency: Disposition) -> str:
        lines = [self._words("dispositions", urgency.value, self._first_key(urgency), **self._numbers)]
        if worse := self._words.find("dispositions", urgency.value, "if_worse"):
            lines.append(worse.format(**self._numbers))
        if self._assessment.stop_running and urgency is not Disposition.EMERGENCY:
            lines.append(self._words("ui", "stop_running"))
        return "\n".join(lines)

    def _first_key(self, urgency: Disposition) -> str:
        """Return which first line fits: some trouble is a doctor's alone."""
        deciding = {f.rule.lifts or f.rule.id for f in self._assessment.fired if f.rule.urgency is urgency}
        doctors = deciding & self._library.pathway.doctors
        return "first_doctor" if doctors and urgency is Disposition.WITHIN_DAYS else "first"

    def _because(self) -> str:
        top = [f for f in self._assessment.fired if f.rule.urgency is self._assessment.urgency][:REASONS]
        if not top:
            return (
                self._words("rules", self._assessment.reassurance)
                if self._assessment.reassurance
                else self._words("ui", "why_default")
            )
        told = list(dict.fromkeys(self.finding(c) for f in top for c in f.because if not c.startswith("unsure_")))
        lines = [self._words("ui", "because", told="; ".join(told[:TOLD]))] if told else []
        said = dict.fromkeys(self._rule_says(f) for f in top if not f.rule.id.startswith("unsure_"))
        return "\n".join((*lines, *said))

    def _rule_says(self, fired: Fired) -> str:
        return self._words("rules", fired.rule.lifts or fired.rule.id)

    def _unsure_lines(self) -> Iterator[str]:
        unsure = sorted(c for c in self._findings if c.startswith("unsure_"))
        alone = {c: self._library.triage.urgency(frozenset({c})) for c in unsure}
        for key, wanted in (("check_unsure_now", True), ("check_unsure", False)):
            items = [c for c in unsure if (alone[c] >= Disposition.SAME_DAY) is wanted]
            if items:
                yield self._words("ui", key, **self._numbers)
                yield from (f"- {self._item(c.removeprefix('unsure_'))}" for c in items)

    def _denied(self) -> Iterator[str]:
        """Yield the red-flag lines that were read and not ticked."""
        for answer in self._session.answers:
            question = self._library.pathway.by_id[answer.question]
            for choice in question.choices if question.red_flag else ():
                if choice.id not in answer.chosen and choice.item not in answer.unsure:
                    yield self._words("questions", question.id, "choices", choice.id)

    def _item(self, item: str) -> str:
        """Return a red-flag item in words: a finding, or the choice that opens the detail of this name."""
        if item in self._library.pathway.codes:
            return self._words("findings", item)
        for question in self._library.pathway.questions:
            for choice in question.choices:
                if choice.opens == item:
                    return self._words("questions", question.id, "choices", choice.id)
        return item

    def _not_the_hip(self) -> Iterator[str]:
        """Yield what is said of trouble that is not the hip: nothing to a child, whose hip may hurt at the knee, nor to anyone
        who is to be seen today, for it could sound like less.
        """
        pathway = self._library.pathway
        if self._findings & pathway.growing or self._assessment.urgency >= Disposition.SAME_DAY:
            return
        hip = self._findings & pathway.hip_places
        for id, codes in pathway.not_the_hip.items():
            if codes & self._findings and (self._only_skin() if id in pathway.skin else not hip):
                yield self._words("not_the_hip", id)

    def _only_skin(self) -> bool:
        """Return whether the skin itself explains the pain, so that naming patterns of the hip would mislead."""
        pathway = self._library.pathway
        skin = frozenset().union(*(pathway.not_the_hip[id] for id in pathway.skin))
        top = [f for f in self._assessment.fired if f.rule.urgency is self._assessment.urgency]
        if not skin & self._findings:
            return False
        return all(skin >= set(f.because) for f in top) and (bool(top) or not pathway.hip_places & self._findings)

    def _pattern_names(self) -> str:
        fits = self._assessment.differential[:PATTERNS]
        if not fits:
            return ""
        lines = [
            self._words("ui", "fits_well" if f.well else "fits_a_bit", name=self._words("conditions", f.condition, "name"))
            for f in fits
        ]
        return "\n".join((self._words("ui", "patterns_short"), *(f"- {line}" for line in lines)))

    def _pattern(self, fit: Fit) -> str:
        name = self._words("conditions", fit.condition, "name")
        lines = [
            self._words("ui", "fits_well" if fit.well else "fits_a_bit", name=name),
            self._words("conditions", fit.condition, "short"),
        ]
        for key, codes in (("speaks_for", fit.supports), ("speaks_against", fit.opposes)):
            if found := "; ".join(self.finding(c) for c in codes):
                lines.append(self._words("ui", key, findings=found))
        return "\n".join(lines)

    def _short_advice(self) -> str:
        shown = [self._advice(do=True, most=DO), self._advice(do=False, most=DO)]
        return "\n\n".join(part for part in shown if part)

    def _advice(self, *, do: bool, most: int | None = None) -> str:
        ids = [a.id for a in self._library.pathway.advice if a.id in self._assessment.advice and a.do is do][:most]
        if not ids:
            return ""
        head = self._words("ui", "do" if do else "dont")
        return "\n".join((head, *(f"- {self._in_units(self._words('advice', id, **self._numbers))}" for id in ids)))

    def _watch(self) -> str:
        codes = [code for code, _ in self._assessment.would_raise[:WATCH]]
        if not codes:
            return ""
        return "\n".join((self._words("ui", "watch"), *(f"- {self._words('watch', c)}" for c in codes)))

    def _look_again(self, urgency: Disposition) -> str:
        date = self._session.touched + timedelta(days=self._library.pathway.look_again[urgency])
        return self._words("dispositions", urgency.value, "look_again", date=self._date(date))

    def _date(self, when: datetime) -> str:
        month = self._words.list("ui", "months")[when.month - 1]
        return self._words("ui", "date", day=when.day, month=month)

    def _soon(self, urgency: Disposition) -> str:
        return self._words("dispositions", urgency.value, "soon")

    def _in_units(self, text: str) -> str:
        return self._library.in_units(text, self._preferences.units)

    def _why_rule(self, fired: Fired) -> str:
        told = "; ".join(self.finding(c) for c in fired.because)
        soon = self._soon(fired.rule.urgency)
        lines = [
            self._words("ui", "why_told", told=told),
            self._words("ui", "why_rule", says=self._rule_says(fired), soon=soon),
        ]
        return "\n".join((*lines, *self._sources(fired.rule.sources), self._words("ui", "why_id", id=fired.rule.id)))

    def _why_reassured(self, id: str) -> str:
        rule = next(r for r in self._library.pathway.reassurances if r.id == id)
        told: Findings = rule.all.union(*rule.any) & self._findings
        lines = [
            self._words("ui", "why_told", told="; ".join(self.finding(c) for c in sorted(told))),
            self._words("rules", id),
        ]
        return "\n".join((*lines, *self._sources(rule.sources), self._words("ui", "why_id", id=id)))

    def _sources(self, ids: tuple[str, ...]) -> Iterator[str]:
        for id in ids:
            kind, _, name = id.partition(".")
            if kind == "judgement":
                yield self._words("ui", "our_choice", reason=self._words("judgements", name))
            else:
                source = self._library.sources[id]
                yield cited(self._words, source)

    def _buttons(self) -> Iterator[Button]:
        for act in ("why", "patterns", "advice", "changes", "clinician", "review"):
            if act == "changes" and not self._assessment.would_raise:
                continue
            yield self._button(act)
        if self._assessment.urgency >= Disposition.SAME_DAY and self.alarming_question():
            yield self._button("mistap")
        if self._preferences.region is None:
            yield Button(
                str(Token(short_version(self._session.version), MENU, 0, "regions")),
                self._words("ui", "buttons", "set_region"),
                Role.OTHER,
            )
        yield replace(self._button("back"), role=Role.BACK)
        yield self._button("again", "start_again")
        yield self._button("stop")

    def _button(self, act: str, key: str | None = None) -> Button:
        token = Token(short_version(self._session.version), self._session.id, self._session.step, act)
        typed = self._words.list("ui", "typed", key or act)
        return Button(str(token), self._words("ui", "buttons", key or act), Role.OTHER, words=typed)

    def _page_button(self, condition: str) -> Button | None:
        page = next((c.care for c in self._library.pathway.conditions if c.id == condition), "")
        if page not in self._library.page_by_id:
            return None
        position = self._library.pages.index(self._library.page_by_id[page])
        token = Token(short_version(self._session.version), MENU, 0, "page", str(position))
        return Button(str(token), self._words("conditions", condition, "name"), Role.OTHER)


def cited(words: Words, source: Source) -> str:
    """Return a source as one line, with its year where it has one."""
    by = f"{source.by}, {source.year}" if source.year else source.by
    return words("ui", "source", title=source.title, by=by)
