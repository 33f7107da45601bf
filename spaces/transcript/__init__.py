"""What was played, as a document that anyone can check: `agon-transcript/1` (PROOFS).

`order` and `seal` make one, `read` and `digest` open one, `replay` checks everything in it that can be
checked without trust in whoever sealed it.
"""

from spaces.transcript.checks import playing as playing
from spaces.transcript.document import VERSION as VERSION
from spaces.transcript.document import Entry as Entry
from spaces.transcript.document import SeatCommit as SeatCommit
from spaces.transcript.document import Signature as Signature
from spaces.transcript.document import Transcript as Transcript
from spaces.transcript.document import TranscriptError as TranscriptError
from spaces.transcript.document import digest as digest
from spaces.transcript.document import digest_of as digest_of
from spaces.transcript.document import read as read
from spaces.transcript.listener import Attempt as Attempt
from spaces.transcript.listener import Listener as Listener
from spaces.transcript.replay import Replayed as Replayed
from spaces.transcript.replay import replay as replay
from spaces.transcript.seal import VOID as VOID
from spaces.transcript.seal import Draft as Draft
from spaces.transcript.seal import order as order
from spaces.transcript.seal import seal as seal
from spaces.transcript.seal import seat_commit as seat_commit
