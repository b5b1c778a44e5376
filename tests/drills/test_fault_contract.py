"""Every built-in fault against every check of the public suite; and faults that break each rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pytest
from example_faults import Moths

from recsysops import registry
from recsysops.drills.fault import Fault, Moment, Truth
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site
from recsysops.testing.check_fault import Check, check_fault, fault_checks
from recsysops.testing.example_site import bare_sites, example_site

FAULTS = [plugin for plugin in registry.plugins("faults") if plugin.origin == "recsysops"]


@pytest.mark.parametrize("check", fault_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("plugin", FAULTS, ids=lambda plugin: plugin.name)
def test_fault(plugin: registry.Plugin, check: Check) -> None:
    check(plugin.load())


@pytest.mark.parametrize("plugin", FAULTS, ids=lambda plugin: plugin.name)
def test_it_is_registered_by_its_name(plugin: registry.Plugin) -> None:
    assert plugin.load().meta.name == plugin.name


def test_a_fault_of_somebody_else_passes() -> None:
    check_fault(Moths)


def test_every_check_is_listed() -> None:
    from recsysops.testing import check_fault as module

    named = {name for name in vars(module) if name.startswith("check_")} - {"check_fault"}
    assert {check.__name__ for check in fault_checks()} == named


@dataclass(frozen=True)
class Undocumented(Moths):
    """Bad."""


@dataclass(frozen=True)
class Misspelt(Moths):
    """A fault with a method that is nearly a seam."""

    def own_candidate(self, rows: Rows, moment: Moment) -> Rows:
        return rows


@dataclass(frozen=True)
class Careless(Moths):
    """A fault that wants a feature without looking for one."""

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        return cls(min(severity, 1.0), site.features("numeric")[0])


@dataclass(frozen=True)
class Boundless(Moths):
    """A fault whose severity knows no bounds."""

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        return replace(super().choose(severity, site, rng), severity=severity)


@dataclass(frozen=True)
class Moody(Moths):
    """A fault that chooses by a random generator of its own."""

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        return super().choose(severity, site, np.random.default_rng())


@dataclass(frozen=True)
class Vague(Moths):
    """A fault that does not know the tables of the contract."""

    def truth(self) -> Truth:
        return Truth((self.column,), ("features.everything",))


@dataclass(frozen=True)
class Invisible(Moths):
    """A fault that theory sees at any size."""

    def visible(self, site: Site) -> float:
        return 0.0


@dataclass(frozen=True)
class InPlace(Moths):
    """A fault that writes into the rows of others."""

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        rows[self.column][0] += 1.0
        return rows


@dataclass(frozen=True)
class Fickle(Moths):
    """A fault that does something else each time."""

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        return rows.with_null(self.column, np.random.default_rng().random(len(rows)) < self.severity)


@dataclass(frozen=True)
class Forgetful(Moths):
    """A fault that makes rows of its own."""

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        return Rows({name: rows[name] for name in rows if name.isidentifier()})


@dataclass(frozen=True)
class Deaf(Moths):
    """A fault that takes no notice of its severity."""

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        return rows.with_null(self.column, np.arange(len(rows)) % 2 == 0)


@dataclass(frozen=True)
class Crashing(Moths):
    """A fault that fails while it acts."""

    def own_candidates(self, rows: Rows, moment: Moment) -> Rows:
        return rows.with_null("no such column", rows["no such column"])


BAD: list[tuple[type[Any], str]] = [
    (Undocumented, r"first line 'Bad\.'"),
    (Misspelt, "own_candidate: no seam; did you mean own_candidates"),
    (Careless, "bare site 0: IndexError"),
    (Boundless, r"expected at most 1\.0 \(most\)"),
    (Moody, "two choices differ"),
    (Vague, r"touches 'features\.everything': expected table\.column"),
    (Invisible, r"visible (is )?0\.0"),
    (InPlace, "changed the rows it was given"),
    (Fickle, "two calls differ"),
    (Forgetful, "columns are lost"),
    (Deaf, "expected next to none at the first"),
    (Crashing, "features: KeyError"),
]


@pytest.mark.parametrize(("fault", "complaint"), BAD, ids=lambda one: getattr(one, "__name__", ""))
def test_a_bad_fault_fails_with_the_reason(fault: type[Fault], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_fault(fault)


def test_a_target_beyond_what_makes_sense_is_refused() -> None:
    class Greedy(Moths):
        """A fault with a target that cannot be."""

        meta = replace(Moths.meta, target=2.0)

    with pytest.raises(AssertionError, match="target"):
        check_fault(Greedy)


def test_the_example_site_has_what_faults_look_for() -> None:
    site = example_site()
    assert {facts.per for facts in site.columns.values()} == {"member", "item", "row"}
    assert all(facts.sd > 0 for facts in site.columns.values() if facts.kind == "numeric")
    assert len(site.item_ids) == site.n_items == 40
    assert len({repr(one) for one in bare_sites()}) == len(bare_sites())
