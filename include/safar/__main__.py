"""`python -m safar` is the `safar` command."""

from safar.cli import main

main()
