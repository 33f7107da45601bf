"""The second third of the cases: a file each, so that processes which take whole files share them."""

from tests.conformance.cases import share
from tests.conformance.checks import *  # noqa: F403  (every check is a test here)
from tests.conformance.checks import plays_of

plays = plays_of(share(2, 3))
