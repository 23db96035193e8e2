"""contractvm: a deterministic, gas-metered smart-contract engine on an Ethereum-shaped local chain."""

__version__ = "0.1.0"
