"""The arena's side of node operators: what it reads of them, whom it doubts, who keeps what, and what that earns.

`standing` (what the chain says of one operator), `batches` (whether what it attests is what the arena knows), `doubts` (whom to
challenge, what to draw and to record), `replication` (who is to keep what) and `reward_rule` are pure. The rest carries them out.
"""
