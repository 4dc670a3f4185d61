"""Random events near the rules of a batch: values that the rules ask for, then spoilt a little."""

NEIGHBOURS = {"k": "\u212a", "s": "ſ", "i": "İ", "-": "\u2013", "/": "\\", "\\": "/", "*": "x", "?": "*"}
ODD = ["\0", "\n", "é", "𝄞", "\ufffd", "\x7f", " ", "*", "?", "\\", "\u0345", "\ud7ff", "\u2028"]


def mutate(rng, text, pool):
    """One small change."""
    at = rng.randint(0, len(text))
    kind = rng.randrange(12)
    if kind == 0:
        return text.swapcase()
    if kind == 1:
        return text[:at] + text[at : at + 1].swapcase() + text[at + 1 :]
    if kind == 2:
        return text[1:] if rng.random() < 0.5 else text[:-1]
    if kind == 3:
        return text[:at] + text[at + 1 :]
    if kind == 4:
        return rng.choice(ODD) + text if rng.random() < 0.5 else text + rng.choice(ODD)
    if kind == 5:
        return text[:at] + rng.choice(ODD) + text[at:]
    if kind == 6:
        return text + text
    if kind == 7:
        return text[:at] + str(rng.choice(pool)) + text[at:]
    if kind == 8:
        return f"{rng.choice(pool)}{rng.choice(['', ' ', '/'])}{text}"
    if kind == 9:
        return f"{text}{rng.choice(['', ' ', '/'])}{rng.choice(pool)}"
    if kind == 10:
        return text[:at] + NEIGHBOURS.get(text[at : at + 1].lower(), "") + text[at + 1 :]
    return text.upper() if text.upper().isascii() else text[::-1]


class Events:
    """Events for what a generate_rules.Maker made."""

    LONGEST = 120  # characters: the evaluator's engine tries one way after another

    def __init__(self, rng, maker):
        self.rng = rng
        self.maker = maker
        self.near = maker.near
        self.pool = [v for values in self.near.values() for v in values if v is not None] or ["x"]
        self.names = [f for fields in maker.fields.values() for f in fields]

    def value(self, field):
        rng = self.rng
        pick = rng.random()
        if pick < 0.03:
            return None
        if pick < 0.06:
            return rng.choice([True, False, 0, 5, -5, 443, "", "443", "5", "true", 1.5])
        value = rng.choice(self.near.get(field, self.pool) if pick < 0.85 else self.pool)
        if isinstance(value, str):
            while rng.random() < 0.4:
                value = mutate(rng, value, self.pool)
            if rng.random() < 0.04:  # many near values, and the last may be cut
                value = " ".join(str(rng.choice(self.pool)) for _ in range(8)) + value
            return value[: self.LONGEST]
        if not isinstance(value, bool) and rng.random() < 0.3:
            return str(value)
        return value

    def event(self):
        rng = self.rng
        share = rng.choice([0.3, 0.6, 0.9])
        fields = {f: self.value(f) for f in self.names if rng.random() < share}
        line = {"category": self.maker.category, "product": self.maker.product, "fields": fields}
        if rng.random() < 0.03:
            line["category"] = rng.choice(["process_creation", "file_event", "dns_query", "file_change"])
        if rng.random() < 0.03:
            line["product"] = rng.choice(["linux", "windows"])
        if rng.random() < 0.05:
            line["service"] = "sysmon"
        return line
