"""What many would write instead of `serve`: FastAPI around scikit-learn, TF-IDF and logistic regression.

It runs in the environment of the benchmarks: `python -m benchmarks.served_peer train.csv PORT` learns from
all rows and answers with a process for each core.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request

from benchmarks.contenders import pickled, tfidf

MODEL_FOLDER = "BENCHMARK_PEER_MODEL"


def application() -> FastAPI:
    """Return the web application; each process reads the model anew."""
    model = pickled.load(Path(os.environ[MODEL_FOLDER]))
    app = FastAPI()

    @app.get("/ping")
    def ping() -> dict[str, str]:
        return {}

    @app.post("/invocations")
    async def invocations(request: Request) -> dict[str, list[dict[str, Any]]]:
        texts = [row["text"] for row in json.loads(await request.body())["instances"]]
        chances = model.predict_proba(texts)
        best = chances.argmax(axis=1)
        return {
            "predictions": [
                {"prediction": str(model.classes_[label]), "confidence": round(float(row[label]), 4)}
                for label, row in zip(best, chances, strict=True)
            ]
        }

    return app


def main() -> None:
    """Learn, and answer until a signal ends it."""
    train, port = Path(sys.argv[1]), int(sys.argv[2])
    folder = train.parent / "peer"
    folder.mkdir(exist_ok=True)
    pickled.save(tfidf.train(train, {"linear": "logistic"}, folder), folder)
    os.environ[MODEL_FOLDER] = str(folder)
    cores = len(os.sched_getaffinity(0))
    uvicorn.run(
        "benchmarks.served_peer:application",
        factory=True,
        host="127.0.0.1",
        port=port,
        workers=cores,
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
