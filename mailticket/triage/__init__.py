"""What a mail means: ticket IDs, sender, duplicates, categories, missing details, secrets. Pure."""
