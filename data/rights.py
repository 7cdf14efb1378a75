"""Who may do what: the table of roles and rights, and the person (or command line) who asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from geo.errors import N_, RightsError


class Role(StrEnum):
    """What a person is at a branch."""

    HEAD = "head"
    LEAD = "lead"
    MEMBER = "member"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Right(StrEnum):
    """What can be allowed, one name a cell of the table of rights."""

    FIGURES = "figures"  # figures, cells, merchants
    CUSTOMERS = "customers"  # every customer's row
    OWN_CUSTOMERS = "own_customers"  # rows of the customers one manages
    DEPOSITS = "deposits"  # deposits and assets in the rows one may see
    IMPORT = "import"  # bring lists in, and take them back
    EXPORT = "export"  # take lists out, customers apart
    EXPORT_CUSTOMERS = "export_customers"
    EDIT_MERCHANTS = "edit_merchants"  # status, note, pin; points set aside
    READ_PLANS = "read_plans"
    EDIT_PLANS = "edit_plans"
    PUBLISH_PLANS = "publish_plans"
    AUDIT = "audit"  # the branch's audit trail
    PEOPLE = "people"  # people and roles
    BRANCHES = "branches"  # open a branch, remove the demo


_WORK = frozenset({Right.FIGURES, Right.EDIT_MERCHANTS, Right.READ_PLANS})
GRANTS: dict[Role, frozenset[Right]] = {
    Role.HEAD: _WORK
    | {
        Right.CUSTOMERS,
        Right.DEPOSITS,
        Right.IMPORT,
        Right.EXPORT,
        Right.EXPORT_CUSTOMERS,
        Right.EDIT_PLANS,
        Right.PUBLISH_PLANS,
        Right.AUDIT,
        Right.BRANCHES,
    },
    Role.LEAD: _WORK
    | {Right.CUSTOMERS, Right.IMPORT, Right.EXPORT, Right.EXPORT_CUSTOMERS, Right.EDIT_PLANS},
    Role.MEMBER: _WORK | {Right.OWN_CUSTOMERS, Right.DEPOSITS},
    Role.ANALYST: _WORK | {Right.IMPORT, Right.EXPORT},
    Role.AUDITOR: frozenset({Right.AUDIT}),
    Role.ADMIN: frozenset({Right.PEOPLE, Right.BRANCHES}),
}
EVERYWHERE = frozenset({Role.AUDITOR, Role.ADMIN})  # not bound to branches of their own


@dataclass(frozen=True)
class Asker:
    """
    Who asks.

    Parameters
    ----------
    name
        Written into the audit trail.
    role
        None for the command line, which acts for the operating system's user with all rights.
    branch_ids
        The person's own branches.
    person_id
        The row in `people`, whose customers a member may see; None for one who is in no list.
    """

    name: str
    role: Role | None
    branch_ids: frozenset[int] = frozenset()
    person_id: int | None = None

    def may(self, right: Right, branch_id: int | None = None) -> bool:
        """Whether the right is granted, at the branch if one is named."""
        if self.role is not None and right not in GRANTS[self.role]:
            return False
        return branch_id is None or self.at(branch_id)

    @property
    def everywhere(self) -> bool:
        """Whether the asker is not bound to branches of their own."""
        return self.role is None or self.role in EVERYWHERE

    def at(self, branch_id: int) -> bool:
        """Whether the branch is one of the asker's."""
        return self.everywhere or branch_id in self.branch_ids

    def masked(self, branch_id: int) -> bool:
        """Whether groups of fewer than five customers are hidden: from all who may not see customers."""
        return not self.may(Right.CUSTOMERS, branch_id)

    def require(self, right: Right, branch_id: int | None = None) -> None:
        """
        Let whoever may, pass.

        Raises
        ------
        RightsError
            Otherwise.
        """
        if not self.may(right, branch_id):
            raise RightsError(N_("You do not have the right to see or do this at this branch."))


def command_line(user: str) -> Asker:
    """Return the asker of the command line."""
    return Asker(name=f"cli:{user}", role=None)
