"""Every page, chapter by chapter."""

from __future__ import annotations

from admin.handler import UnknownPage
from admin.handlers import accounts, classes, surveys
from server.kernel.web import Route

ROUTES: list[Route] = [
    *accounts.ROUTES,
    *classes.ROUTES,
    *surveys.ROUTES,
]
NOT_FOUND = UnknownPage
