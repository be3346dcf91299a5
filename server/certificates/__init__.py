"""培训证书 (chapter 5 of the guide): codes, eligibility, the printed certificate."""
