"""A simulated company: its vendors' APIs over real HTTP, under one virtual clock and one seed."""
