"""The commands of `hipwise`, a module each: `run(argv)` returns the exit code."""
