"""举报: anybody tells of a forged certificate; issuer and province look into it, and say what came of it (articles 17, 18)."""
