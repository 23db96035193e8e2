"""The methods, a module a group; `contractvm.node.table` puts them together."""
