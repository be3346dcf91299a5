"""Every page, chapter by chapter."""

from __future__ import annotations

from admin.handler import UnknownPage
from admin.handlers import (
    accounts,
    allocation,
    assessment,
    attendance,
    audit,
    backbone,
    certificates,
    classes,
    home,
    institutions,
    policies,
    rosters,
    surveys,
)
from server.kernel.web import Route

ROUTES: list[Route] = [
    *home.ROUTES,
    *accounts.ROUTES,
    *allocation.ROUTES,
    *institutions.ROUTES,
    *backbone.ROUTES,
    *classes.ROUTES,
    *rosters.ROUTES,
    *policies.ROUTES,
    *audit.ROUTES,
    *assessment.ROUTES,
    *attendance.ROUTES,
    *surveys.ROUTES,
    *certificates.ROUTES,
]
NOT_FOUND = UnknownPage
