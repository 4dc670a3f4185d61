"""Random detection rules: every modifier, wildcards and escapes at their edges, every shape of a
condition; and, field by field, values that come near them. All of it follows from a seed.
"""

import ipaddress
import uuid

from generate_regex import Regex
from sigma_values import ANY, ENCODERS, Wild, alignments, dashes, encode, unescape

# What events of a category carry, by what the values look like. Values are mixed up on purpose.
FIELDS = {
    "process_creation": {
        "text": ["CommandLine", "Image", "ParentImage", "ParentCommandLine", "User", "Hashes"]
        + ["CurrentDirectory", "OriginalFileName"],
        "number": ["ProcessId", "LogonId", "TerminalSessionId"],
        "time": ["UtcTime"],
        "address": ["Description"],
    },
    "file_event": {
        "text": ["TargetFilename", "Image", "User", "CommandLine"],
        "number": ["ProcessId"],
        "time": ["CreationUtcTime"],
        "address": ["Product"],
    },
    "network_connection": {
        "text": ["Image", "User", "DestinationHostname", "CommandLine", "Protocol"],
        "number": ["DestinationPort", "SourcePort", "ProcessId"],
        "time": ["UtcTime"],
        "address": ["DestinationIp", "SourceIp"],
    },
    "registry_set": {  # no category of ours: only recordings have it
        "text": ["Image", "CommandLine", "User", "Hashes"],
        "number": ["ProcessId", "EventID"],
        "time": ["UtcTime"],
        "address": ["Company"],
    },
}
WORDS = [
    "cmd", ".exe", "powershell", "/bin/", "/tmp/", "bash", " -c ", " /c ", "--", "-enc", "http://",
    "C:\\", "\\\\srv\\", "Windows", "é", "€uro", "𝄞", "\u212a", "ſ", "İ", "sh", "a", "id", " ", "*", "?",
    "%", "--x", "–f", "—", "\u2015k", "/f", "\t", "\n", "'", '"', "{", "null", "true", "10", "-1", "1.5",
]  # fmt: skip
NETWORKS = ["10.0.0.0/8", "192.168.4.0/22", "10.1.2.3/32", "0.0.0.0/0", "2001:db8::/32", "::1/128"]
NETWORKS += ["fe80::/10", "172.16.0.0/12", "10.1.2.0/31", "2001:db8::8000/113"]
NUMBERS = [0, 1, -1, 5, 9, 10, 80, 443, 1023, 1024, 65535, 4294967296, 1.5, -0.25, 99.125]
TIMES = ["2024-05-06T07:08:09Z", "2024-05-06 22:59:00.123", "2020-12-31 23:00:00", "2021-01-03T00:01:02Z"]
TIMES += ["2024-02-29", "2023-02-29", "2024-13-01 00:00:00", "2026-01-01T00:00:00+02:00", "x"]
PARTS = {"minute": 59, "hour": 23, "day": 31, "week": 53, "month": 12, "year": 9999}


class Maker:
    """Makes the rules of one batch: they share a category and a few words, so that an event near one
    of them is near others."""

    def __init__(self, rng):
        self.rng = rng
        self.category = rng.choice(["process_creation"] * 3 + list(FIELDS))
        self.product = rng.choice(["linux", "linux", "windows", "macos"])
        self.fields = FIELDS[self.category]
        self.tiny = rng.random() < 0.5  # few letters: everything nearly matches everything
        self.letters = list(rng.choice(["ab", "aB-", "ab\\", "a*?", "a /-", "abé", "aK\u212a", "ab\n"]))
        self.words = rng.sample(WORDS, 8)
        self.near = {}  # field: values
        self.popular = []
        self.popular = [self.plain(rng.choice([1, 2, 4, 12])) for _ in range(6)]

    def note(self, field, value):
        self.near.setdefault(field, []).append(value)

    def plain(self, longest=4):
        """A text; often one that other rules ask for too, or its neighbour."""
        rng = self.rng
        if self.popular and rng.random() < 0.3:
            text = rng.choice(self.popular)
            return rng.choice([text, text, text[1:], text[:-1], text + text[:1], text.swapcase()])
        if self.tiny:
            return "".join(rng.choice(self.letters) for _ in range(rng.randint(0, 2 * longest)))
        return "".join(rng.choice(self.words) for _ in range(rng.randint(1, longest)))

    def escaped(self, plain):
        """A rule's value for this text: a backslash may stand for itself where nothing follows that
        it would escape."""
        out = ""
        for at, c in enumerate(plain):
            follows = plain[at + 1 : at + 2]
            single = c == "\\" and follows not in ("*", "?", "\\") and self.rng.random() < 0.5
            out += c if single or c not in "*?\\" else "\\" + c
        return out

    def value(self, wild=0.35):
        """(the value as it stands in a rule)"""
        rng = self.rng
        if rng.random() < 0.06:
            return "".join(rng.choice("ab\\*?-") for _ in range(rng.randint(1, 8)))
        value = self.escaped(self.plain())
        while rng.random() < wild:
            at = rng.randint(0, len(value))
            value = value[:at] + rng.choice("**?") + value[at:]
        return value

    def witness(self, pattern):
        """A text that the pattern takes."""
        rng = self.rng
        out = ""
        for c in pattern:
            if not isinstance(c, Wild):
                out += c
            elif c == "-":
                out += rng.choice("-/\u2013\u2014\u2015")
            else:
                out += self.plain(2) if c == ANY else rng.choice("ab é𝄞\n*\\")
        return out

    # ── items: (key, value), and what comes near is noted ──

    def text_item(self):
        rng = self.rng
        field = rng.choice(self.fields["text"])
        chosen = [rng.choice(["", "contains", "contains", "startswith", "endswith"])]
        chosen += ["windash"] if rng.random() < 0.15 else []
        chosen += ["cased"] if rng.random() < 0.2 else []
        values = [self.value() for _ in range(rng.choice([1, 1, 2, 3, 6]))]
        for value in values:
            pattern = unescape(value)
            pattern = dashes(pattern) if "windash" in chosen else pattern
            self.note(field, self.witness(pattern))
            if chosen[0]:
                self.note(field, self.plain(2) + self.witness(pattern) + self.plain(2))
        if len(values) > 1 and rng.random() < 0.3:
            chosen.append("all")
            self.note(field, " ".join(self.witness(unescape(v)) for v in values))
        if rng.random() < 0.1:
            chosen.append("neq")
        chosen = [c for c in chosen if c]
        rng.shuffle(chosen)
        return field, chosen, values if len(values) > 1 or rng.random() < 0.2 else values[0]

    def encoded_item(self):
        rng = self.rng
        field = rng.choice(self.fields["text"])
        chosen = [rng.choice(["base64", "base64offset", "base64offset"])]
        if rng.random() < 0.3:
            chosen.insert(0, rng.choice(list(ENCODERS)))
        plains = [self.plain() + rng.choice(["ab", "ping", "Éa"]) for _ in range(rng.randint(1, 2))]
        for plain in plains:
            data = ENCODERS.get(chosen[0], lambda t: t.encode())(plain)
            self.note(field, rng.choice(alignments(data)))
            self.note(field, rng.choice(["", "a", "xy"]) + "".join(encode(list(plain), chosen)[0]))
            self.note(field, "echo " + rng.choice(alignments(data)) + " | x")
        chosen += ["contains"] if rng.random() < 0.7 else []
        chosen += ["all"] if len(plains) > 1 and rng.random() < 0.4 else []
        chosen += ["cased"] if rng.random() < 0.2 else []
        return field, chosen, [self.escaped(p) for p in plains]

    def regex_item(self):
        rng = self.rng
        field = rng.choice(self.fields["text"])
        values = []
        for _ in range(rng.choice([1, 1, 1, 2])):
            made = Regex(rng, self.letters if self.tiny else list("abcAB1 -/.\\"))
            values.append(made.source)
            for _ in range(3):
                self.note(field, rng.choice(["", "x", "a ", "\n"]) + made.sample() + rng.choice(["", "b", "\n"]))
        flags = [f for f in "ims" if rng.random() < 0.15]
        more = ["all"] if len(values) > 1 and rng.random() < 0.4 else []
        more += ["neq"] if rng.random() < 0.1 else []
        return field, ["re"] + flags + more, values if len(values) > 1 else values[0]

    def cidr_item(self):
        rng = self.rng
        field = rng.choice(self.fields["address"])
        chosen = rng.sample(NETWORKS, rng.randint(1, 3))
        for text in chosen:
            network = ipaddress.ip_network(text)
            for address in (network[0], network[-1], network[network.num_addresses // 2]):
                for step in (-1, 0, 1):
                    at = int(address) + step
                    if 0 <= at < 2 ** (32 if network.version == 4 else 128) and at >> 32 != 0xFFFF:
                        self.note(field, str(type(address)(at)))
        self.note(field, rng.choice(["10.1.2", "10.1.2.3.4", "x", "", "::g", "300.1.1.1", "2001:DB8::1"]))
        return field, ["cidr"], chosen if len(chosen) > 1 else chosen[0]

    def number_item(self):
        rng = self.rng
        field = rng.choice(self.fields["number"])
        limit = rng.choice(NUMBERS)
        for value in (limit, limit + 1, limit - 1, str(limit), f"{limit}x", f" {limit}", "abc"):
            self.note(field, value)
        if rng.random() < 0.3:
            return field, [], [limit, rng.choice(NUMBERS)]
        operator = rng.choice(["gt", "gte", "lt", "lte"])
        return field, [operator] + (["neq"] if rng.random() < 0.1 else []), limit

    def time_item(self):
        rng = self.rng
        field = rng.choice(self.fields["time"])
        part = rng.choice(list(PARTS))
        value = rng.choice([5, 7, 22, 59, 1, 52, 53, 2024, 2, PARTS[part]])
        for time in rng.sample(TIMES, 2):
            self.note(field, time)
        # Weeks are hard where years end.
        day = rng.choice(["12-28", "12-29", "12-30", "12-31", "01-01", "01-02", "01-03", "01-04", "06-15"])
        self.note(field, f"{rng.randint(2015, 2030)}-{day}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:00Z")
        return field, [part] + ([rng.choice(["gt", "gte", "lt", "lte"])] if rng.random() < 0.6 else []), value

    def field_item(self):
        """What asks for a field's presence, or for another field."""
        rng = self.rng
        every = [f for fields in self.fields.values() for f in fields]
        pick = rng.random()
        if pick < 0.25:
            return rng.choice(every), ["exists"], rng.random() < 0.5
        if pick < 0.45:
            return rng.choice(every), ["neq"] if rng.random() < 0.2 else [], None
        if pick < 0.6:
            return rng.choice(every), [], rng.choice(["*", "", "?*", "?", "**", True, False, -5])
        a, b = rng.sample(self.fields["text"], 2)
        same = self.plain()
        self.note(a, self.plain(1) + same + self.plain(1))
        self.note(a, same)
        self.note(b, same)
        chosen = ["fieldref"] + [c for c in [rng.choice(["", "contains", "startswith", "endswith"])] if c]
        chosen += ["cased"] if rng.random() < 0.3 else []
        return a, chosen + (["neq"] if rng.random() < 0.15 else []), b

    def item(self):
        kinds = [self.text_item] * 9 + [self.regex_item] * 3 + [self.encoded_item, self.cidr_item]
        kinds += [self.number_item, self.time_item, self.field_item, self.field_item]
        field, modifiers, value = self.rng.choice(kinds)()
        return "|".join([field] + modifiers), value

    # ── selections, conditions, rules ──

    def keywords(self):
        rng = self.rng
        values = [rng.choice([self.value() or "a", 443]) for _ in range(rng.randint(1, 3))]
        values = [v if v != "" else "a" for v in values]
        for value in values:
            self.note(rng.choice(self.fields["text"]), self.plain(1) + self.witness(unescape(str(value))))
        if len(values) > 1 and rng.random() < 0.4:
            return {"|all": values}
        return {"|re": Regex(rng, self.letters).source} if rng.random() < 0.2 else values

    def selection(self):
        rng = self.rng
        pick = rng.random()
        if pick < 0.1:
            return self.keywords()
        if pick < 0.25:
            return [dict([self.item()]) for _ in range(rng.randint(1, 3))]
        return dict(self.item() for _ in range(rng.choice([1, 1, 1, 2, 2, 3])))

    def condition(self, names, depth=3):
        rng = self.rng
        pick = rng.random()
        if depth == 0 or pick < 0.35:
            return rng.choice(names)
        if pick < 0.45:
            of = rng.choice(["1 of ", "all of "])
            return of + rng.choice(["them", "sel*", "*_a", "*", rng.choice(names)])
        if pick < 0.6:
            return "not " + self.condition(names, 0 if rng.random() < 0.5 else depth - 1)
        inner = [self.condition(names, depth - 1) for _ in range(2)]
        joined = rng.choice([" and ", " and ", " or "]).join(inner)
        return f"({joined})" if rng.random() < 0.5 else joined

    def source(self):
        rng = self.rng
        source = {"category": self.category, "product": self.product}
        if rng.random() < 0.06:
            source.pop(rng.choice(["product"] if self.category == "registry_set" else list(source)))
        if rng.random() < 0.04:
            source["service"] = "sysmon"
        return source

    def rule(self):
        rng = self.rng
        names = rng.sample(["sel_a", "sel_b", "filter_a", "_c", "android", "sel-1"], rng.choice([1, 1, 2, 3]))
        if "sel_a" not in names and rng.random() < 0.9:
            names[0] = "sel_a"
        detection = {name: self.selection() for name in names}
        condition = self.condition(names, min(3, len(names)))
        detection["condition"] = [condition, names[0]] if rng.random() < 0.04 else condition
        rule = {"title": "t", "id": str(uuid.UUID(int=rng.getrandbits(128), version=4))}
        rule |= {"logsource": self.source(), "detection": detection}
        if rng.random() < 0.3:
            rule |= {"level": "high", "status": "test"}
        return rule


