"""What the world remembers: ordered bytes, accounts and storage over an undo log, and the roots that commit to them."""
