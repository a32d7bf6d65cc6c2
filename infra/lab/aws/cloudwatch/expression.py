"""Metric math as a tree, from its text ("Metric math syntax and functions", user guide).

or      = and { ("OR" | "||") and }            sum     = product { ("+" | "-") product }
and     = compare { ("AND" | "&&") compare }   product = power { ("*" | "/") power }
compare = sum [ ("==" | "!=" | "<=" | ">=" | "<" | ">") sum ]
power   = unary [ "^" power ]                  unary   = "-" unary | atom
atom    = number | id | FUNCTION "(" [ or { "," or } ] ")" | "[" or { "," or } "]" | "(" or ")"
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from infra.errors import InputError

FUNCTIONS = frozenset({"ABS", "AVG", "CEIL", "FILL", "FLOOR", "IF", "MAX", "METRICS", "MIN", "PERIOD", "SUM"})
WORD = re.compile(r'\s*(?:(\d+(?:\.\d*)?|\.\d+)|([A-Za-z][A-Za-z0-9_]*)|("[^"]*")|(==|!=|<=|>=|&&|\|\||[-+*/^<>(),\[\]]))')
COMPARISONS = frozenset({"==", "!=", "<=", ">=", "<", ">"})
OTHER_NAMES = {"AND": "&&", "OR": "||"}


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """The id of another query."""

    id: str


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands; of an array each member."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Array:
    members: tuple[Node, ...]


Node = Number | Name | Text | Operation | Call | Array


def parse(text: str) -> Node:
    """Raises `InputError` naming what is not understood."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._words = _words(text)
        self._next = 0

    def whole(self) -> Node:
        node = self._either()
        if self._next < len(self._words):
            raise self._wrong(f"{self._words[self._next]!r} is not expected")
        return node

    def _either(self) -> Node:
        node = self._both()
        while self._take("||"):
            node = Operation("||", node, self._both())
        return node

    def _both(self) -> Node:
        node = self._compared()
        while self._take("&&"):
            node = Operation("&&", node, self._compared())
        return node

    def _compared(self) -> Node:
        node = self._sum()
        operator = self._take(*COMPARISONS)
        return Operation(operator, node, self._sum()) if operator else node

    def _sum(self) -> Node:
        node = self._product()
        while operator := self._take("+", "-"):
            node = Operation(operator, node, self._product())
        return node

    def _product(self) -> Node:
        node = self._power()
        while operator := self._take("*", "/"):
            node = Operation(operator, node, self._power())
        return node

    def _power(self) -> Node:
        node = self._unary()
        return Operation("^", node, self._power()) if self._take("^") else node

    def _unary(self) -> Node:
        return Operation("-", Number(0.0), self._unary()) if self._take("-") else self._atom()

    def _atom(self) -> Node:
        word = self._any()
        if word == "(":
            node = self._either()
            self._expect(")")
            return node
        if word == "[":
            return Array(self._list("]"))
        if word[0].isdigit() or word[0] == ".":
            return Number(float(word))
        if word[0] == '"':
            return Text(word[1:-1])
        if self._take("("):
            if word not in FUNCTIONS:
                raise self._wrong(f"the local CloudWatch knows no {word}, but {', '.join(sorted(FUNCTIONS))}")
            return Call(word, self._list(")"))
        if not word[0].islower():
            raise self._wrong(f"{word!r} is neither a number nor an id, which begins with a small letter")
        return Name(word)

    def _list(self, closing: str) -> tuple[Node, ...]:
        members: list[Node] = []
        while not self._take(closing):
            if members:
                self._expect(",")
            members.append(self._either())
        return tuple(members)

    def _take(self, *wanted: str) -> str | None:
        if self._next < len(self._words) and self._words[self._next] in wanted:
            self._next += 1
            return self._words[self._next - 1]
        return None

    def _any(self) -> str:
        if self._next == len(self._words):
            raise self._wrong("it ends too soon")
        self._next += 1
        return self._words[self._next - 1]

    def _expect(self, word: str) -> None:
        if not self._take(word):
            found = repr(self._words[self._next]) if self._next < len(self._words) else "the end"
            raise self._wrong(f"{word!r} is expected, not {found}")

    def _wrong(self, why: str) -> InputError:
        return InputError(f"Error in expression '{self._text}': {why}")


def _words(text: str) -> list[str]:
    found, at = [], 0
    while text[at:].strip():
        match = WORD.match(text, at)
        if match is None:
            raise InputError(f"Error in expression '{text}': {text[at:].strip()[0]!r} is not understood")
        word = match.group(match.lastindex or 0)
        found.append(OTHER_NAMES.get(word, word))
        at = match.end()
    return found
