"""Numbered steps that bring the data of an earlier version up to date: `steps` has the table, `runner` runs what a database has not had."""
