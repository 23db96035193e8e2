"""What contract authors use: the test kit, ABI helpers and language bindings."""
