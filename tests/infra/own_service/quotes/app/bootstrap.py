"""What the kit starts on both lanes."""

from quotes.web import app
from starlette.applications import Starlette


def create_app() -> Starlette:
    """Called once in each process; any ASGI app will do."""
    return app
