"""Logic: five seats solve the same generated puzzles; the generator's own scorer decides."""

from spaces.logic.space import Logic as Logic
