"""The ticker: what is to be done again and again, and when it is due. It decides nothing else."""
