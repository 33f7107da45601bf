"""Writing: five seats, one brief, one text each at the same time, decided by judges."""

from spaces.writing.space import Writing as Writing
