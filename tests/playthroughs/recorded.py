"""Where the recorded sessions lie: `<name>.transcript.json` and what is told of it, `<name>.txt`."""

from pathlib import Path

FOLDER = Path(__file__).parent / "sessions"
