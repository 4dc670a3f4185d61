"""What the house rules share: the files of the project, C without its comments, and complaints."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def files(*suffixes):
    """Paths below ROOT of all files that are, or could be, committed; of these endings, if any."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    names = {name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()}
    return sorted(name for name in names if not suffixes or name.endswith(suffixes))


def text(name):
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def _blank(match):
    """Line numbers stay what they were."""
    return re.sub(r"[^\n]", " ", match.group())


def code(name):
    """C without comments; texts keep their quotes and lose what is between them."""
    tokens = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)

    def replace(match):
        token = match.group()
        if token[0] == "/" or token[0] == "'":
            return _blank(match)
        return '"' + " " * (len(token) - 2) + '"'

    return tokens.sub(replace, text(name))


def includes(name):
    """(line, what) of every #include; what with its quotes or brackets."""
    for number, line in enumerate(text(name).splitlines(), 1):
        found = re.match(r"\s*#\s*include\s+([\"<][^\">]+[\">])", line)
        if found:
            yield number, found.group(1)


class Complaints:
    def __init__(self):
        self.count = 0

    def say(self, name, line, words):
        self.count += 1
        print(f"{name}:{line}: {words}")

    def end(self):
        sys.exit(1 if self.count else 0)
