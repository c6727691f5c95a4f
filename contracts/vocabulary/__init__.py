"""Words shared by every contract: money, dates, identifiers, products."""
