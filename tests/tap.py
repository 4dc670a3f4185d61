"""Results as TAP, for tests that judge as they go."""

COMPLAINTS_MAX = 20


class Tap:
    """Numbers the results, and remembers whether one was bad."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def result(self, name, complaints):
        """Good if there are no complaints."""
        self.count += 1
        self.failed += bool(complaints)
        print(f"{'not ok' if complaints else 'ok'} {self.count} - {name}")
        for complaint in complaints[:COMPLAINTS_MAX]:
            print(f"# {complaint}")
        if len(complaints) > COMPLAINTS_MAX:
            print(f"# and {len(complaints) - COMPLAINTS_MAX} more")

    def check(self, good, name, words=""):
        """`words`: what was seen, for when it is not good."""
        self.result(name, [] if good else str(words).splitlines() or ["no more is known"])

    def finish(self):
        """The exit code."""
        print(f"1..{self.count}")
        return 1 if self.failed else 0
