"""From a typed tree to a cheaper one that means the same."""
