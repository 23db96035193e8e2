"""What compiled code stands on, shared by all machines: compile worker, object cache, loader, the C stack."""
