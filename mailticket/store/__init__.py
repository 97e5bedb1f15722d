"""The database: every query and every write."""
