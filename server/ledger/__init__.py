"""The ledger of certificates (专门台账, article 18): who did what with which certificate, append-only, sealed, and proven daily."""
