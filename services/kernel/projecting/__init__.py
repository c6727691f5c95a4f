"""From the log to read models: kept up to date, filled again, compared, and asked about the past."""
