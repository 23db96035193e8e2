"""The command line: the roof of the house, imported by nobody. One file a command group, loaded when asked for."""
