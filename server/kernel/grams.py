"""How an index finds a part of a text: its grams, one way for every list. Texts are folded (kernel.folding), so that no spelling hides."""

from __future__ import annotations

from server.kernel.folding import folded

LONGEST = 3
"""Of a gram: what is asked for is mostly a name of two or three characters, and is then found by the one that is exactly it."""


def grams(*texts: str) -> list[str]:
    """Every character of these texts, and every two and three that follow each other."""
    found: set[str] = set()
    for text in texts:
        plain = folded(text)
        for length in range(1, LONGEST + 1):
            found.update(plain[at : at + length] for at in range(len(plain) - length + 1))
    return sorted(found)


def grams_asked(words: str) -> list[str]:
    """The longest grams that a text must have to hold `words`."""
    plain = folded(words)
    length = min(len(plain), LONGEST)
    return sorted({plain[at : at + length] for at in range(len(plain) - length + 1)}) if plain else []
