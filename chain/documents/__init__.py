"""What came of sessions, and what may be claimed for it, as documents that anyone can check (PROOFS)."""
