"""One Sigma rule as a function of an event: log source, selections, conditions.

Independent of src/: written from the specification, shares nothing with the compiler. An event is
`Event`, made from a line in Sigma's names.
"""

import re

from sigma_values import (
    COMPARE,
    ENCODERS,
    Refused,
    cidr_test,
    dashes,
    encode,
    fold,
    number_test,
    regex_test,
    text_of,
    text_test,
    time_test,
    unescape,
)

LEVELS = ["informational", "low", "medium", "high", "critical"]
STATES = ["stable", "test", "experimental", "deprecated", "unsupported"]
POSITIONS = ["contains", "startswith", "endswith"]
TIMES = ["minute", "hour", "day", "week", "month", "year"]
ORDER = ["gt", "gte", "lt", "lte"]
SOURCE = ["category", "product", "service"]
KNOWN = (
    set(POSITIONS + TIMES + ORDER + list(ENCODERS))
    | {"all", "neq", "cased", "re", "i", "m", "s", "windash", "base64", "base64offset"}
    | {"cidr", "exists", "fieldref", "expand"}
)


class Event:
    """A line: where it comes from, its fields' texts as they are and folded; null is None."""

    def __init__(self, line):
        self.source = [line.get(key, "") for key in SOURCE]
        self.time_ms = line.get("time_ms", 0)
        self.plain = {k: None if v is None else text_of(v) for k, v in line["fields"].items()}
        self.folded = {k: None if v is None else fold(v) for k, v in self.plain.items()}


# ── items ──


def check_modifiers(field, modifiers, values):
    for name in modifiers:
        if name not in KNOWN:
            raise Refused("modifier", f"there is no modifier '{name}'")
    if "expand" in modifiers:
        raise Refused("placeholder", "nothing fills placeholders in")
    if "re" in modifiers and modifiers[0] != "re":
        raise Refused("modifier", "re stands first")
    if "re" not in modifiers and {"i", "m", "s"} & set(modifiers):
        raise Refused("modifier", "i, m and s follow re")
    encodings = [i for i, name in enumerate(modifiers) if name.startswith("base64")]
    if encodings and {*POSITIONS, "windash"} & set(modifiers[: encodings[0]]):
        raise Refused("modifier", "nothing is encoded after a wildcard was added")
    if "all" in modifiers and len(values) < 2:
        raise Refused("modifier", "all wants several values")
    if any(isinstance(v, (dict, list)) for v in values):
        raise Refused("type", f"a value of {field} is no value")


def value_test(value, modifiers):
    """(whether it wants the folded text, the test)"""
    chosen = set(modifiers)
    if value is None:
        raise Refused("value", "null stands alone")
    if "re" in chosen:
        return False, regex_test(value, chosen)
    if "cidr" in chosen:
        return False, cidr_test(value)
    order = [name for name in ORDER if name in chosen]
    part = [name for name in TIMES if name in chosen]
    if part:
        return False, time_test(value, part[0], order[0] if order else "eq")
    if order:
        return False, number_test(value, order[0])
    cased = "cased" in chosen
    pattern = unescape(text_of(value))
    patterns = [pattern]
    if chosen & {"base64", "base64offset"}:
        patterns = encode(pattern, chosen)
    if "windash" in chosen:
        patterns = [dashes(p) for p in patterns]
    position = next((name for name in POSITIONS if name in chosen), None)
    return not cased, text_test(patterns, position, cased)


def fieldref_item(field, other, modifiers):
    cased = "cased" in modifiers
    position = next((name for name in POSITIONS if name in modifiers), None)
    how = {
        "contains": lambda a, b: b in a,
        "startswith": lambda a, b: a.startswith(b),
        "endswith": lambda a, b: a.endswith(b),
        None: lambda a, b: a == b,
    }[position]

    def holds(event):
        texts = event.plain if cased else event.folded
        a, b = texts.get(field), texts.get(other)
        return a is not None and b is not None and how(a, b)

    return holds


def field_item(field, value, modifiers):
    """One value of one field."""
    if value is None:
        if modifiers not in ([], ["neq"]):
            raise Refused("type", "null takes no modifier")
        return lambda event: event.plain.get(field) is None
    if "exists" in modifiers:
        if not isinstance(value, bool):
            raise Refused("type", "exists takes true or false")
        return lambda event: (field in event.plain) == value
    if "fieldref" in modifiers:
        return fieldref_item(field, value, modifiers)
    folded, test = value_test(value, modifiers)

    def holds(event):
        text = (event.folded if folded else event.plain).get(field)
        return text is not None and bool(test(text))

    return holds


def keyword_item(value, modifiers):
    """A keyword is searched within each field's value."""
    if value is None:
        raise Refused("value", "null is no keyword")
    if "re" not in modifiers:
        modifiers = [name for name in modifiers if name not in POSITIONS] + ["contains"]
    folded, test = value_test(value, modifiers)

    def holds(event):
        texts = (event.folded if folded else event.plain).values()
        return any(text is not None and test(text) for text in texts)

    return holds


def item(key, value):
    field, *modifiers = key.split("|")
    values = value if isinstance(value, list) else [value]
    if not values:
        raise Refused("detection", f"{key} has no value")
    if len(values) > 1 and any(v is None for v in values):
        raise Refused("value", "null in a list")
    check_modifiers(field, modifiers, values)
    if field:
        tests = [field_item(field, v, modifiers) for v in values]
    else:
        tests = [keyword_item(v, modifiers) for v in values]
    join = all if "all" in modifiers else any
    if "neq" in modifiers:
        return lambda event: not join(test(event) for test in tests)
    if len(tests) == 1:
        return tests[0]
    return lambda event: join(test(event) for test in tests)


# ── selections ──


def selection(definition):
    if isinstance(definition, dict):
        if not definition:
            raise Refused("detection", "an empty selection")
        items = [item(str(key), value) for key, value in definition.items()]
        return items[0] if len(items) == 1 else lambda event: all(i(event) for i in items)
    if isinstance(definition, list):
        if not definition:
            raise Refused("detection", "an empty selection")
        entries = []
        for entry in definition:
            if isinstance(entry, list):
                raise Refused("detection", "a list in a list")
            entries.append(selection(entry) if isinstance(entry, dict) else keyword_item(entry, []))
        return lambda event: any(entry(event) for entry in entries)
    raise Refused("detection", "a selection is a map or a list")


# ── conditions ──


class Condition:
    """not before and, and before or."""

    def __init__(self, text, selections):
        self.tokens = re.findall(r"[()]|[^\s()]+", text)
        self.at = 0
        self.selections = selections

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self):
        token = self.peek()
        if token is None:
            raise Refused("condition", "it ends too early")
        self.at += 1
        return token

    def whole(self):
        result = self.either()
        if self.peek() is not None:
            raise Refused("condition", f"'{self.peek()}' is too much")
        return result

    def either(self):
        parts = [self.both()]
        while self.peek() == "or":
            self.take()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda event: any(p(event) for p in parts)

    def both(self):
        parts = [self.negated()]
        while self.peek() == "and":
            self.take()
            parts.append(self.negated())
        return parts[0] if len(parts) == 1 else lambda event: all(p(event) for p in parts)

    def negated(self):
        if self.peek() == "not":
            self.take()
            inner = self.negated()
            return lambda event: not inner(event)
        return self.primary()

    def primary(self):
        token = self.take()
        if token == "(":
            inner = self.either()
            if self.take() != ")":
                raise Refused("condition", "a parenthesis stays open")
            return inner
        if token in ("1", "all") and self.peek() == "of":
            self.take()
            return self.of(any if token == "1" else all, self.take())
        if token not in self.selections:
            raise Refused("condition", f"there is no selection '{token}'")
        return self.selections[token]

    def of(self, join, pattern):
        shape = re.escape("*" if pattern == "them" else pattern).replace(r"\*", ".*")
        found = [
            test
            for name, test in self.selections.items()
            if re.fullmatch(shape, name) and (pattern[0] == "_" or name[0] != "_")
        ]
        if not found:
            raise Refused("condition", f"'{pattern}' names no selection")
        return lambda event: join(test(event) for test in found)


def detection(definition):
    if not isinstance(definition, dict):
        raise Refused("detection", "a map is wanted")
    selections = {
        str(name): selection(value) for name, value in definition.items() if name != "condition"
    }
    conditions = definition.get("condition")
    conditions = conditions if isinstance(conditions, list) else [conditions]
    if not conditions or not all(isinstance(c, str) for c in conditions):
        raise Refused("condition", "a text or a list of them is wanted")
    tests = [Condition(text, selections).whole() for text in conditions]
    return lambda event: any(test(event) for test in tests)


# ── rules ──


def check_metadata(document):
    if not isinstance(document.get("title"), str) or not document["title"]:
        raise Refused("metadata", "the title is missing")
    for key, words in (("level", LEVELS), ("status", STATES)):
        if document.get(key) is not None and document[key] not in words:
            raise Refused("metadata", f"{document[key]} is no {key}")


class Rule:
    """A detection rule."""

    def __init__(self, document):
        check_metadata(document)
        source = document.get("logsource")
        if not isinstance(source, dict):
            raise Refused("logsource", "a map is wanted")
        self.source = [source.get(key) or "" for key in SOURCE]
        if not any(self.source) or not all(isinstance(s, str) for s in self.source):
            raise Refused("logsource", "it names nothing")
        self.id = str(document.get("id", ""))
        self.name = document.get("name")
        self.detects = detection(document.get("detection"))

    def matches(self, event):
        for want, given in zip(self.source, event.source):
            if want and want != given:
                return False
        return self.detects(event)


assert set(ORDER) <= set(COMPARE)
