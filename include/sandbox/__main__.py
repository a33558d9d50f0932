"""`python -m sandbox` is the `safar-sandbox` command."""

from sandbox.cli import main

main()
