"""The web application: which module answers which address."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from desk import decided, final, home, lists, models, review, runs, truth, trying
from desk.desk import Desk
from desk.pages import HANDLED, complain

STATIC = Path(__file__).parent / "static"


def make_app(desk: Desk) -> Starlette:
    """Return the application of a desk, without the guard that decides who gets in."""
    routes = [
        *home.ROUTES,
        *runs.ROUTES,
        *review.ROUTES,
        *lists.ROUTES,
        *decided.ROUTES,
        *final.ROUTES,
        *truth.ROUTES,
        *models.ROUTES,
        *trying.ROUTES,
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    app = Starlette(routes=routes, exception_handlers=dict.fromkeys(HANDLED, complain))
    app.state.desk = desk
    return app
