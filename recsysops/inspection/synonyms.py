"""What teams call the roles of the data contract. Written without separators: ``user_id``, ``userId``, ``USER-ID`` → userid."""

from __future__ import annotations

import re
from functools import cache

_ITEM = (
    (
        "itemid productid movieid titleid videoid trackid songid articleid contentid showid assetid docid documentid "
        "sku listingid newsid candidateid iid bookid gameid hotelid postid"
    ),
    "item product movie title video track song article entityid adid actionid candidate",
)
_MEMBER = (
    (
        "memberid userid customerid profileid accountid visitorid viewerid subscriberid uid personid userhash memberhash "
        "userkey shopperid"
    ),
    "member user customer clientid cookieid deviceid",
)
_REQUEST = (
    "requestid reqid req slateid queryid searchid impressionid impid recid recommendationid rid rankingid requestuuid",
    "request pageviewid viewid traceid sessionid eventid uuid query",
)
_TIME = (
    (
        "ts timestamp eventtime eventts eventtimestamp datetime requesttime requestts requesttimestamp servedat servingtime "
        "servingts loggedat logtime clickedat playedat occurredat eventdatetime unixtime"
    ),
    "time createdat at t date epoch eventdate servingdate",
)
_MODEL = ("modelid modelversion modelname modelkey rankerid rankerversion", "model ranker")
_AS_OF = (
    "asof asofdate snapshotdate snapshotat snapshotts validasof asofts",
    "day ds date updatedat eventdate ts partitiondate timestamp",
)

SYNONYMS: dict[str, dict[str, tuple[str, str]]] = {
    "candidates": {
        "request_id": _REQUEST,
        "ts": _TIME,
        "item_id": _ITEM,
        "member_id": _MEMBER,
        "position": (
            "position pos slot displayposition slotindex slateposition impressionposition",
            "rank place index row",
        ),
        "shown": (
            "shown isshown displayed isdisplayed impressed wasshown exposed isimpression",
            "viewed impression visible",
        ),
        "raw_score": ("rawscore modelscore logit scoreraw uncalibratedscore modeloutput", "rawprediction"),
        "score": (
            "score prediction predictedscore finalscore pctr yhat predscore rankscore rankingscore",
            "pred relevance probability prob scores",
        ),
        "raw_rank": ("rawrank modelrank", "rankraw rankbefore"),
        "final_rank": ("finalrank rerankedrank", "rankfinal rankafter"),
        "propensity": (
            "propensity pscore propensityscore actionprob actionprobability loggingprob loggingpropensity behaviorprob",
            "ps pi probshown",
        ),
        "model_id": _MODEL,
        "candidate_source": (
            "candidatesource retrievalsource retriever candidategenerator recallsource",
            "source generator",
        ),
        "filtered_by": ("filteredby filterreason filterrule removedby", "filter"),
        "override_generation": ("overridegeneration overrideversion", ""),
        "sampling_rate": ("samplingrate samplerate logsamplingrate", ""),
        "seed": ("seed randomseed requestseed", ""),
        "feature_schema": ("featureschema featureversion featuresetversion featureschemaversion", ""),
        "host": ("host hostname servinghost", "server pod node machine"),
        "client_version": ("clientversion appversion", ""),
        "consumer": ("consumer", "caller"),
        "experiment_arm": (
            "experimentarm variant treatment abgroup experimentgroup testgroup abvariant",
            "arm experiment cell",
        ),
        "fallback": ("fallback isfallback usedfallback", ""),
        "latency_ms": ("latencyms latency responsetimems servinglatencyms", "duration"),
        "price": ("price itemprice", "cost"),
    },
    "outcomes": {
        "ts": _TIME,
        "item_id": _ITEM,
        "member_id": _MEMBER,
        "request_id": _REQUEST,
        "kind": (
            "kind eventtype outcometype action actiontype interactiontype behavior behaviour",
            "type event outcome",
        ),
        "value": (
            "value rating watchtime minutes revenue dwelltime playtime durationseconds watchseconds",
            "duration amount seconds weight price",
        ),
        "origin": ("origin referrer", "source surface"),
        "ingested_at": ("ingestedat ingesttime ingestionts ingestts ingestiontime receivedat loadedat", "processedat"),
    },
    "items": {
        "item_id": (_ITEM[0], f"id {_ITEM[1]}"),
        "launch_at": (
            "launchat launchdate releasedate publishedat publishdate premieredate golivedate launchts",
            "launch availablefrom release createdat",
        ),
        "expected_audience": ("expectedaudience audienceforecast plannedaudience", "audience"),
        "tier": ("tier importance", "priority"),
        "owner": ("owner ownerteam itemteam", "team"),
        "as_of": _AS_OF,
    },
    "availability": {
        "item_id": (_ITEM[0], f"id {_ITEM[1]}"),
        "market": ("market country countrycode territory region marketid", "locale"),
        "from": ("from startdate availablefrom windowstart validfrom startsat startts fromts", "start begin"),
        "to": ("to enddate availableto availableuntil windowend validto endsat endts tots", "end until"),
    },
    "item_features": {
        "key": (f"key entityid {_ITEM[0]}", f"id {_ITEM[1]}"),
        "as_of": _AS_OF,
        "available_at": ("availableat computedat writtenat publishedat", "createdat processedat loadedat"),
    },
    "member_features": {
        "key": (f"key entityid {_MEMBER[0]}", f"id {_MEMBER[1]}"),
        "as_of": _AS_OF,
        "available_at": ("availableat computedat writtenat publishedat", "createdat processedat loadedat"),
    },
    "models": {
        "model_id": (_MODEL[0], f"{_MODEL[1]} id name"),
        "path": ("path artifactpath artifacturi modelpath modeluri", "uri artifact file location"),
        "sha256": ("sha256 digest artifactsha256", "checksum hash"),
        "features": ("features featurenames featurelist", ""),
        "trained_at": ("trainedat trainingtime trainingdate traineddate", "createdat ts timestamp"),
        "training_start": ("trainingstart trainstart trainfrom", ""),
        "training_end": ("trainingend trainend trainto", ""),
        "training_rows": ("trainingrows ntrain trainrows", "nrows rows"),
        "code_version": ("codeversion gitsha gitcommit", "commit revision"),
    },
    "changes": {
        "ts": (f"{_TIME[0]} deployedat changedat appliedat", _TIME[1]),
        "kind": ("kind changetype", "type eventtype event"),
        "scope": ("scope component", "service target"),
        "rollout": ("rollout rolloutrate rolloutshare", "traffic rolloutpct"),
    },
}
"""table: role: (names that mean it, names that may mean it)."""

_UNITS = ("millis", "micros", "utc", "iso", "ms", "us", "ns", "sec", "s", "dt")
_STRONG, _WEAK, _TAIL = 0.9, 0.55, 0.65


def squash(name: str) -> str:
    """A column name without case and separators.

    Example:
        >>> squash("userId"), squash("user_id"), squash("USER-ID")
        ('userid', 'userid', 'userid')
    """
    return re.sub(r"[^0-9a-z]+", "", name.casefold())


def tokens(name: str) -> tuple[str, ...]:
    """The words of a column name.

    Example:
        >>> tokens("eventTimeUTC"), tokens("is_default.x1")
        (('event', 'time', 'utc'), ('is', 'default', 'x1'))
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return tuple(re.findall(r"[0-9a-z]+", spaced.casefold()))


def name_score(table: str, role: str, column: str) -> float:
    """How well a column's name says that it plays the role, in [0, 1]."""
    bare = squash(column)
    if bare == squash(role):
        return 1.0
    strong, weak = _words(table, role)
    words = tokens(column)
    stems = [bare] + (["".join(words[:-1])] if len(words) > 1 and words[-1] in _UNITS else [])
    stems += [bare[:-1]] if bare.endswith("s") and len(bare) > 4 else []
    for stem in stems:
        if stem in strong or stem == squash(role):
            return _STRONG
        if stem in weak:
            return _WEAK
    tails = {"".join(words[start:]) for start in range(1, len(words))}
    return _TAIL if any(len(tail) >= 5 and tail in strong for tail in tails) else 0.0


@cache
def _words(table: str, role: str) -> tuple[frozenset[str], frozenset[str]]:
    strong, weak = SYNONYMS.get(table, {}).get(role, ("", ""))
    return frozenset(strong.split()), frozenset(weak.split())
