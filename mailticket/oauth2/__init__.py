"""Signing in by OAuth2: whose consent, what the provider says, refresh tokens kept, access tokens handed out."""
