"""Meta: daily insights of one ad account."""
