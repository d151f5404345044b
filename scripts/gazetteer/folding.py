"""The form in which names are compared: that of `heurpipe_core::text::keyword`, which a test of the crate holds it to."""

import unicodedata

DIACRITICS = [
    (0x0300, 0x036F), (0x0483, 0x0489), (0x0591, 0x05BD), (0x05BF, 0x05BF), (0x05C1, 0x05C2), (0x05C4, 0x05C5),
    (0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F), (0xFE20, 0xFE2F),
]


def fold(name: str) -> str:
    # Character by character: `str.lower` writes the last sigma of a word in another way.
    lowered = "".join(c.lower() for c in unicodedata.normalize("NFKC", name))
    plain = "".join(c for c in unicodedata.normalize("NFD", lowered) if not is_diacritic(c))
    return " ".join(unicodedata.normalize("NFKC", plain).replace("’", "'").split())


def is_diacritic(c: str) -> bool:
    return any(first <= ord(c) <= last for first, last in DIACRITICS)
