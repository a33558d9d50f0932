"""The company's mailbox."""
