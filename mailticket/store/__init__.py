"""The database: every query and every write."""

from sqlmodel import Session

__all__ = ["Session"]
