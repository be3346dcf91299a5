"""Acts on a person: the phone that speaks for them is confirmed by the card, and released by who answers for the person (article 4.7)."""
