"""Every page, chapter by chapter."""

from __future__ import annotations

from admin.handler import UnknownPage
from admin.handlers import (
    accounts,
    admissions,
    allocation,
    applications,
    assessment,
    attendance,
    audit,
    backbone,
    certificates,
    classes,
    corrections,
    duties,
    home,
    institutions,
    invitations,
    messages,
    jobs,
    plans,
    policies,
    recommendations,
    rosters,
    schemes,
    surveys,
)
from server.kernel.web import Route

ROUTES: list[Route] = [
    *home.ROUTES,
    *accounts.ROUTES,
    *allocation.ROUTES,
    *institutions.ROUTES,
    *recommendations.ROUTES,
    *corrections.ROUTES,
    *backbone.ROUTES,
    *duties.ROUTES,
    *plans.ROUTES,
    *applications.ROUTES,
    *classes.ROUTES,
    *rosters.ROUTES,
    *admissions.ROUTES,
    *invitations.ROUTES,
    *policies.ROUTES,
    *audit.ROUTES,
    *messages.ROUTES,
    *jobs.ROUTES,
    *assessment.ROUTES,
    *schemes.ROUTES,
    *attendance.ROUTES,
    *surveys.ROUTES,
    *certificates.ROUTES,
]
NOT_FOUND = UnknownPage
