"""Load a registered model as data: text only, its digest checked, nothing executed or unpickled."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from recsysops.errors import SourceError
from recsysops.models.artifact import Artifact
from recsysops.models.calibration import Calibration, calibration_of
from recsysops.models.places import artifact_path
from recsysops.models.registration import Registration
from recsysops.models.side_files import CALIBRATION, SCHEMA, FeatureSchema, read_document, schema_of, side_file
from recsysops.models.tree_text import Trees, read_trees


def load_artifact(registration: Registration, root: Path, trusted: Sequence[Path] = ()) -> Artifact:
    """Read a model's text and the files beside it.

    Args:
        registration: its row of the ``models`` table. A registered ``sha256`` is that of the text file alone, or of the
            text, the schema and the calibration, one after the other.
        root: the workspace folder.
        trusted: further folders that model files may lie in.

    Raises:
        ConfigError: if the registered path is not allowed.
        SourceError: if the file is not there, is another than was registered, or cannot be a model.
    """
    where = f"model {registration.model_id}"
    path = artifact_path(registration.path, root, trusted, where=f"{where}: path")
    content = _content(path, where)
    beside = {kind: read_document(side_file(path, kind)) for kind in (SCHEMA, CALIBRATION)}
    digest = _digest(registration, content, [found[0] for found in beside.values() if found], where)
    text = _text(content, where)
    trees = read_trees(text, where)
    schema, calibration = FeatureSchema(), None
    if (found := beside[SCHEMA]) is not None:
        schema = schema_of(found[1], str(side_file(path, SCHEMA)))
    if (found := beside[CALIBRATION]) is not None:
        calibration = calibration_of(found[1], str(side_file(path, CALIBRATION)))
    return _artifact(registration, digest, trees, schema, calibration, text)


def _artifact(
    registration: Registration,
    digest: str,
    trees: Trees,
    schema: FeatureSchema,
    calibration: Calibration | None,
    text: str,
) -> Artifact:
    features, disagreements = _features(registration, trees, schema)
    return Artifact(
        registration,
        digest,
        features,
        schema.categories,
        schema.fill,
        schema.version,
        schema.raw_score,
        calibration,
        trees,
        disagreements,
        text,
    )


def _content(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(
            where,
            found=f"{path}: {error.strerror or error}",
            expected="the registered model file",
            next_step="put it there, or correct the path in the models table",
        ) from error


def _digest(registration: Registration, content: bytes, beside: list[bytes], where: str) -> str:
    """The digest of all parts; refuses a model that is not the one registered."""
    own, whole = hashlib.sha256(content), hashlib.sha256(content)
    for part in beside:
        whole.update(part)
    if registration.sha256 and registration.sha256 not in (own.hexdigest(), whole.hexdigest()):
        raise SourceError(
            where,
            found=f"a file with sha256 {own.hexdigest()[:16]}…",
            expected=f"{registration.sha256[:16]}… as registered",
            next_step="restore the file, or register the new artifact under a new model_id",
        )
    return whole.hexdigest()


def _text(content: bytes, where: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise SourceError(
            where,
            found="binary content",
            expected="a LightGBM model in text form",
            next_step="save it with save_model; pickled models are never loaded",
        ) from error


def _features(
    registration: Registration, trees: Trees, schema: FeatureSchema
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The features by the model file's own order — what its trees were grown on — and who says otherwise."""
    stated = {"the schema file": schema.features, "the models table": registration.features}
    has_names = any(name != f"Column_{place}" for place, name in enumerate(trees.features))
    fitting = [names for names in stated.values() if len(names) == len(trees.features)]
    features = trees.features if has_names or not fitting else fitting[0]
    problems = [f"{who} {_difference(names, features)}" for who, names in stated.items() if names and names != features]
    return features, tuple(problems)


def _difference(names: tuple[str, ...], features: tuple[str, ...]) -> str:
    if sorted(names) != sorted(features):
        absent, further = sorted(set(features) - set(names)), sorted(set(names) - set(features))
        return f"lists {len(names)} features, the model has {len(features)} (not listed: {absent[:3]}, not in it: {further[:3]})"
    place = next(at for at, (one, other) in enumerate(zip(names, features, strict=True)) if one != other)
    return f"has {names[place]} at place {place + 1} where the model has {features[place]}"
