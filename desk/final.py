"""The end of a review: how much is left, and the file with all decisions."""

import tempfile
from pathlib import Path
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from contract.queue import NONE_OF_THESE
from desk.pages import desk_of, page
from workflow import final


def show(request: Request) -> Response:
    """Answer with what is decided and what is open."""
    desk, run = desk_of(request), request.path_params["run"]
    reader, found = desk.reader(run), desk.glance(run)
    decisions = reader.refresh()
    results = found.data.get("results") if found else None
    counts = final.expected(results, decisions) if results else None
    return page(
        request,
        "final.html",
        run=run,
        reader=reader,
        said=final.sentence(counts) if counts else "",
        uncategorized=sum(each.category == NONE_OF_THESE for each in decisions),
    )


def download(request: Request) -> Response:
    """Answer with the final file, which is made now."""
    desk, run = desk_of(request), request.path_params["run"]
    folder = tempfile.TemporaryDirectory(prefix="claimflow-desk-")
    try:
        path, _ = final.write(desk.account, desk.stack, desk.folder(run), Path(folder.name))
    except BaseException:
        folder.cleanup()
        raise
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(path.name)}"}
    return FileResponse(
        path, media_type="text/csv", headers=headers, background=BackgroundTask(folder.cleanup)
    )


ROUTES = [Route("/runs/{run}/final", show), Route("/runs/{run}/final.csv", download)]
