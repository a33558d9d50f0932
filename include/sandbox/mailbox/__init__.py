"""Each mail as its recipient sees it."""
