"""Who answers for the world: the oracle asks feeds and tells where an answer can be looked up."""

from server.oracle.feed import Feed as Feed
from server.oracle.feed import OracleFault as OracleFault
from server.oracle.oracle import Oracle as Oracle
