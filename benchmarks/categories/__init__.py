"""How well the category of a request is recognised, measured on a labelled set of requests."""
