"""Random correlations over a stretch of events: the product against the evaluator, event by event."""

import json
import random

from generate_correlations import Correlations
from product import emit
from sigma import Collection
from sigma_values import Refused

EVENTS = 150  # of a stretch


def evaluate(documents, lines):
    """For each line the ids; None where the rules are refused."""
    try:
        rules = Collection([emit(d) for d in documents])
    except Refused:
        return None
    return [rules.feed(line) for line in lines]


class CorrelationPart:
    """Counts rules times events, as the other part does."""

    def __init__(self, product):
        self.product = product
        self.pairs = 0
        self.matches = 0
        self.refused = 0
        self.complaints = []

    def can_run(self):
        """Does `content build` compile correlations at all?"""
        made = Correlations(random.Random(0))
        simple = {"type": "event_count", "rules": [made.bases[0]["name"]], "group-by": ["User"]}
        simple |= {"timespan": "1m", "condition": {"gte": 2}}
        rule = {"title": "t", "id": "x", "correlation": simple}
        return not any(self.product.build([emit(d) for d in made.bases + [rule]]))

    def ask(self, documents, lines):
        """What the product says; None where it refuses a rule."""
        if any(self.product.build(["---\n".join(emit(d) for d in documents)])):
            return None
        return self.product.match(lines)

    def batch(self, number, seed):
        rng = random.Random(f"correlation {seed}:{number}")
        made = Correlations(rng)
        documents, lines = made.documents(), made.lines(EVENTS)
        mine, theirs = evaluate(documents, lines), self.ask(documents, lines)
        self.pairs += len(documents) * len(lines)
        self.matches += sum(map(len, mine))
        if mine != theirs:
            self.complain(number, documents, lines)
        spoilt = made.bases + [made.spoilt()]
        if not any(self.product.build([emit(d) for d in spoilt])):
            self.complaints.append(f"batch {number}: accepted\n{emit(spoilt[-1])}")
        self.refused += 1

    def complain(self, number, documents, lines):
        """Leaves out rules and events as long as both still differ."""
        differs = lambda d, l: bool(l) and (m := evaluate(d, l)) is not None and m != self.ask(d, l)
        for kept in (documents, lines):
            size = max(len(kept) // 2, 1)
            while size:
                at = 0
                while at < len(kept):
                    less = kept[:at] + kept[at + size :]
                    d, l = (less, lines) if kept is documents else (documents, less)
                    if differs(d, l):
                        kept[at : at + size] = []
                    else:
                        at += size
                size //= 2
        mine, theirs = evaluate(documents, lines), self.ask(documents, lines)
        said = [
            f"{json.dumps(line)}\n  evaluator: {m}\n  product: {t}"
            for line, m, t in zip(lines, mine, theirs or [None] * len(lines))
        ]
        self.complaints.append("\n".join([f"batch {number}", *map(emit, documents), *said]))

    def notes(self, seed, seconds):
        yield (
            f"seed {seed}: {self.pairs} pairs, {100 * self.matches / max(self.pairs, 1):.1f} % match, "
            f"{self.refused} correlations refused by both, {seconds:.0f} s"
        )
