"""What is reviewed, by its chapters' procedures: whose turn it is, and what of it others see."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from server.applications import rules as applications
from server.applications.documents import Application
from server.corrections.documents import Correction
from server.corrections.rules import State as Correcting
from server.corrections.rules import Subject
from server.forgeries import rules as forgeries
from server.forgeries.documents import Forgery
from server.forgeries.documents import dated as forgery_days
from server.inspections import rules as inspections
from server.inspections.documents import Inspection
from server.inspections.documents import dated as inspection_days
from server.institutions.documents import BaseRequest
from server.institutions.rules import RequestState
from server.interruptions import rules as interruptions
from server.interruptions.documents import ClassChange
from server.kernel.identity import INSTITUTION_ROLES, Role
from server.kernel.permissions import Permission
from server.kernel.reviewed import Pending, pending
from server.kernel.reviews import CENTRE, PROVINCE
from server.moves import rules as moves
from server.moves.documents import Move
from server.plans import rules as plans
from server.plans import windows
from server.plans.documents import Plan
from server.qualification import service as qualification
from server.reissues import history as reissues
from server.reopenings import rules as reopenings
from server.reopenings.documents import Reopening
from server.schemes.documents import SchemeVersion
from server.schemes.rules import State as Scheming
from server.seals import rules as seals
from server.seals.documents import PAGE as SEALS
from server.seals.documents import Seal
from server.selection import rules as selection
from server.selection.documents import Nominee, PassList
from server.stock import paper_rules as papers
from server.stock.paper_documents import PaperRequest
from server.venues import rules as venues
from server.venues.documents import PlaceCheck

_ALWAYS: tuple[Pending, ...] = (
    *(
        one if one.told else replace(one, last_days=windows.last_days)
        for one in pending(Plan, plans.STEPS, "/admin/plans", Permission.PLANS_READ)
    ),
    *pending(Application, applications.STEPS, "/admin/applications", Permission.APPLICATIONS_READ),
    *pending(PlaceCheck, venues.STEPS, "/admin/places", Permission.VENUES_READ),
    *pending(ClassChange, interruptions.STEPS, "/admin/changes", Permission.INTERRUPTIONS_READ),
    *pending(Reopening, reopenings.STEPS, "/admin/reopenings", Permission.REOPENINGS_READ),
    *(
        replace(one, dated=forgery_days)
        for one in pending(Forgery, forgeries.STEPS, "/admin/forgeries", Permission.FORGERIES_READ)
    ),
    Pending(
        Forgery,
        CENTRE,
        {"institution_code": "", "open": True},
        "发证机构不明的证书举报",
        "/admin/forgeries",
        Permission.FORGERIES_READ,
        dated=forgery_days,
    ),
    *(
        replace(one, dated=inspection_days)
        for one in pending(Inspection, inspections.STEPS, "/admin/inspections", Permission.INSPECTIONS_READ)
    ),
    *pending(PaperRequest, papers.STEPS, "/admin/stock", Permission.STOCK_READ),
    *pending(Seal, seals.STEPS, SEALS, Permission.SEALS_READ),
    *pending(Nominee, selection.STEPS, "/admin/selection", Permission.SELECTION_READ),
    *pending(PassList, selection.LIST_STEPS, "/admin/selection/lists", Permission.SELECTION_READ_LISTS),
    *(
        replace(one, turn="pending")
        for one in pending(Move, moves.STEPS, "/admin/moves", Permission.MOVES_READ)
    ),
    Pending(
        SchemeVersion,
        PROVINCE,
        {"newest": True, "state": Scheming.SUBMITTED},
        "待审核的培训方案",
        "/admin/schemes",
        Permission.SCHEMES_READ,
    ),
    *(
        Pending(
            Correction,
            frozenset({role}),
            {
                "state": Correcting.SUBMITTED,
                "subject": {"$in": [one.value for one in Subject if one.reviewer is role]},
            },
            "待审核的更正申请",
            "/admin/corrections",
            Permission.CORRECTIONS_READ,
        )
        for role in (Role.PROVINCE, Role.NATIONAL_CENTRE)
    ),
    Pending(
        Correction,
        INSTITUTION_ROLES,
        {"state": Correcting.RETURNED},
        "被退回的更正申请",
        "/admin/corrections",
        Permission.CORRECTIONS_READ,
    ),
    Pending(
        BaseRequest,
        CENTRE,
        {"state": RequestState.SUBMITTED},
        "待审核的基地推荐和资格申请",
        "/admin/recommendations",
        Permission.INSTITUTIONS_READ_REQUESTS,
    ),
    Pending(
        BaseRequest,
        PROVINCE,
        {"state": RequestState.DECLINED},
        "未核准的基地推荐和资格申请，请修改或撤回",
        "/admin/recommendations",
        Permission.INSTITUTIONS_READ_REQUESTS,
    ),
)


def in_turn(today: date) -> tuple[Pending, ...]:
    """Everything that is reviewed, and for whom it waits."""
    return (*_ALWAYS, *qualification.pending(today), *reissues.waiting(today))
