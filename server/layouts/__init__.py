"""How the paper of a certificate looks, by level, in versions of the national centre (article 17.3)."""
