"""Every call of the phones, chapter by chapter."""

from __future__ import annotations

from miniprogram_api import (
    accounts,
    added_hours,
    admissions,
    arrival,
    assessment,
    attendance,
    badges,
    certificates,
    classes,
    consents,
    duties,
    grading,
    handovers,
    home,
    inbox,
    invitations,
    ledger,
    me,
    my_class,
    needs,
    openapi,
    qualification,
    real_name,
    reissues,
    schemes,
    sessions,
    submissions,
    surveys,
    uploads,
    wechat,
    work_remarks,
)
from miniprogram_api.handler import UnknownPath
from server.kernel.web import Route

CALLS: list[Route] = [
    *attendance.ROUTES,  # routes are tried in turn, and no call is made as often as the check-in
    *added_hours.ROUTES,
    *accounts.ROUTES,
    *consents.ROUTES,
    *real_name.ROUTES,
    *me.ROUTES,
    *home.ROUTES,
    *inbox.ROUTES,
    *classes.ROUTES,
    *my_class.ROUTES,
    *admissions.ROUTES,
    *needs.ROUTES,
    *arrival.ROUTES,
    *invitations.ROUTES,
    *uploads.ROUTES,
    *assessment.ROUTES,
    *submissions.ROUTES,
    *grading.ROUTES,
    *sessions.ROUTES,
    *work_remarks.ROUTES,
    *schemes.ROUTES,
    *surveys.ROUTES,
    *duties.ROUTES,
    *qualification.ROUTES,
    *certificates.ROUTES,
    *reissues.ROUTES,
    *handovers.ROUTES,
    *badges.ROUTES,
]

ROUTES: list[Route] = [
    *CALLS,
    *wechat.ROUTES,  # called by WeChat, not by phones: not in the description
    *ledger.FOR_ANYBODY,
    *badges.FOR_ANYBODY,  # where the standards want them
    (r"/api/v1/openapi.json", openapi.Description, {"routes": CALLS}),
    (r"/api/.*", UnknownPath),
]
