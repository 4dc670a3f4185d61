"""Random correlation rules over a few detection rules, and a stretch of timed events for them."""

import uuid

WHERE = {"category": "process_creation", "product": "linux"}
OPERATORS = ["gt", "gte", "gte", "gte", "lt", "lte", "eq", "neq"]
FIELDS = ["User", "CurrentDirectory", "Image"]
VALUES = {"User": ["a", "b", "A"], "CurrentDirectory": ["/1", "/2", "/3"], "Image": ["/i", "/j", ""]}
SPOILT = [
    {"type": "event_sum"}, {"type": None}, {"timespan": None}, {"timespan": "5 minutes"}, {"timespan": 60},
    {"timespan": "1.5m"}, {"timespan": "5y"}, {"rules": None}, {"rules": []}, {"rules": ["nobody"]},
    {"condition": None}, {"condition": {"above": 2}}, {"condition": {"gte": "many"}}, {"condition": {}},
    {"type": "value_count", "condition": {"gte": 2}}, {"rules": ["self"]},
]  # fmt: skip


def new_id(rng):
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


class Correlations:
    def __init__(self, rng):
        self.rng = rng
        self.bases = [self.base(f"r{i}", letter) for i, letter in enumerate(rng.sample("pqrst", rng.randint(2, 4)))]
        self.rules = []
        for number in range(rng.randint(2, 6)):
            self.rules.append(self.correlation(f"c{number}"))

    def base(self, name, letter):
        exact = self.rng.random() < 0.5
        item = {"CommandLine" if exact else "CommandLine|contains": letter}
        return {"title": "t", "id": new_id(self.rng), "name": name, "logsource": WHERE} | {
            "detection": {"s": item, "condition": "s"}
        }

    def condition(self, least, most):
        rng = self.rng
        found = {rng.choice(OPERATORS): rng.randint(least, most)}
        if rng.random() < 0.2:
            found[rng.choice(["lte", "lt", "neq"])] = rng.randint(least, most + 2)
        return found

    def counted(self, body):
        rng = self.rng
        if body["type"] == "value_count":
            condition = self.condition(1, 3)
            field = rng.choice([rng.choice(FIELDS), rng.sample(FIELDS, 2), "ProcessId"])
        elif body["type"] == "value_percentile":
            condition = {rng.choice(["lte", "lt", "gte", "eq"]): rng.choice([10, 25, 50, 100, 33.3])}
            field = rng.choice(FIELDS)
        else:
            condition = {rng.choice(OPERATORS): rng.choice([0, 1, 2, 5, 1.6, -1, 2.5, 20])}
            field = "ProcessId"
        return {"field": field} | condition

    def correlation(self, name):
        rng = self.rng
        body = {"type": rng.choice(["event_count", "event_count", "temporal", "temporal_ordered"])}
        if rng.random() < 0.45:
            body["type"] = rng.choice(
                ["value_count", "value_count", "value_sum", "value_avg", "value_percentile", "value_median"]
            )
        names = [base["name"] for base in self.bases]
        chosen = rng.sample(names, rng.randint(2 if body["type"].startswith("temporal") else 1, min(3, len(names))))
        if self.rules and rng.random() < 0.25:  # one that counts another's firing
            chosen[0] = rng.choice(self.rules)["name"]
        body["rules"] = [self.reference(n) for n in chosen]
        group = rng.sample(FIELDS, rng.choice([1, 1, 1, 2]))
        exact = all("CommandLine" in b["detection"]["s"] for b in self.bases if b["name"] in chosen)
        if exact and set(chosen) <= set(names) and rng.random() < 0.3:
            body["aliases"] = {"who": {n: rng.choice(FIELDS) for n in body["rules"]}}
            group[0] = "who"
        body["group-by"] = group
        body["timespan"] = rng.choice(["10s", "5s", "1m", "30s", "0s", "1h"])
        if body["type"] == "event_count":
            body["condition"] = self.condition(1, 4)
        elif body["type"].startswith("value"):
            body["condition"] = self.counted(body)
        elif body["type"] == "temporal" and rng.random() < 0.3:
            body["condition"] = self.condition(1, len(chosen))
        rule = {"title": "t", "id": new_id(rng), "name": name, "correlation": body}
        if rng.random() < 0.3:
            rule["generate"] = True
        return rule

    def reference(self, name):
        """By name or by id."""
        rule = next(r for r in self.bases + self.rules if r["name"] == name)
        return rule["id"] if "aliases" not in rule and self.rng.random() < 0.2 else name

    def spoilt(self):
        """A correlation that has to be refused."""
        body = {"type": "event_count", "rules": [self.bases[0]["name"]], "group-by": ["User"]}
        body |= {"timespan": "1m", "condition": {"gte": 2}} | self.rng.choice(SPOILT)
        body = {k: v for k, v in body.items() if v is not None}
        return {"title": "t", "id": new_id(self.rng), "name": "self", "correlation": body}

    def documents(self):
        found = self.bases + self.rules
        self.rng.shuffle(found)  # a reference may come before what it names
        return found

    def lines(self, count):
        rng = self.rng
        now = 1_700_000_000_000
        found = []
        for _ in range(count):
            now += rng.choice([0, 0, 1, 500, 1000, 1000, 2000, 5000, 5001, 10000, 30000])
            fields = {"CommandLine": "".join(rng.sample("pqrst", rng.choice([1, 1, 1, 2])))}
            for name, values in VALUES.items():
                if rng.random() < 0.93:
                    fields[name] = rng.choice(values + [None]) if rng.random() < 0.05 else rng.choice(values[:2])
            fields["ProcessId"] = rng.choice([1, 2, 3, 5, -1, "2", "1.5", 40, "x"])
            if rng.random() < 0.05:
                fields.pop("ProcessId")
            found.append(WHERE | {"time_ms": now, "fields": fields})
        return found
