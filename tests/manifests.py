"""Shard manifests for tests of the program predict."""

from collections.abc import Iterable

from contract.manifest import Manifest, Reading, Shard, Source


def manifest_text(output: str, shards: Iterable[Shard]) -> str:
    """Return the manifest of a prediction whose parts go to `output`, as validate writes it."""
    shards = tuple(shards)
    return Manifest(
        run="predict-x",
        output=output,
        source=Source("s3://uploads/predict/x.csv", None, "etag", 9),
        shards=shards,
        columns=("text",),
        text_column="text",
        label_column=None,
        rows=sum(shard.rows for shard in shards),
        rejected=0,
        rejected_uri="s3://results/x/x.rejected.csv",
        rejected_rows="s3://artifacts/runs/x/predict/rejected.csv",
        reading=Reading("csv", "utf-8", ",", byte_order_mark=False, sheet=None, described=""),
    ).text()
