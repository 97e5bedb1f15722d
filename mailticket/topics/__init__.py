"""What a request is about: categories, fields, articles that fit. Pure."""
