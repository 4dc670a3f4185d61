"""Random regular expressions of the kind that Sigma rules hold, each with texts that it finds.

Python's engine, which the evaluator uses, tries one way after another: what is repeated without bound
stays simple, or it would not come to an end.
"""

CLASSES = {
    r"\d": "07", r"\w": "aZ_5", r"\s": " \t\n", r"\D": "a -", r"\W": " -é", r"\S": "ab.", ".": "ab é*"
}  # fmt: skip
META = ".^$*+?()[]{}|\\"


class Regex:
    """Builds one: `source` and a function that makes a text for it."""

    def __init__(self, rng, letters):
        self.rng = rng
        self.letters = letters
        self.unbounded = 2  # how many repeats without bound it may still have
        self.source, self.sample = self.either(3)
        if rng.random() < 0.15:
            self.source = "(?i)" + self.source

    def literal(self):
        c = self.rng.choice(self.letters)
        return ("\\" + c if c in META else c), lambda: c

    def char_class(self):
        rng = self.rng
        members = rng.sample(self.letters, min(len(self.letters), rng.randint(1, 3)))
        body = "".join("\\" + c if c in "\\]^-[&~|" else c for c in members)
        if rng.random() < 0.3:
            body += rng.choice(["a-c", "0-9", "A-Z", r"\d", r"\w", r"\s", "à-ü"])
        if rng.random() < 0.25:
            return f"[^{body}]", lambda: rng.choice("xyz-_é1")
        return f"[{body}]", lambda: rng.choice(members)

    def atom(self):
        pick = self.rng.random()
        if pick < 0.65:
            return self.literal()
        if pick < 0.85:
            return self.char_class()
        name = self.rng.choice(list(CLASSES))
        return name, lambda: self.rng.choice(CLASSES[name])

    def group(self, depth, simple):
        if simple:
            parts = [self.atom() for _ in range(self.rng.randint(1, 2))]
            source, sample = self.join(parts)
        else:
            source, sample = self.either(depth - 1)
        return self.rng.choice(["(", "(?:"]) + source + ")", sample

    def repeated(self, part, bounded):
        source, sample = part
        rng = self.rng
        low, high = rng.choice([(0, 1), (1, 1), (2, 2), (1, 3), (0, 2), (2, 3)])
        kinds = [("?", 0, 1), (f"{{{low},{high}}}", low, high), (f"{{{high}}}", high, high)]
        if not bounded and self.unbounded:
            self.unbounded -= 1
            kinds = [("*", 0, 3), ("+", 1, 3), (f"{{{low},}}", low, low + 2)]
        mark, least, most = rng.choice(kinds)
        mark += "?" if rng.random() < 0.2 else ""
        return source + mark, lambda: "".join(sample() for _ in range(rng.randint(least, most)))

    def piece(self, depth):
        rng = self.rng
        pick = rng.random()
        if pick < 0.5:
            return self.atom()
        if pick < 0.72:
            return self.repeated(self.atom(), rng.random() < 0.4)
        if pick < 0.8:
            return self.repeated(self.group(depth, True), rng.random() < 0.5)
        if pick < 0.9 and depth:
            return self.group(depth, False)
        if pick < 0.94 and depth:
            return self.repeated(self.group(depth, False), True)
        return rng.choice([r"\b", r"\b", "^", "$", r"\B"]), lambda: ""

    def join(self, parts):
        return "".join(p[0] for p in parts), lambda: "".join(p[1]() for p in parts)

    def sequence(self, depth):
        parts = [self.piece(depth) for _ in range(self.rng.randint(1, 4))]
        if self.rng.random() < 0.15:
            parts.insert(0, ("^", lambda: ""))
        if self.rng.random() < 0.15:
            parts.append(("$", lambda: ""))
        return self.join(parts)

    def either(self, depth):
        branches = [self.sequence(depth)]
        while depth and self.rng.random() < 0.2:
            branches.append(self.sequence(depth - 1))
        return "|".join(b[0] for b in branches), lambda: self.rng.choice(branches)[1]()
