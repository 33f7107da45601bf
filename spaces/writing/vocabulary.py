"""The words that constraints ask for or forbid. Their order is part of the rules.

A word stands in one list only, and no forbidden word is in a subject: tests hold both.
"""

MENTIONS = (
    "lantern", "pocket", "paddle", "copper", "thunder", "velvet", "anchor", "pepper", "harbour", "whistle",
    "muffin", "blanket", "pebble", "compass", "kettle", "feather", "engine", "marble", "ribbon", "sponge",
    "bucket", "teapot", "carpet", "basket", "hammer", "needle", "pillow", "rocket", "saddle", "tunnel",
    "violin", "walnut", "zipper", "cactus", "acorn", "falcon", "ginger", "magnet", "jacket", "lemon",
)  # fmt: skip

WORN = (
    ("very", "really"),
    ("amazing", "incredible"),
    ("love", "heart"),
    ("dream", "dreams"),
    ("magic", "magical"),
    ("suddenly", "then"),
    ("beautiful", "wonderful"),
    ("heard", "saw", "felt"),
    ("good", "bad", "nice"),
    ("unique", "special"),
)

OPENINGS = ("nobody", "yesterday", "if", "between", "three", "after", "once", "because")

ACROSTICS = ("wind", "moon", "tide", "home", "salt", "fire", "bread", "stone")

PLAIN = (
    "lamp", "road", "tree", "boat", "hand", "wall", "cup", "milk", "wood", "rain", "hill", "door",
    "soft", "warm", "cold", "blue", "slow", "deep", "wide", "calm", "tall", "thin", "late", "open",
    "goes", "sits", "runs", "asks", "waits", "turns", "holds", "finds", "hides", "rests", "grows",
)  # fmt: skip
"""What the plainest texts are made of (`spaces.writing.plainly`)."""
