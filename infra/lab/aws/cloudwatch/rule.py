"""The rule of a composite alarm ("Create a composite alarm", PutCompositeAlarm's AlarmRule).

rule = all { "OR" all }      all = not { "AND" not }      not = "NOT" not | "(" rule ")" | "TRUE" | "FALSE" | state
state = ("ALARM" | "OK" | "INSUFFICIENT_DATA") "(" name or ARN, in double or single quotes or in none ")"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infra.errors import InputError

STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
LEAF = re.compile(rf"\s*({'|'.join(STATES)})\s*\(\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s()\"']+))\s*\)")
WORD = re.compile(r"\s*((?:AND|OR|NOT|TRUE|FALSE)(?![A-Za-z_0-9])|[()])")


@dataclass(frozen=True, slots=True)
class Leaf:
    """`alarm` is a name; an ARN has been cut down to it."""

    state: str
    alarm: str


@dataclass(frozen=True, slots=True)
class Constant:
    value: bool


@dataclass(frozen=True, slots=True)
class Not:
    rule: Rule


@dataclass(frozen=True, slots=True)
class Both:
    """AND, or OR where `either`."""

    left: Rule
    right: Rule
    either: bool


Rule = Leaf | Constant | Not | Both


def parse_rule(text: str) -> Rule:
    """Raises `InputError` naming where the text is not understood."""
    return _Parser(text).whole()


def holds(rule: Rule, state_of: Callable[[str], str]) -> bool:
    if isinstance(rule, Leaf):
        return state_of(rule.alarm) == rule.state
    if isinstance(rule, Constant):
        return rule.value
    if isinstance(rule, Not):
        return not holds(rule.rule, state_of)
    left, right = holds(rule.left, state_of), holds(rule.right, state_of)
    return left or right if rule.either else left and right


def named(rule: Rule) -> Iterator[str]:
    """The alarms that the rule asks for."""
    if isinstance(rule, Leaf):
        yield rule.alarm
    elif isinstance(rule, Not):
        yield from named(rule.rule)
    elif isinstance(rule, Both):
        yield from named(rule.left)
        yield from named(rule.right)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def whole(self) -> Rule:
        rule = self._either()
        if self._text[self._at :].strip():
            raise self._wrong("nothing")
        return rule

    def _either(self) -> Rule:
        rule = self._both()
        while self._take("OR"):
            rule = Both(rule, self._both(), either=True)
        return rule

    def _both(self) -> Rule:
        rule = self._single()
        while self._take("AND"):
            rule = Both(rule, self._single(), either=False)
        return rule

    def _single(self) -> Rule:
        if self._take("NOT"):
            return Not(self._single())
        if self._take("("):
            rule = self._either()
            if not self._take(")"):
                raise self._wrong("a closing bracket")
            return rule
        for word in ("TRUE", "FALSE"):
            if self._take(word):
                return Constant(word == "TRUE")
        leaf = LEAF.match(self._text, self._at)
        if leaf is None:
            raise self._wrong(f"{', '.join(STATES)} of an alarm, NOT, TRUE, FALSE or a bracket")
        self._at = leaf.end()
        name = next(group for group in leaf.groups()[1:] if group is not None)
        return Leaf(leaf.group(1), name.split(":alarm:", 1)[1] if name.startswith("arn:") and ":alarm:" in name else name)

    def _take(self, word: str) -> bool:
        found = WORD.match(self._text, self._at)
        if found is None or found.group(1) != word:
            return False
        self._at = found.end()
        return True

    def _wrong(self, expected: str) -> InputError:
        rest = self._text[self._at :].strip() or "the end"
        return InputError(f"AlarmRule: {expected} is expected at {rest[:60]!r}, in {self._text!r}")
