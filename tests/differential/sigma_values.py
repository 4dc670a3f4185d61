"""What a value of a rule with its modifiers asks of a value of an event. Straight from the text of
the Sigma specification 2.1.0 and the choices in docs/formats/sigma.md; slow and obvious on purpose.

A test is a function of a field's text; what it is given is folded (ASCII) unless it is cased.
"""

import base64
import datetime
import fractions
import ipaddress
import re

ANY, ONE = "*", "?"
DASHES = "-/\u2013\u2014\u2015"
FOLD = {c: c + 32 for c in range(ord("A"), ord("Z") + 1)}


class Refused(Exception):
    """The rule is not valid; `kind` is the class of its fault."""

    def __init__(self, kind, words):
        super().__init__(f"{kind}: {words}")
        self.kind = kind


def fold(text):
    return text.translate(FOLD)


def text_of(value):
    """Numbers and booleans are compared as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


class Wild(str):
    """A wildcard of a pattern, to tell it from the character that looks the same."""


def unescape(text):
    """A list of characters and Wild. A backslash escapes *, ? and itself, nothing else."""
    out = []
    at = 0
    while at < len(text):
        c = text[at]
        if c == "\\" and at + 1 < len(text) and text[at + 1] in "*?\\":
            out.append(text[at + 1])
            at += 1
        else:
            out.append(Wild(c) if c in (ANY, ONE) else c)
        at += 1
    return out


def has_wildcard(pattern):
    return any(isinstance(c, Wild) for c in pattern)


# ── encodings ──


def alignments(data):
    """For each alignment the characters of its base64 that depend on `data` alone: character c
    holds the bits from 6 c on."""
    found = []
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data).decode()
        first, last = 8 * before, 8 * (before + len(data))
        found.append(
            "".join(c for i, c in enumerate(encoded) if 6 * i >= first and 6 * i + 6 <= last)
        )
    return found


ENCODERS = {
    "wide": lambda t: t.encode("utf-16-le"),
    "utf16le": lambda t: t.encode("utf-16-le"),
    "utf16be": lambda t: t.encode("utf-16-be"),
    "utf16": lambda t: b"\xff\xfe" + t.encode("utf-16-le"),
}


def encode(pattern, modifiers):
    """The patterns, any of which is enough, after base64 or base64offset."""
    if has_wildcard(pattern):
        raise Refused("value", "a wildcard cannot be encoded")
    text = "".join(pattern)
    data = text.encode()
    for name in modifiers:
        if name in ENCODERS:
            data = ENCODERS[name](text)
    if "base64offset" in modifiers:
        found = alignments(data)
        if not all(found):
            raise Refused("value", "too short for each alignment")
        return [list(t) for t in found]
    return [list(base64.b64encode(data).decode())]


# ── patterns ──


def is_word(c):
    """What is not ASCII counts as a letter of some script, but for the dashes (docs/formats/sigma.md)."""
    letter = c.isalnum() or c == "_" if c.isascii() else c not in DASHES
    return not isinstance(c, Wild) and letter


def dashes(pattern):
    """The pattern's places where a flag begins: a regular expression's class stands for each."""
    out = []
    for at, c in enumerate(pattern):
        after_word = at > 0 and is_word(pattern[at - 1])
        before_word = at + 1 < len(pattern) and is_word(pattern[at + 1])
        flag = not isinstance(c, Wild) and c in DASHES and not after_word and before_word
        out.append(Wild("-") if flag else c)
    return out


def pattern_test(pattern, cased):
    """As a regular expression over the whole value."""
    pieces = {ANY: ".*", ONE: ".", "-": "[" + re.escape(DASHES) + "]"}
    source = ""
    before = None
    for c in pattern:
        if not (isinstance(c, Wild) and c == ANY and before == ANY):  # ** is *
            source += pieces[c] if isinstance(c, Wild) else re.escape(c if cased else fold(c))
        before = c if isinstance(c, Wild) else None
    return re.compile(source, re.DOTALL).fullmatch


def text_test(patterns, position, cased):
    """Any of `patterns`, at a position: contains, startswith, endswith or equal."""
    if all(not has_wildcard(p) for p in patterns):
        needles = ["".join(p) if cased else fold("".join(p)) for p in patterns]
        return {
            "contains": lambda text: any(n in text for n in needles),
            "startswith": lambda text: any(text.startswith(n) for n in needles),
            "endswith": lambda text: any(text.endswith(n) for n in needles),
            None: lambda text: text in needles,
        }[position]
    tests = []
    for p in patterns:
        before = [Wild(ANY)] if position in ("contains", "endswith") else []
        after = [Wild(ANY)] if position in ("contains", "startswith") else []
        tests.append(pattern_test(before + p + after, cased))
    return lambda text: any(test(text) for test in tests)


# ── regular expressions ──

# Only these parts of Python's syntax are Sigma's: no look-around, no references.
ALLOWED = {
    "LITERAL", "NOT_LITERAL", "ANY", "IN", "BRANCH", "SUBPATTERN", "AT", "MAX_REPEAT", "MIN_REPEAT"
}  # fmt: skip


def check_parsed(parsed):
    for op, operand in parsed:
        if str(op) not in ALLOWED:
            raise Refused("regex", f"{op} has no place in a rule")
        if str(op) == "BRANCH":
            for branch in operand[1]:
                check_parsed(branch)
        elif str(op) == "SUBPATTERN":
            check_parsed(operand[3])
        elif str(op).endswith("REPEAT"):
            check_parsed(operand[2])


# Where Python differs from PCRE, which docs/formats/sigma.md follows: in an empty text \B holds, and
# a line does not begin after the last newline.
TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\^", re.DOTALL)
INSTEAD = {"\\B": r"(?!\b)", "^": r"(?:\A|^(?!\Z))"}


def regex_test(value, modifiers):
    flags = re.ASCII
    for name, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL)):
        flags |= flag if name in modifiers else 0
    value = text_of(value)
    try:
        check_parsed(re._parser.parse(value, flags))
        value = TOKEN.sub(lambda m: INSTEAD.get(m[0], m[0]), value)
        return re.compile(value, flags).search
    except (re.error, OverflowError, RecursionError) as wrong:
        raise Refused("regex", str(wrong)) from wrong


# ── addresses, numbers, times ──


def cidr_test(value):
    try:
        network = ipaddress.ip_network(text_of(value), strict=False)
    except ValueError as wrong:
        raise Refused("cidr", str(wrong)) from wrong

    def holds(text):
        try:
            return "%" not in text and ipaddress.ip_address(text) in network
        except ValueError:
            return False

    return holds


COMPARE = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
}


def number_of(text):
    """A decimal, or None."""
    return fractions.Fraction(text) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else None


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def number_test(value, operator):
    if not is_number(value):
        raise Refused("type", f"{operator} takes a number")
    limit = number_of(text_of(value))
    compare = COMPARE[operator]

    def holds(text):
        number = number_of(text)
        return number is not None and compare(number, limit)

    return holds


TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::([0-5]\d|60)(?:[.,]\d+)?)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?)?",
    re.ASCII,
)


def time_part(text, part):
    found = TIME.fullmatch(text)
    if not found:
        return None
    year, month, day = (int(n) for n in found.groups()[:3])
    hour, minute = (None if n is None else int(n) for n in found.groups()[3:5])
    try:
        date = datetime.date(year, month, day)
        datetime.time(hour or 0, minute or 0)
    except ValueError:
        return None
    parts = {"year": year, "month": month, "day": day, "hour": hour, "minute": minute}
    return date.isocalendar()[1] if part == "week" else parts[part]


def time_test(value, part, operator):
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused("type", f"{part} takes a number")
    compare = COMPARE[operator]

    def holds(text):
        number = time_part(text, part)
        return number is not None and compare(number, value)

    return holds
