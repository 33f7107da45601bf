"""Weights: a base that is found, its four-bit form, and a low-rank update on it."""
