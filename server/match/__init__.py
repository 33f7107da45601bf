"""The match engine: the life of one session under its Space's rules, without I/O.

`Match` takes actions and the clock and returns events; the host stores them. `visible` is the one
filter through which any event reaches a viewer. `document` seals what was played.
"""

from server.match.decision import Asked as Asked
from server.match.document import document as document
from server.match.engine import Match as Match
from server.match.opening import initial_views as initial_views
from server.match.opening import open_event as open_event
from server.match.progress import UnknownRules as UnknownRules
from server.match.visible import visible as visible
