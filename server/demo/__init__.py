"""`agon demo`: an arena for an evening (`demo`), two owners who play for test USDC in it (`owners`), and who tells of it where there
is no screen (`narrator`).
"""
