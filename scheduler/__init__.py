"""The ticker: what is due is asked of the outbox and handed over. It decides nothing."""
