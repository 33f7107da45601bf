"""Tournaments: who meets whom (pure), and the director that has it played (the shell).

Pure: `fixture`, `coin`, `match`, `bracket`, `heats`, `knockout`, `pairs`, `cycles`, `round_robin`, `tally`,
`standings`, `tournament`, `setup`, `interval`. See `docs/tournaments.md`.
"""
