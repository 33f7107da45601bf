"""The rules of money, pure: accounts, transfers, and what a batch of transfers does to a book.

TigerBeetle's data model (its reference, "Account" and "Transfer") in integer micros: every transfer debits one
account and credits one other, is immutable, and is known by a unique id. `store.ledger` keeps the book in SQL
and asks `apply` what may happen to it; nothing else decides about money.
"""

from server.ledger.account import Account, Bound
from server.ledger.book import Book, apply
from server.ledger.result import Result
from server.ledger.transfer import Kind, Transfer

__all__ = ["Account", "Book", "Bound", "Kind", "Result", "Transfer", "apply"]
