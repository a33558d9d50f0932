"""LinkedIn: one ad account, its campaigns, and analytics that end after 15,000 rows without a word."""
