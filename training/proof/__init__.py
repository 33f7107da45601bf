"""Proof of training: `agon-training/1` says how an adapter was made, step by step; whoever has its data makes some steps again.

Pure: `tensors` (named tensors as bytes), `manifest`, `compare`, `choose`. `record` watches a run, `again` makes steps again, `verify`
says what is true of an adapter; only these import torch, and only when they run. Formats are in docs/proofs.md.
"""
