"""What a fault needs of a log, and the one-line refusal where it is not there."""

from __future__ import annotations

from recsysops.drills.fault import CannotPlantError
from recsysops.drills.site import Site


def require_roles(fault: str, site: Site, *roles: str, table: str = "candidates") -> None:
    """Make sure that a table of the site has these roles.

    Raises:
        CannotPlantError: naming those that it lacks.
    """
    missing = [role for role in roles if not site.has(role, table=table)]
    if missing:
        names = ", ".join(missing)
        step = f"map {names} of {table} in recsysops.yaml, or leave this fault out"
        raise CannotPlantError(
            f"drill {fault}", found=f"{table} without the role {names}", expected="it", next_step=step
        )


def require(fault: str, found: str, expected: str, *, is_there: object) -> None:
    """Make sure that there is something to act on.

    Raises:
        CannotPlantError: if ``is_there`` is false or empty.
    """
    if not is_there:
        raise CannotPlantError(f"drill {fault}", found=found, expected=expected, next_step="leave this fault out here")
