"""The public web process: provider events and one-click unsubscribe."""
