"""Google Ads: reports of one customer account by its query language."""
