def measure(arguments): pass
