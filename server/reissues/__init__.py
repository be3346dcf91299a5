"""补发、换发和撤销: what becomes of a certificate once it was issued (article 18)."""
