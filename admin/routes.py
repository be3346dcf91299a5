"""Every page, chapter by chapter."""

from __future__ import annotations

from admin.handler import UnknownPage
from admin.handlers import (
    accounts,
    allocation,
    applications,
    assessment,
    audit,
    backbone,
    certificates,
    classes,
    home,
    institutions,
    invitations,
    plans,
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
    *plans.ROUTES,
    *applications.ROUTES,
    *classes.ROUTES,
    *rosters.ROUTES,
    *invitations.ROUTES,
    *policies.ROUTES,
    *audit.ROUTES,
    *assessment.ROUTES,
    *surveys.ROUTES,
    *certificates.ROUTES,
]
NOT_FOUND = UnknownPage
