"""年度检查: once a year a province looks at how each institution prints, keeps, issues and accounts for certificates (article 18)."""
