"""The meaning of the contract language in plain Python: an oracle that knows docs/language.md and not the compiler."""
