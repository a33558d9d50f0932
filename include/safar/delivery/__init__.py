"""From decisions to messages: plan, claim, send, account."""
