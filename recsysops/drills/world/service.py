"""The simulated service: day after day from upstream tables to plays and logs, weekly retrained on what it logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from recsysops.drills.fault import Planted
from recsysops.drills.rows import Column, Rows
from recsysops.drills.world import demand, feature_store, labels, plays, policy, retrieval, training, truth, upstream
from recsysops.drills.world.benign.schedule import schedule, with_events_items, with_events_members
from recsysops.drills.world.catalogue import Items, items
from recsysops.drills.world.change_log import changes
from recsysops.drills.world.feature_store import EMBEDDING, Snapshots
from recsysops.drills.world.files import ARCHIVE, LOGS, write_part, write_workspace
from recsysops.drills.world.population import Floats, Population, members
from recsysops.drills.world.ranker import WARM_UP, Fitted, fit
from recsysops.drills.world.serving import Served, Serving
from recsysops.drills.world.serving_log import logged
from recsysops.drills.world.size import WorldSize
from recsysops.drills.world.state import Lineup, State, load, save
from recsysops.drills.world.taps import Taps
from recsysops.drills.world.upstream import midnight

FIRST_TRAINING = 14
AVAILABLE_HOURS = 3
"""The night's snapshot can be read from 03:00 UTC."""
CODE_VERSION = "ranker-2026.08"
ATTENTION_FADE = 0.2
"""Impressions count in play rates as the team believes they are looked at: 1 / (1 + fade × (position − 1))."""


@dataclass(frozen=True)
class Day:
    """One day's work in hand."""

    number: int
    date: date
    taps: Taps
    root: str
    """Folder of its partitions: the logs, or the archive of the warm-up."""


class Service:
    """One recommender service and its files below ``folder``, which is a workspace.

    Everything follows from size, seed and what is planted; days are simulated in order.
    """

    def __init__(self, folder: Path, size: WorldSize, seed: int, state: State) -> None:
        self.folder, self.size, self.seed = folder, size, seed
        self._state = state
        drawn_members, drawn_items = members(size, seed), items(size, seed)
        self.benign = schedule(size, seed, drawn_members, drawn_items)
        self._members: Population = with_events_members(drawn_members, self.benign)
        self._items: Items = with_events_items(drawn_items, self.benign)
        self._vectors: Floats = feature_store.encoded(self._items.taste, seed)

    @classmethod
    def begin(cls, folder: Path, size: WorldSize, seed: int) -> Service:
        """A new service after its warm-up: the next day is the first of the log."""
        folder.mkdir(parents=True, exist_ok=True)
        write_workspace(folder, "streaming")
        service = cls(folder, size, seed, _empty(size, seed))
        truth.write_tastes(folder, service._members, service._items)
        for _ in range(size.warm_up_days):
            service.run_day()
        return service

    @classmethod
    def resume(cls, checkpoint: Path, folder: Path) -> Service:
        """Go on from a checkpoint, in a folder that holds the files of the days before it."""
        state, size, seed = load(checkpoint)
        return cls(folder, size, seed, state)

    def save(self, checkpoint: Path) -> None:
        """Keep the state between two days in a folder."""
        save(self._state, self.size, self.seed, checkpoint)

    @property
    def next_day(self) -> date:
        """The day that ``run_day`` will simulate."""
        return self.size.begin + timedelta(days=self._state.number)

    def run_day(self, planted: Sequence[Planted] = ()) -> date:
        """Simulate the next day with what is planted, and write its partitions."""
        number, today = self._state.number, self.next_day
        root = ARCHIVE if today < self.size.first_day else LOGS
        day = Day(number, today, Taps((*self.benign, *planted), today), root)
        profiles = day.taps("profiles", upstream.profiles(self._members, self.size, number))
        catalogue = day.taps("catalogue", upstream.catalogue(self._items, self.size, number))
        events = day.taps("events", _recent(self._state.events, self.size, number))
        store = self._night(day, catalogue, profiles, events)
        lineup = self._train(day)
        rules = day.taps("policy", policy.rules(self._items, self.size, self.seed, number))
        requests = self._requests(day)
        serving = Serving(self.folder, self.size, self.seed, number, self._items, day.taps)
        built = day.taps("index", retrieval.index(store.items).with_columns(item_id=store.items["key"]))
        served = serving.serve(requests, store, built, profiles, events, lineup, rules)
        outcomes = self._watch(day, requests, served)
        self._log(day, requests, served, catalogue)
        self._note(day, lineup, rules)
        self._state = self._after(lineup, store, events, outcomes, served, rules)
        return today

    def _night(self, day: Day, catalogue: Rows, profiles: Rows, events: Rows) -> Snapshots:
        """Build the night's snapshots and write them: items whole, members where something changed.

        The last night before the log is written whole and belongs to it: until 03:00 the first day is served from it.
        """
        vectors = np.where((self._items.filled["embedding"] <= day.number)[:, None], self._vectors, np.nan)
        item_rows = day.taps(
            "item_features",
            feature_store.item_features(catalogue, events, self._state.impressions, vectors, self.size, day.number),
        )
        member_rows = day.taps(
            "member_features", feature_store.member_features(profiles, events, item_rows, self.size, day.number)
        )
        item_rows, member_rows = self._materialised(day, item_rows, member_rows)
        is_eve = day.date == self.size.first_day - timedelta(days=1)
        before = self._state.members
        changed = member_rows if is_eve else member_rows.take(_is_changed(member_rows, before))
        root = LOGS if is_eve else day.root
        for name, rows in (("item_features", item_rows), ("member_features", changed)):
            write_part(self.folder, name, day.date, self._stamped(day, rows), root)
        has_before = len(before) > 0
        return Snapshots(
            item_rows, member_rows, self._state.items if has_before else item_rows, before if has_before else member_rows,
            midnight(self.size, day.number) + np.timedelta64(AVAILABLE_HOURS, "h"),
        )  # fmt: skip

    def _materialised(self, day: Day, item_rows: Rows, member_rows: Rows) -> tuple[Rows, Rows]:
        """What the store takes over tonight: the new values, or last night's once more where a table is stuck."""
        tables = np.array(["item_features", "member_features"], object)
        taken = day.taps("materialisation", Rows({"table": tables, "is_new": np.array([True, True])}))["is_new"]
        has_before = len(self._state.items) > 0
        return (
            item_rows if taken[0] or not has_before else self._state.items,
            member_rows if taken[1] or not has_before else self._state.members,
        )

    def _stamped(self, day: Day, rows: Rows) -> Rows:
        """Feature rows as they are written: with their key, when they became true and when they could be read."""
        at = midnight(self.size, day.number)
        times = {
            "as_of": np.full(len(rows), at),
            "available_at": np.full(len(rows), at + np.timedelta64(AVAILABLE_HOURS, "h")),
        }
        return rows.without("item", "member").with_columns(**times)

    def _train(self, day: Day) -> Lineup:
        """Retrain on Mondays; the model of last Monday has all traffic by then."""
        lineup = self._state.lineup
        if lineup.canary and lineup.since < day.number - 1:
            lineup = Lineup(lineup.canary)
        is_due = day.date.weekday() == 0 and day.number >= FIRST_TRAINING
        trainer = day.taps("training", training.trainer(day.date, is_due=is_due))
        if not trainer["is_due"][0]:
            return lineup
        first, last = training.window(day.date)
        rows = day.taps("training_rows", training.training_rows(self.folder, first, last))
        held_out = training.is_held_out(rows, rows["day"].max().item())
        name = f"m-{day.date.isoformat()}"
        fitted = fit(rows, rows["label"], rows["weight"], held_out, trainer, name, self.folder)
        self._register(day, fitted, rows)
        is_first = lineup.current == WARM_UP
        return Lineup(name) if is_first else Lineup(lineup.current, name, day.number)

    def _register(self, day: Day, fitted: Fitted, rows: Rows) -> None:
        """A row in the model registry."""
        from recsysops.drills.world.features import MODEL_FEATURES

        facts: dict[str, Column] = {
            "model_id": np.array([fitted.model_id], object),
            "path": np.array([fitted.path], object),
            "sha256": np.array([fitted.sha256], object),
            "features": np.array([",".join(MODEL_FEATURES)], object),
            "trained_at": np.array([midnight(self.size, day.number) + np.timedelta64(4, "h")]),
            "training_start": np.array([rows["day"].min()]).astype("datetime64[us]"),
            "training_end": np.array([rows["day"].max()]).astype("datetime64[us]"),
            "training_rows": np.array([fitted.n_rows]),
            "code_version": np.array([CODE_VERSION], object),
            "auc": np.array([round(fitted.auc, 5)]),
        }
        write_part(self.folder, "models", day.date, Rows(facts))

    def _requests(self, day: Day) -> Rows:
        expected = day.taps("demand", demand.demand(self.size, self.seed, day.number, day.date))
        rows = day.taps("requests", demand.requests(self._members, expected, self.size, self.seed, day.number))
        return rows.with_columns(request=np.arange(len(rows)))

    def _watch(self, day: Day, requests: Rows, served: Served) -> Rows:
        """What members do, and what of it the label pipeline delivers; writes what arrived today."""
        likes = day.taps("liking", plays.liking(self._items, day.number, day.date))
        odds = plays.appeal(self._members, self._items, likes, requests["member"])
        looks = day.taps("layout", plays.layout())
        from_slates = plays.from_slates(requests, served.ranked, looks, odds, self._items, self.seed, day.number)
        searched = plays.from_search(self._members, self._items, likes, len(requests), self.size, self.seed, day.number)
        played = day.taps("plays", from_slates.followed_by(searched))
        if day.root == LOGS:
            slate_plays = played.take(played["request"] >= 0)
            earned = truth.earned(requests, slate_plays, odds, served.eligible, self._items)
            write_part(self.folder, "items_earned", day.date, earned, truth.TRUTH)
        fresh = labels.delivered(requests, played, self._members, self._items, self.seed, day.number)
        return self._arrived(day, day.taps("labels", fresh))

    def _arrived(self, day: Day, fresh: Rows) -> Rows:
        """Write the outcomes that reached the log today, give back all that are known, early ones first."""
        pending = self._state.pending
        known = pending.followed_by(fresh) if len(pending) else fresh
        known = known.take(np.argsort(known["ingested_at"], kind="stable"))
        today = known["ingested_at"] < midnight(self.size, day.number + 1)
        write_part(self.folder, "outcomes", day.date, known.take(today).without("member", "item"), day.root)
        return known

    def _log(self, day: Day, requests: Rows, served: Served, catalogue: Rows) -> None:
        """Write the serving log and the day's exports."""
        is_boosted = day.date >= self.size.end - timedelta(days=self.size.logged_days)
        rows = logged(requests, served.ranked, served.features, self._items, self.size, is_boosted=is_boosted)
        write_part(self.folder, "candidates", day.date, day.taps("log", rows), day.root)
        as_of = np.full(len(catalogue), midnight(self.size, day.number))
        write_part(self.folder, "items", day.date, catalogue.without("item").with_columns(as_of=as_of), day.root)
        write_part(self.folder, "availability", day.date, upstream.availability(self._items, self.size, day.number))

    def _note(self, day: Day, lineup: Lineup, rules: Rows) -> None:
        """Record the day's changes."""
        found = changes(lineup, list(rules["rule"]), self._state.known_rules, self.size, day.number)
        write_part(self.folder, "changes", day.date, day.taps("changes", found), day.root)

    def _after(
        self, lineup: Lineup, store: Snapshots, events: Rows, outcomes: Rows, served: Served, rules: Rows
    ) -> State:
        """The state between today and tomorrow."""
        tomorrow = midnight(self.size, self._state.number + 1)
        arrived = outcomes["ingested_at"] < tomorrow
        ranked = served.ranked
        seen = ranked.take(ranked["is_shown"])
        attention = 1 / (1 + ATTENTION_FADE * (seen["final_rank"] - 1))
        shown = np.bincount(seen["item"], attention, minlength=len(self._items))
        kept = self._state.events
        return replace(
            self._state,
            number=self._state.number + 1,
            lineup=lineup,
            events=_recent(kept.followed_by(labels.events(outcomes.take(arrived))), self.size, self._state.number + 1),
            impressions=np.vstack([self._state.impressions[1:], shown]),
            items=store.items,
            members=store.members,
            pending=outcomes.take(~arrived),
            known_rules=tuple(rules["rule"]),
        )


def _empty(size: WorldSize, seed: int) -> State:
    """Before the first day: nothing is known of anybody."""
    none = np.zeros(0, np.int64)
    events = Rows(
        {
            "member": none,
            "item": none,
            "ts": np.zeros(0, "datetime64[us]"),
            "origin": np.zeros(0, object),
            "minutes": np.zeros(0),
        }
    )
    n_items = len(items(size, seed))
    return State(0, Lineup(WARM_UP), events, np.zeros((7, n_items)), Rows({}), Rows({}), Rows({}))


def _recent(events: Rows, size: WorldSize, number: int) -> Rows:
    """Plays of the last four weeks before a day."""
    return events.take(feature_store.days_before(events["ts"], size, number) <= feature_store.WINDOW_DAYS)


def _is_changed(rows: Rows, before: Rows) -> Column:
    """Members whose features are not what they were last night."""
    if not len(before):
        return np.ones(len(rows), bool)
    at = np.full(int(max(rows["member"].max(initial=0), before["member"].max(initial=0))) + 1, -1)
    at[before["member"]] = np.arange(len(before))
    place = at[rows["member"]]
    changed = place < 0
    for name in rows:
        if name not in {"member", "key"}:
            now, then = rows[name], before[name][place]
            same = (now == then) | ((now != now) & (then != then))  # NaN and NaT differ from themselves
            changed |= ~np.asarray(same, bool)
    return changed


__all__ = ["EMBEDDING", "Service", "WorldSize"]
