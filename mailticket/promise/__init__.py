"""When an answer can be expected: support hours, policy and forecast. Pure."""
