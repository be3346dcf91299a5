"""How an index finds a part of a text: its grams, one way for every list. Texts are folded (kernel.folding), so that no spelling hides."""

from __future__ import annotations

from server.kernel.folding import folded

LONGEST = 3
"""Of a gram: what is asked for is mostly a name of two or three characters, and is then found by the one that is exactly it."""
ASKED_MOST = 60
"""Characters that are looked for at once, folded: one sign may unfold into eighteen, and of more the database takes no pattern."""
WRITTEN_MOST = 600
"""Of a text that is found by its grams."""


def grams(*texts: str) -> list[str]:
    """Every character of these texts, and every two and three that follow each other."""
    found: set[str] = set()
    for text in texts:
        plain = folded(text)[:WRITTEN_MOST]
        for length in range(1, LONGEST + 1):
            found.update(plain[at : at + length] for at in range(len(plain) - length + 1))
    return sorted(found)


def parts_asked(words: str) -> list[str]:
    """The words one by one; none where they find nothing: nothing but signs, or more than anybody types."""
    return [part for part in words.split() if folded(part)] if len(folded(words)) <= ASKED_MOST else []


def grams_asked(words: str) -> list[str]:
    """The longest grams that a text must have to hold `words`."""
    plain = folded(words)
    length = min(len(plain), LONGEST)
    return sorted({plain[at : at + length] for at in range(len(plain) - length + 1)}) if plain else []
