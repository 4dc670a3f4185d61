"""Correlation rules as the text has them: at each event that a referred rule matches, over all events
kept since the beginning. No state is bounded here; that is what makes it a second opinion.
"""

import fractions
import statistics

import re

from sigma_rule import check_metadata
from sigma_values import COMPARE, Refused, is_number, number_of, text_of

UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
COUNTING = {"value_count", "value_sum", "value_avg", "value_percentile", "value_median"}
TYPES = {"event_count", "temporal", "temporal_ordered"} | COUNTING


def timespan_ms(text):
    found = re.fullmatch(r"([0-9]+)([smhd])", text) if isinstance(text, str) else None
    if not found:
        raise Refused("correlation", "the timespan is a whole number and one of s m h d")
    return int(found[1]) * UNITS[found[2]]


def names_of(value, what):
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(n, str) and n for n in names):
        raise Refused("correlation", f"{what} is missing")
    return names


class Correlation:
    """One rule; `feed` says of each event whether it fires there."""

    def __init__(self, document):
        check_metadata(document)
        body = document["correlation"]
        if not isinstance(body, dict) or body.get("type") not in TYPES:
            raise Refused("correlation", "there is no such type")
        self.type = body["type"]
        self.id = str(document.get("id", ""))
        self.name = document.get("name")
        self.generate = bool(document.get("generate") or body.get("generate"))
        self.rules = names_of(body.get("rules"), "rules")
        self.group = names_of(body["group-by"], "group-by") if "group-by" in body else []
        self.aliases = body.get("aliases") or {}
        self.span_ms = timespan_ms(body.get("timespan"))
        self.fields = []
        self.condition = self.read_condition(body.get("condition"))
        self.seen = []  # (time, arrival, name of the rule, group, event)

    def read_condition(self, condition):
        if condition is None and self.type.startswith("temporal"):
            return [("gte", len(self.rules))]
        if not isinstance(condition, dict):
            raise Refused("correlation", "the condition is missing")
        rest = dict(condition)
        field = rest.pop("field", None)
        if self.type in COUNTING:
            self.fields = names_of(field, "the condition's field")
        if not rest or not set(rest) <= set(COMPARE) or not all(map(is_number, rest.values())):
            raise Refused("correlation", "the condition is operators and numbers")
        return [(op, fractions.Fraction(text_of(limit))) for op, limit in rest.items()]

    def group_of(self, event, rule):
        """None: the event belongs to no group."""
        texts = []
        for name in self.group:
            alias = self.aliases.get(name)
            texts.append(event.plain.get(alias.get(rule, name) if alias else name))
        if any(event.plain.get(field) is None for field in self.fields):
            return None
        if self.type in ("value_sum", "value_avg", "value_median"):
            if number_of(event.plain[self.fields[0]]) is None:
                return None
        return None if None in texts else tuple(texts)

    def feed(self, event, arrival, matched):
        """`matched`: names of the referred rules that matched the event."""
        groups = []
        for rule in matched:
            group = self.group_of(event, rule)
            if group is not None:
                self.seen.append((event.time_ms, arrival, rule, group, event))
                groups.append(group)
        oldest = event.time_ms - self.span_ms
        for group in dict.fromkeys(groups):
            window = [s for s in self.seen if s[3] == group and oldest <= s[0] <= event.time_ms]
            if self.fires(window, event, arrival):
                return True
        return False

    def fires(self, window, event, arrival):
        if self.type == "temporal_ordered":
            return self.in_order(window, arrival)
        measured = self.measure(window, event)
        return all(COMPARE[op](measured, limit) for op, limit in self.condition)

    def in_order(self, window, arrival):
        """The last step is this event, each other one an earlier event than the next."""
        after = -1
        for step in self.rules[:-1]:
            later = [s[1] for s in window if s[2] == step and after < s[1] < arrival]
            if not later:
                return False
            after = min(later)
        return any(s[1] == arrival and s[2] == self.rules[-1] for s in window)

    def measure(self, window, event):
        if self.type == "temporal":
            return len({s[2] for s in window})
        once = list({s[1]: s[4] for s in window}.values())  # an event counts once
        if self.type == "event_count":
            return len(once)
        values = [tuple(e.plain[f] for f in self.fields) for e in once]
        if self.type == "value_count":
            return len(set(values))
        if self.type == "value_percentile":
            own = tuple(event.plain[f] for f in self.fields)
            return fractions.Fraction(100 * values.count(own), len(values))
        numbers = [number_of(v[0]) for v in values]
        if self.type == "value_median":
            return statistics.median(numbers)
        total = sum(numbers)
        return total if self.type == "value_sum" else total / len(numbers)
