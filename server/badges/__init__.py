"""The certificate as an Open Badge 3.0, a W3C Verifiable Credential that other systems read without asking us (server/decisions/0044)."""
