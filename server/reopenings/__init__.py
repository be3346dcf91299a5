"""Opening released results again, as long as no certificate has come of them (articles 4.6, 13, 25.4)."""
