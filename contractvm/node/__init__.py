"""The node: a chain behind JSON-RPC, as Ethereum's clients expect it, with subscriptions and an explorer.

A request goes `server` (HTTP and WebSocket, by uvicorn) -> `dispatch` (JSON, batches, errors) -> a row of `table` ->
`Node` -> `contractvm.chain`. The event loop's thread answers reads and fills the pool; one thread of its own makes
blocks (`miner`); runs that may take long go to a few more (`pace`). Stands beside the command line at the top of the
house: it may use the sdk, to decode what contracts say, and nothing below may import it.
"""
