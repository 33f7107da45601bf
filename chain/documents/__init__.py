"""What came of sessions, as documents that anyone can check: `agon-result/1` and `agon-epoch/1` (PROOFS)."""
