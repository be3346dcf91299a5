"""What the platform is, role by role, for whoever comes to it for the first time; with pictures where somebody has made them."""

from __future__ import annotations

from admin.handler import PageHandler
from admin.rendering import STATIC
from server.kernel.permissions import Permission
from server.kernel.web import Route, allow

PICTURES = STATIC / "pictures"
"""Made by scripts/pictures of a demonstration's fictional people; not in git."""


class Tour(PageHandler):
    @allow(Permission.ANYONE)
    def get(self) -> None:
        self.render_page("tour.html", pictures={file.stem for file in PICTURES.glob("*.png")})


ROUTES: list[Route] = [("/tour", Tour)]
