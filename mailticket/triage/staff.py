"""Who works the desk: members by name, address and account, and which team a ticket goes to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mailticket.mail.address import address_key
from mailticket.settings import Staff, Team


@dataclass(frozen=True)
class Roster:
    """The configured people. Without any, whoever may read the database works under the name of their account."""

    staff: tuple[Staff, ...] = ()
    teams: tuple[Team, ...] = ()

    @cached_property
    def addresses(self) -> frozenset[str]:
        """Every address of a member, as addresses are compared."""
        return frozenset(self._by_address)

    @cached_property
    def _by_address(self) -> dict[str, Staff]:
        return {address_key(address): member for member in self.staff for address in member.addresses}

    def of_address(self, key: str) -> Staff | None:
        """The member whose address this is, as addresses are compared."""
        return self._by_address.get(key)

    def member(self, name: str) -> Staff | None:
        return next((member for member in self.staff if member.name == name), None)

    def of_login(self, login: str) -> Staff | None:
        """The member who signs in to this machine with an account."""
        return next((member for member in self.staff if login and member.login == login), None)

    def teams_of(self, name: str) -> tuple[str, ...]:
        """The names of the teams that a member is in."""
        return tuple(team.name for team in self.teams if name in team.members)

    def team_for(self, category: str, mailbox: str) -> str:
        """The team that serves a ticket: by its category, else by the mailbox it came to, else the one for the rest; ""
        for none."""
        by_category = [team for team in self.teams if category in team.categories]
        by_mailbox = [team for team in self.teams if mailbox in team.mailboxes]
        rest = [team for team in self.teams if not team.categories and not team.mailboxes]
        return next((team.name for team in (*by_category, *by_mailbox, *rest)), "")
