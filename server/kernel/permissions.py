"""What may be done, and which role may do it: deny by default.

A permission says nothing about whose documents: that is the jurisdiction, inside every query.
"""

from __future__ import annotations

from enum import StrEnum

from server.kernel.errors import Forbidden, NotSignedIn
from server.kernel.identity import INSTITUTION_ROLES, Actor, Role


class Permission(StrEnum):
    """`chapter:action`, in alphabetical order. ANYONE needs no sign-in; PHONE is any phone that has logged in, bound or not."""

    ACCOUNTS_ALLOCATE = "accounts:allocate"
    ACCOUNTS_OWN = "accounts:own"
    ACCOUNTS_RELEASE_BINDING = "accounts:release-binding"
    ANYONE = "anyone"
    ASSESSMENT_GRADE = "assessment:grade"
    ASSESSMENT_MANAGE = "assessment:manage"
    ASSESSMENT_READ = "assessment:read"
    ASSESSMENT_RELEASE = "assessment:release"
    ASSESSMENT_SUBMIT = "assessment:submit"
    ATTENDANCE_CHECK_IN = "attendance:check-in"
    ATTENDANCE_MANAGE = "attendance:manage"
    ATTENDANCE_READ = "attendance:read"
    ATTENDANCE_SHOW_CODE = "attendance:show-code"
    ATTENDANCE_TEACH = "attendance:teach"
    AUDIT_READ = "audit:read"
    BACKBONE_READ = "backbone:read"
    BACKBONE_REGISTER = "backbone:register"
    CERTIFICATES_FETCH = "certificates:fetch"
    CERTIFICATES_ISSUE = "certificates:issue"
    CERTIFICATES_READ = "certificates:read"
    CLASSES_ATTEND = "classes:attend"
    CLASSES_MANAGE = "classes:manage"
    CLASSES_READ = "classes:read"
    CLASSES_TEACH = "classes:teach"
    INSTITUTIONS_READ = "institutions:read"
    PHONE = "phone"
    POLICIES_CHANGE = "policies:change"
    POLICIES_READ = "policies:read"
    SURVEYS_ANSWER = "surveys:answer"
    SURVEYS_MANAGE = "surveys:manage"
    SURVEYS_OWN_MEANS = "surveys:own-means"
    SURVEYS_READ = "surveys:read"


_STAFF = frozenset(
    {
        Permission.ACCOUNTS_OWN,
        Permission.ASSESSMENT_READ,
        Permission.ATTENDANCE_READ,
        Permission.BACKBONE_READ,
        Permission.CERTIFICATES_READ,
        Permission.CLASSES_READ,
        Permission.INSTITUTIONS_READ,
        Permission.POLICIES_READ,
        Permission.SURVEYS_READ,
    }
)
_INSTITUTION = _STAFF | {
    Permission.ACCOUNTS_RELEASE_BINDING,
    Permission.ASSESSMENT_MANAGE,
    Permission.ASSESSMENT_RELEASE,
    Permission.ATTENDANCE_MANAGE,
    Permission.ATTENDANCE_SHOW_CODE,
    Permission.CERTIFICATES_ISSUE,
    Permission.CLASSES_MANAGE,
    Permission.SURVEYS_MANAGE,
}
_TRAINEE = frozenset(
    {
        Permission.ASSESSMENT_SUBMIT,
        Permission.ATTENDANCE_CHECK_IN,
        Permission.CERTIFICATES_FETCH,
        Permission.CLASSES_ATTEND,
        Permission.SURVEYS_ANSWER,
    }
)

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.NATIONAL_CENTRE: _STAFF
    | {
        Permission.ACCOUNTS_ALLOCATE,
        Permission.AUDIT_READ,
        Permission.BACKBONE_REGISTER,
        Permission.POLICIES_CHANGE,
    },
    Role.PROVINCE: _STAFF,
    Role.TRAINING_CENTRE: _INSTITUTION,
    Role.TRAINING_BASE: _INSTITUTION,
    Role.BACKBONE_TEACHER: frozenset(
        {
            Permission.ASSESSMENT_GRADE,
            Permission.ATTENDANCE_TEACH,
            Permission.CLASSES_TEACH,
            Permission.SURVEYS_OWN_MEANS,
        }
    ),
    Role.TRAINEE: _TRAINEE,
}

assert INSTITUTION_ROLES <= ROLE_PERMISSIONS.keys()


def holds(actor: Actor, permission: Permission) -> bool:
    if permission is Permission.ANYONE:
        return True
    if permission is Permission.PHONE:
        return actor.kind == "person"
    return any(permission in ROLE_PERMISSIONS[role] for role in actor.roles)


def require(actor: Actor, permission: Permission) -> None:
    """Raises NotSignedIn for somebody unknown, Forbidden for somebody known whose roles lack the permission."""
    if holds(actor, permission):
        return
    raise NotSignedIn() if actor.kind == "anybody" else Forbidden()
