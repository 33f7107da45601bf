"""`python -m tests.playthroughs`: write the playthroughs anew; read the diff before you commit it.

`--record` plays the sessions anew as well. Without it the recorded transcripts stay as they are, as
they must while the rules keep their version: an old transcript replays for ever.
"""

from __future__ import annotations

import argparse

from spaces.transcript import read
from tests.playthroughs.games import sessions
from tests.playthroughs.recorded import FOLDER
from tests.playthroughs.telling import tell


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.playthroughs")
    parser.add_argument("--record", action="store_true", help="play the sessions anew")
    if parser.parse_args().record:
        FOLDER.mkdir(exist_ok=True)
        for name, session in sessions().items():
            (FOLDER / f"{name}.transcript.json").write_bytes(session.document())
    for path in sorted(FOLDER.glob("*.transcript.json")):
        told = tell(read(path.read_bytes()))
        path.with_name(path.name.replace(".transcript.json", ".txt")).write_text(told, "utf-8")


main()
