"""The court's rules: who is drawn, what a panel's scores come to, what each judge earns and loses by it. Pure.

They are the contract's rules, number for number (`chain/contracts/court.vy`, docs/court.md): integers, no hashes, no clock.
"""
