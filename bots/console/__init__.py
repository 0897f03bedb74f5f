"""The same conversation in a terminal: for trying it, for clinical review, for reproducing a report."""
