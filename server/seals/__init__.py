"""The seals of institutions, the keys that sign certificates, and the check of a signed file (articles 16 to 18)."""
