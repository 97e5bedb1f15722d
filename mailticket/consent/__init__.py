"""What is known of OAuth2 providers, and what their refusals come to. Pure."""
