"""Rap Battle: two seats, alternating verses on one topic, decided by judges."""

from spaces.rap_battle.space import RapBattle as RapBattle
