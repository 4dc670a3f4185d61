"""The independent evaluator: files of Sigma rules and event lines in, ids of matches out."""

import yaml

import sigma_yaml
from sigma_correlation import Correlation
from sigma_rule import Event, Rule
from sigma_values import Refused


def read(document):
    if not isinstance(document, dict):
        raise Refused("yaml", "a rule is a map")
    return (Correlation if "correlation" in document else Rule)(document)


class Collection:
    """Rules that are valid, in the order in which they are asked; Refused says which is not."""

    def __init__(self, texts):
        self.rules = []
        self.correlations = []
        for text in texts:
            try:
                found = sigma_yaml.documents(text)
            except yaml.YAMLError as wrong:
                raise Refused("yaml", str(wrong)) from wrong
            if not found:
                raise Refused("yaml", "no rule")
            for document in found:
                rule = read(document)
                (self.correlations if isinstance(rule, Correlation) else self.rules).append(rule)
        self.named = {}
        for rule in self.rules + self.correlations:
            self.named.update({name: rule for name in (rule.id, rule.name) if name})
        self.silent = set()
        self.correlations = self.in_order()
        self.arrived = 0

    def in_order(self):
        """What a correlation refers to comes before it."""
        ordered, busy = [], set()

        def visit(rule):
            if rule in ordered or isinstance(rule, Rule):
                return
            if rule in busy:
                raise Refused("reference", "a circle")
            busy.add(rule)
            for name in rule.rules:
                if name not in self.named:
                    raise Refused("reference", f"there is no rule {name}")
                visit(self.named[name])
            ordered.append(rule)

        for rule in self.correlations:
            visit(rule)
        loud = {self.named[n] for c in ordered if c.generate for n in c.rules}
        self.silent = {self.named[n] for c in ordered for n in c.rules} - loud
        return ordered

    def feed(self, line):
        """The sorted ids of what matches this event line."""
        event = Event(line)
        matched = {rule for rule in self.rules if rule.matches(event)}
        self.arrived += 1
        for rule in self.correlations:
            names = [n for n in rule.rules if self.named[n] in matched]
            if names and rule.feed(event, self.arrived, names):
                matched.add(rule)
        return sorted(rule.id for rule in matched - self.silent)
