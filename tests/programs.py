"""The programs of a build where any user may run them: a clone may lie in a folder that is root's alone."""
import atexit
import os
import pathlib
import shutil
import tempfile


def for_anyone(build):
    """A copy of the programs, each in its place; gone when the test ends."""
    build = pathlib.Path(build).resolve()
    copy = pathlib.Path(tempfile.mkdtemp(prefix="bulkhead-programs-"))
    atexit.register(shutil.rmtree, copy)
    os.chmod(copy, 0o755)
    for program in [*build.glob("src/*/bulkhead*"), *build.glob("tests/drill/bulkhead-engine-open")]:
        if program.is_file() and os.access(program, os.X_OK):
            place = copy / program.relative_to(build)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(program, place)
    return copy
