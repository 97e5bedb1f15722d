"""The configuration: a TOML file and the environment become frozen settings, or a list of all that is wrong."""
