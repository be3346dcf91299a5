"""Every route × everybody: who gets in, who is refused, and for whom a document does not exist.

The table is written by hand, beside the code it watches: a route that is missing from it fails the test, so that nobody adds a door
without saying who may open it. The class, its session, tasks and papers belong to 邢台技师学院 in 河北.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from server.__main__ import routes
from server.kernel.web import HTTP_METHODS, Route, access_of
from tests.security.visiting import FORBIDDEN, HIDDEN, IN, NOT_SIGNED_IN, OFFICERS, YANGZHOU, Visitors

CENTRE, HEBEI, JIANGSU = "centre", "hebei-sheng", "jiangsu-sheng"
XINGTAI, CHANGZHOU = "xingtai-009", "changzhou-017"
PHONES = ("unbound", "trainee", "other-trainee", "teacher", "other-teacher")

Outcomes = dict[str, str]


def staff(inside: str, hidden: str = "") -> Outcomes:
    """Officers who get in, officers for whom it does not exist; every other officer is refused, strangers must sign in."""
    outcomes = dict.fromkeys(OFFICERS, FORBIDDEN) | {"anybody": NOT_SIGNED_IN}
    return outcomes | dict.fromkeys(inside.split(), IN) | dict.fromkeys(hidden.split(), HIDDEN)


def phones(inside: str, hidden: str = "") -> Outcomes:
    """The same for phones."""
    outcomes = dict.fromkeys(PHONES, FORBIDDEN) | {"anybody": NOT_SIGNED_IN}
    return outcomes | dict.fromkeys(inside.split(), IN) | dict.fromkeys(hidden.split(), HIDDEN)


ANY_BROWSER = dict.fromkeys((*OFFICERS, "anybody"), IN)
ANY_CALLER = dict.fromkeys((*PHONES, "anybody"), IN)
CONTENT_OF_XINGTAI = staff(f"{CENTRE} {XINGTAI}", hidden=f"{YANGZHOU} {CHANGZHOU}")
UNSIGNED = dict.fromkeys((*PHONES, "anybody"), FORBIDDEN)  # only WeChat's signature opens it
UNSEALED = dict.fromkeys((*PHONES, "anybody"), HIDDEN)
ANY_PHONE = phones("unbound trainee other-trainee teacher other-teacher")
BOUND = phones("trainee other-trainee teacher other-teacher")
MY_CLASS = phones("trainee", hidden="other-trainee teacher other-teacher")
TEACHERS = phones("teacher other-teacher")
MY_TEACHING = phones("teacher", hidden="other-teacher")
MY_CASE = phones("teacher", hidden="unbound trainee other-trainee other-teacher")
ANY_STAFF = staff(f"{CENTRE} {HEBEI} {JIANGSU} {XINGTAI} {YANGZHOU} {CHANGZHOU}")
ONLY_CENTRE = staff(CENTRE)
INSTITUTIONS = staff(f"{XINGTAI} {YANGZHOU} {CHANGZHOU}")
PROVINCES = staff(f"{HEBEI} {JIANGSU}")
OF_HEBEI = staff(HEBEI, hidden=JIANGSU)
NOMINEE_OF_HEBEI = staff(f"{CENTRE} {HEBEI}", hidden=JIANGSU)
OF_XINGTAI = staff(XINGTAI, hidden=f"{YANGZHOU} {CHANGZHOU}")
OF_YANGZHOU = staff(f"{CENTRE} {YANGZHOU}", hidden=f"{HEBEI} {JIANGSU} {XINGTAI} {CHANGZHOU}")
IN_REACH = staff(f"{CENTRE} {HEBEI} {XINGTAI}", hidden=f"{JIANGSU} {YANGZHOU} {CHANGZHOU}")
OF_A_TEACHER = staff(f"{CENTRE} {HEBEI}", hidden=f"{JIANGSU} {XINGTAI} {YANGZHOU} {CHANGZHOU}")
IN_AGAIN = dict.fromkeys(("anybody",), NOT_SIGNED_IN)  # all have signed out by then
OWN_SESSION = staff("", hidden=" ".join(OFFICERS))  # somebody else's log-in does not exist

TABLE: dict[str, Outcomes] = {
    # ---- for everybody
    "GET /": ANY_BROWSER,
    "GET /healthz": ANY_CALLER,
    "GET /api/v1/openapi.json": ANY_CALLER,
    "POST /api/v1/login": ANY_CALLER,
    "POST /api/v1/certificate-queries": ANY_CALLER,
    "GET /api/v1/puzzles": ANY_CALLER,
    "GET /api/v1/pictures/{submission_id}/{file_id}": ANY_CALLER,  # only its link opens it
    "GET /.well-known/did.json": ANY_CALLER,
    "GET /credentials/status/{list_number}": ANY_CALLER,
    "GET /certificates/query": ANY_BROWSER,
    "POST /certificates/query": ANY_BROWSER,
    "GET /verify/{token}": ANY_BROWSER,
    "GET /certificates/check-file": ANY_BROWSER,
    "POST /certificates/check-file": ANY_BROWSER,
    "GET /verify/{token}/proof": ANY_CALLER,
    "GET /ledger": ANY_BROWSER,
    "GET /ledger/roots": ANY_CALLER,
    "GET /ledger/consistency": ANY_CALLER,
    "GET /certificates/report": ANY_BROWSER,
    "POST /certificates/report": ANY_BROWSER,
    "GET /certificates/report/status": ANY_BROWSER,
    "POST /certificates/report/status": ANY_BROWSER,
    "GET /certificates/authority.pem": ANY_BROWSER,
    "GET /V/{token}": ANY_BROWSER,
    "GET /tour": ANY_BROWSER,
    "GET /admin/login": ANY_BROWSER,
    "GET /admin/session": ANY_BROWSER,
    "POST /admin/login": ANY_BROWSER,
    "GET /admin/login/code": ANY_BROWSER,  # leads to the first step without a half sign-in
    "POST /admin/login/code": ANY_BROWSER,
    "POST /simulator/phones/{openid}/code": ANY_CALLER,
    "POST /simulator/phones/{openid}/phone-number-code": ANY_CALLER,
    "GET /simulator": ANY_BROWSER,  # mounted only while WeChat is simulated
    "GET /simulator/phones/{openid}": ANY_BROWSER,
    "GET /simulator/phones/{openid}/grants/{template_id}": ANY_BROWSER,
    "POST /simulator/phones/{openid}/grants/{template_id}": ANY_BROWSER,
    "GET /simulator/phones/{openid}/grants/{template_id}/refuse": ANY_BROWSER,
    "POST /simulator/phones/{openid}/grants/{template_id}/refuse": ANY_BROWSER,
    "GET /simulator/phones/{openid}/face": ANY_BROWSER,
    "POST /simulator/phones/{openid}/face": ANY_BROWSER,
    "GET /simulator/fail": ANY_BROWSER,
    "POST /simulator/fail": ANY_BROWSER,
    "GET /simulator/heal": ANY_BROWSER,
    "POST /simulator/heal": ANY_BROWSER,
    "GET /simulator/quota": ANY_BROWSER,
    "POST /simulator/quota": ANY_BROWSER,
    "GET /simulator/hold-pushes": ANY_BROWSER,
    "POST /simulator/hold-pushes": ANY_BROWSER,
    "GET /simulator/move": ANY_BROWSER,  # mounted only in a demonstration
    "POST /simulator/move": ANY_BROWSER,
    "GET /simulator/people/{openid}": ANY_BROWSER,
    "GET /simulator/staff": ANY_BROWSER,
    "POST /simulator/staff": ANY_BROWSER,
    "GET /simulator/classes/{class_id}/sessions/{session_id}/screen": ANY_CALLER,
    "GET /simulator/time": ANY_CALLER,
    "PUT /simulator/time": ANY_CALLER,
    "GET /wechat/push": UNSIGNED,
    "POST /wechat/push": UNSIGNED,
    "GET /media/{file_id}-{expires}-{seal}": UNSEALED,
    # ---- phones
    "GET /api/v1/consents/current": ANY_CALLER,
    "POST /api/v1/real-name": ANY_PHONE,
    "POST /api/v1/real-name/let-go": ANY_PHONE,
    "GET /api/v1/real-name/providers": ANY_PHONE,
    "POST /api/v1/real-name/face": ANY_PHONE,
    "POST /api/v1/real-name/face/result": phones("unbound", "trainee other-trainee teacher other-teacher"),
    "POST /api/v1/real-name/wechat-pay": ANY_PHONE,
    "GET /api/v1/me": ANY_PHONE,
    "GET /api/v1/home": ANY_PHONE,
    "GET /api/v1/inbox": ANY_PHONE,
    "POST /api/v1/inbox/read": ANY_PHONE,
    "GET /api/v1/inbox/{message_id}": phones("trainee", "unbound other-trainee teacher other-teacher"),
    "POST /api/v1/inbox/{message_id}/read": phones("trainee", "unbound other-trainee teacher other-teacher"),
    "GET /api/v1/message-templates": ANY_PHONE,
    "POST /api/v1/message-grants": ANY_PHONE,
    "GET /api/v1/classes": BOUND,
    "GET /api/v1/classes/{class_id}": MY_CLASS,
    "GET /api/v1/classes/{class_id}/sessions": MY_CLASS,
    "GET /api/v1/classes/{class_id}/added-hours": MY_CLASS,
    "GET /api/v1/classes/{class_id}/tasks": MY_CLASS,
    "GET /api/v1/classes/{class_id}/result": MY_CLASS,
    "GET /api/v1/tasks/{task_id}/submissions": MY_CLASS,
    "POST /api/v1/tasks/{task_id}/submissions": MY_CLASS,
    "POST /api/v1/uploads": BOUND,
    "POST /api/v1/uploads/begin": BOUND,
    "GET /api/v1/uploads/{upload_id}": MY_CLASS,
    "PUT /api/v1/uploads/{upload_id}/parts/{number}": MY_CLASS,
    "GET /api/v1/tasks/{task_id}": MY_CLASS,
    "GET /api/v1/submissions/{submission_id}": MY_CLASS,
    "GET /api/v1/sessions": ANY_PHONE,
    "GET /api/v1/sessions/{session_id}": MY_CLASS,
    "GET /api/v1/submissions/{submission_id}/files/{file_id}": MY_CLASS,
    "GET /api/v1/open-classes": ANY_PHONE,
    "GET /api/v1/open-classes/{class_id}": ANY_PHONE,
    "POST /api/v1/open-classes/{class_id}/applications": ANY_PHONE,
    "GET /api/v1/my-applications": BOUND,
    "GET /api/v1/my-applications/{applicant_id}": MY_CLASS,
    "POST /api/v1/my-applications/{applicant_id}/withdraw": MY_CLASS,
    "GET /api/v1/classes/{class_id}/admission-notice": MY_CLASS,
    "POST /api/v1/classes/{class_id}/admission-notice/open": MY_CLASS,
    "GET /api/v1/classes/{class_id}/admission-notice/pdf": MY_CLASS,
    "POST /api/v1/classes/{class_id}/admission-notice/pledge": MY_CLASS,
    "POST /api/v1/check-ins": BOUND,
    "GET /api/v1/surveys": BOUND,
    "GET /api/v1/surveys/{survey_id}": MY_CLASS,
    "POST /api/v1/surveys/{survey_id}/responses": MY_CLASS,
    "GET /api/v1/guidance": BOUND,
    "GET /api/v1/guidance/{guidance_id}": MY_CLASS,
    "POST /api/v1/guidance/{guidance_id}/confirm": MY_CLASS,
    "POST /api/v1/guidance/{guidance_id}/dispute": MY_CLASS,
    "GET /api/v1/certificates": BOUND,
    "GET /api/v1/certificates/{certificate_id}": MY_CLASS,
    "GET /api/v1/certificates/{certificate_id}/pdf": MY_CLASS,
    "GET /api/v1/certificates/{certificate_id}/handover": MY_CLASS,
    "POST /api/v1/certificates/{certificate_id}/handover": MY_CLASS,
    "GET /api/v1/certificates/{certificate_id}/history": MY_CLASS,
    "POST /api/v1/certificates/{certificate_id}/requests": MY_CLASS,
    "GET /api/v1/certificate-requests": BOUND,
    "POST /api/v1/certificate-requests/{reissue_id}/statement": MY_CLASS,
    "POST /api/v1/certificate-requests/{reissue_id}/withdraw": MY_CLASS,
    "GET /api/v1/certificates/{certificate_id}/png": MY_CLASS,
    "GET /api/v1/certificates/{certificate_id}/credential": MY_CLASS,
    "GET /api/v1/certificates/{certificate_id}/image": MY_CLASS,
    "GET /api/v1/teaching/classes": TEACHERS,
    "GET /api/v1/teaching/satisfaction": TEACHERS,
    "GET /api/v1/teaching/duties": phones("teacher other-teacher", hidden="trainee other-trainee"),
    "GET /api/v1/teaching/guidance": BOUND,
    "POST /api/v1/teaching/guidance": MY_TEACHING,  # it names a class and its trainee
    # ---- dynamic management: a teacher's own standing, also of one who has lost the title
    "GET /api/v1/teaching/qualification": phones(
        "teacher other-teacher", hidden="unbound trainee other-trainee"
    ),
    "POST /api/v1/teaching/qualification-cases/{case_id}/statement": MY_CASE,
    "GET /api/v1/teaching/qualification-cases/{case_id}/decisions/{decision_number}/pdf": MY_CASE,
    "GET /api/v1/teaching/invitations": TEACHERS,
    "GET /api/v1/teaching/invitations/{invitation_id}": MY_TEACHING,
    "POST /api/v1/teaching/invitations/{invitation_id}/accept": MY_TEACHING,
    "POST /api/v1/teaching/invitations/{invitation_id}/decline": MY_TEACHING,
    "GET /api/v1/teaching/invitations/{invitation_id}/pdf": MY_TEACHING,
    "GET /api/v1/teaching/classes/{class_id}": MY_TEACHING,
    "POST /api/v1/teaching/classes/{class_id}/trainees/{person_id}/phone": MY_TEACHING,
    "GET /api/v1/teaching/classes/{class_id}/make-ups": MY_TEACHING,
    "POST /api/v1/teaching/classes/{class_id}/make-ups": MY_TEACHING,
    "POST /api/v1/teaching/classes/{class_id}/make-ups/{added_id}/void": MY_TEACHING,
    "GET /api/v1/teaching/classes/{class_id}/applications": MY_TEACHING,
    "POST /api/v1/teaching/classes/{class_id}/applications/{applicant_id}/review": MY_TEACHING,
    "GET /api/v1/teaching/classes/{class_id}/needs": MY_TEACHING,
    "POST /api/v1/teaching/classes/{class_id}/needs": MY_TEACHING,
    "GET /api/v1/teaching/classes/{class_id}/sessions": MY_TEACHING,
    "GET /api/v1/teaching/classes/{class_id}/tasks": MY_TEACHING,
    "GET /api/v1/teaching/classes/{class_id}/scheme": MY_TEACHING,
    "PUT /api/v1/teaching/classes/{class_id}/scheme": MY_TEACHING,
    "POST /api/v1/teaching/classes/{class_id}/scheme/signature": MY_TEACHING,
    "POST /api/v1/teaching/classes/{class_id}/scheme/remarks": MY_TEACHING,
    "GET /api/v1/teaching/sessions/{session_id}": MY_TEACHING,
    "GET /api/v1/teaching/sessions/{session_id}/code": MY_TEACHING,
    "GET /api/v1/teaching/sessions/{session_id}/attendance": MY_TEACHING,
    "POST /api/v1/teaching/sessions/{session_id}/late-registrations": MY_TEACHING,
    "POST /api/v1/teaching/sessions/{session_id}/late-registrations/all": MY_TEACHING,
    "PUT /api/v1/teaching/sessions/{session_id}/check-ins/{person_id}": MY_TEACHING,
    "PUT /api/v1/teaching/sessions/{session_id}/check-ins/{person_id}/verdict": MY_TEACHING,
    "PUT /api/v1/teaching/sessions/{session_id}/window": MY_TEACHING,
    "GET /api/v1/teaching/tasks/{task_id}": MY_TEACHING,
    "GET /api/v1/teaching/tasks/{task_id}/work": MY_TEACHING,
    "GET /api/v1/teaching/submissions/{submission_id}": MY_TEACHING,
    "GET /api/v1/teaching/tasks/{task_id}/submissions": MY_TEACHING,
    "GET /api/v1/teaching/submissions/{submission_id}/files/{file_id}": MY_TEACHING,
    "PUT /api/v1/teaching/submissions/{submission_id}/grade": MY_TEACHING,
    "POST /api/v1/teaching/submissions/{submission_id}/remarks": MY_TEACHING,
    "POST /api/v1/teaching/remarks/{remark_id}/withdrawal": MY_TEACHING,
    "PUT /api/v1/teaching/tasks/{task_id}/trainees/{person_id}/grade": MY_TEACHING,
    # ---- staff, about themselves and the country
    "GET /admin": ANY_STAFF,
    "GET /admin/urgings": ANY_STAFF,
    "POST /admin/urgings": ANY_STAFF,
    "GET /admin/password": ANY_STAFF,
    "POST /admin/password": ANY_STAFF,
    "GET /admin/sessions": ANY_STAFF,
    "GET /admin/sessions/revoke-others": ANY_STAFF,
    "POST /admin/sessions/revoke-others": ANY_STAFF,
    "GET /admin/sessions/{sign_in_id}/revoke": ANY_STAFF,
    "POST /admin/sessions/{sign_in_id}/revoke": OWN_SESSION,
    "GET /admin/second-factor": ANY_STAFF,
    "POST /admin/second-factor": ANY_STAFF,
    "GET /admin/second-factor/confirm": ANY_STAFF,
    "GET /admin/second-factor/recovery-codes": ANY_STAFF,
    "GET /admin/second-factor/remove": ANY_STAFF,
    "POST /admin/second-factor/confirm": ANY_STAFF,
    "POST /admin/second-factor/recovery-codes": ANY_STAFF,
    "POST /admin/second-factor/remove": ANY_STAFF,
    "GET /admin/rights": ANY_STAFF,
    "GET /admin/people": ANY_STAFF,
    "GET /admin/people/export": ANY_STAFF,
    "GET /admin/people/{person_id}": IN_REACH,
    "GET /admin/search": ANY_STAFF,
    "GET /admin/institutions": ANY_STAFF,
    "GET /admin/institutions/{code}": IN_REACH,
    "GET /admin/institutions/export": ANY_STAFF,
    "GET /admin/backbone": ANY_STAFF,
    "GET /admin/needs": ANY_STAFF,
    "GET /admin/policies": ANY_STAFF,
    "GET /admin/policies/{key}": ANY_STAFF,
    "GET /admin/classes": ANY_STAFF,
    "GET /admin/classes/export": ANY_STAFF,
    "GET /admin/plans": ANY_STAFF,
    "GET /admin/plans/export": ANY_STAFF,
    "GET /admin/applications": ANY_STAFF,
    "GET /admin/applications/export": ANY_STAFF,
    "GET /admin/certificates": ANY_STAFF,
    "GET /admin/certificates/check": ANY_STAFF,
    "GET /admin/certificates/query": ANY_STAFF,
    "POST /admin/certificates/query": ANY_STAFF,
    "GET /admin/certificates/query/template": ANY_STAFF,
    "GET /admin/layouts": ANY_STAFF,
    "GET /admin/layouts/printer": ANY_STAFF,
    "POST /admin/layouts/printer": staff(f"{XINGTAI} {YANGZHOU} {CHANGZHOU}"),
    "GET /admin/layouts/calibration.pdf": ANY_STAFF,
    "GET /admin/layouts/{level}": ANY_STAFF,
    "GET /admin/layouts/{level}/add": ANY_STAFF,
    "POST /admin/layouts/{level}/add": ONLY_CENTRE,
    "GET /admin/layouts/{level}/take-back": ANY_STAFF,
    "POST /admin/layouts/{level}/take-back": ONLY_CENTRE,
    "GET /admin/layouts/{level}/preview.jpg": ANY_STAFF,
    "GET /admin/layouts/{level}/form.pdf": ANY_STAFF,
    "GET /admin/certificates/export": ANY_STAFF,
    "GET /admin/certificates/check/export": ANY_STAFF,
    "GET /admin/certificates/entries": ANY_STAFF,
    "GET /admin/certificates/statistics": ANY_STAFF,
    "GET /admin/certificates/statistics.xlsx": ANY_STAFF,
    "GET /admin/certificates/entries/export": ANY_STAFF,
    "GET /admin/reopenings/export": ANY_STAFF,
    "GET /admin/forgeries": ANY_STAFF,
    "GET /admin/forgeries/export": ANY_STAFF,
    "GET /admin/forgeries/{forgery_id}": IN_REACH,
    "GET /admin/forgeries/{forgery_id}/picture": IN_REACH,
    "GET /admin/forgeries/{forgery_id}/contact": IN_REACH,
    "POST /admin/forgeries/{forgery_id}/contact": staff(f"{CENTRE} {HEBEI}", hidden=JIANGSU),
    "GET /admin/forgeries/{forgery_id}/answer": IN_REACH,
    "POST /admin/forgeries/{forgery_id}/answer": OF_XINGTAI,
    **{
        f"{method} /admin/forgeries/{{forgery_id}}/{act}": (
            IN_REACH if method == "GET" else staff(f"{CENTRE} {HEBEI}", hidden=JIANGSU)
        )
        for act in ("assign", "take-up", "conclude", "refer", "reopen", "unrefer")
        for method in ("GET", "POST")
    },
    "GET /admin/certificates/handovers": ANY_STAFF,
    "GET /admin/certificates/handovers/export": ANY_STAFF,
    "GET /admin/stock/left": ANY_STAFF,
    "GET /admin/inspections": ANY_STAFF,
    "GET /admin/inspections/export": ANY_STAFF,
    "GET /admin/inspections/new": PROVINCES,
    "POST /admin/inspections/new": PROVINCES,
    "GET /admin/inspections/{inspection_id}": IN_REACH,
    "GET /admin/inspections/{inspection_id}/answer": IN_REACH,
    "POST /admin/inspections/{inspection_id}/answer": OF_XINGTAI,
    **{
        f"{method} /admin/inspections/{{inspection_id}}/{act}": IN_REACH if method == "GET" else OF_HEBEI
        for act in ("record", "pass", "order", "accept", "return", "reopen", "drop")
        for method in ("GET", "POST")
    },
    "GET /admin/exports": ANY_STAFF,
    "GET /admin/exports/{export_id}": OWN_SESSION,
    "GET /admin/exports/{export_id}/file": OWN_SESSION,
    # ---- the centre
    "POST /admin/needs": ONLY_CENTRE,
    "POST /admin/policies/{key}": ONLY_CENTRE,
    # ---- the seal and the signing key of 邢台技师学院
    "GET /admin/seals": ANY_STAFF,
    "GET /admin/seals/export": ANY_STAFF,
    **dict.fromkeys(
        (
            f"GET /admin/{page}"
            for page in (
                "seals/{seal_id}",
                "seals/{seal_id}/image",
                "seals/{seal_id}/approve",
                "seals/{seal_id}/return",
                "seals/{seal_id}/withdraw",
                "seals/{seal_id}/retire",
                "institutions/{code}/signing",
                "institutions/{code}/signing/seal",
                "institutions/{code}/signing/key",
                "institutions/{code}/signing/keys/{key_id}/withdraw",
            )
        ),
        IN_REACH,
    ),
    "POST /admin/seals/{seal_id}/approve": OF_HEBEI,
    "POST /admin/seals/{seal_id}/return": OF_HEBEI,
    "POST /admin/seals/{seal_id}/withdraw": OF_XINGTAI,
    "POST /admin/seals/{seal_id}/retire": OF_XINGTAI,
    "POST /admin/institutions/{code}/signing/seal": OF_XINGTAI,
    "POST /admin/institutions/{code}/signing/key": OF_XINGTAI,
    "POST /admin/institutions/{code}/signing/keys/{key_id}/withdraw": OF_XINGTAI,
    "GET /admin/institutions/publish": ONLY_CENTRE,
    "POST /admin/institutions/publish": ONLY_CENTRE,
    "GET /admin/institutions/{code}/qualifications/{number}/confirm": ONLY_CENTRE,
    "POST /admin/institutions/{code}/qualifications/{number}/confirm": ONLY_CENTRE,
    "GET /admin/institutions/{code}/qualifications/{number}/{action}": ONLY_CENTRE,
    "POST /admin/institutions/{code}/qualifications/{number}/{action}": ONLY_CENTRE,
    # ---- the years of the teachers, for who manages them
    "GET /admin/duties": staff(f"{CENTRE} {HEBEI} {JIANGSU}"),
    "GET /admin/duties/export": staff(f"{CENTRE} {HEBEI} {JIANGSU}"),
    "GET /admin/duties/{teacher_id}": staff(f"{CENTRE} {HEBEI}", hidden=JIANGSU),
    # ---- what a province asks about its bases
    "GET /admin/recommendations": staff(f"{CENTRE} {HEBEI} {JIANGSU}"),
    "GET /admin/recommendations/export": staff(f"{CENTRE} {HEBEI} {JIANGSU}"),
    "GET /admin/recommendations/new": PROVINCES,
    "POST /admin/recommendations/new": PROVINCES,
    "GET /admin/recommendations/{request_id}": staff(f"{CENTRE} {HEBEI}", hidden=JIANGSU),
    "GET /admin/recommendations/{request_id}/amend": OF_HEBEI,
    "POST /admin/recommendations/{request_id}/amend": OF_HEBEI,
    "GET /admin/recommendations/{request_id}/approve": staff(f"{CENTRE} {HEBEI}", hidden=JIANGSU),
    "POST /admin/recommendations/{request_id}/approve": ONLY_CENTRE,
    "GET /admin/recommendations/{request_id}/decline": staff(f"{CENTRE} {HEBEI}", hidden=JIANGSU),
    "POST /admin/recommendations/{request_id}/decline": ONLY_CENTRE,
    "GET /admin/recommendations/{request_id}/retract": staff(f"{CENTRE} {HEBEI}", hidden=JIANGSU),
    "POST /admin/recommendations/{request_id}/retract": OF_HEBEI,
    # ---- dynamic management: the case of a teacher of 河北; institutions see none of a teacher
    "GET /admin/qualification": ANY_STAFF,
    "GET /admin/qualification/export": ANY_STAFF,
    "GET /admin/qualification/warnings": ANY_STAFF,
    "GET /admin/qualification/warnings/export": ANY_STAFF,
    "GET /admin/qualification/{case_id}": OF_A_TEACHER,
    "GET /admin/qualification/{case_id}/decisions/{decision_number}/pdf": OF_A_TEACHER,
    "GET /admin/qualification/{case_id}/decide": OF_A_TEACHER,
    "POST /admin/qualification/{case_id}/decide": ONLY_CENTRE,
    "GET /admin/qualification/{case_id}/reverse": OF_A_TEACHER,
    "POST /admin/qualification/{case_id}/reverse": ONLY_CENTRE,
    "GET /admin/qualification/{case_id}/dismiss": OF_A_TEACHER,
    "POST /admin/qualification/{case_id}/dismiss": staff(f"{CENTRE} {HEBEI}", hidden=JIANGSU),
    "GET /admin/qualification/{case_id}/statement": OF_A_TEACHER,
    "POST /admin/qualification/{case_id}/statement": staff("", hidden=f"{XINGTAI} {YANGZHOU} {CHANGZHOU}"),
    # ---- what the content check has flagged, in a class of 邢台
    "GET /admin/content-checks": staff(f"{CENTRE} {XINGTAI} {YANGZHOU} {CHANGZHOU}"),
    "GET /admin/content-checks/export": staff(f"{CENTRE} {XINGTAI} {YANGZHOU} {CHANGZHOU}"),
    "GET /admin/content-checks/{check_id}": CONTENT_OF_XINGTAI,
    "POST /admin/content-checks/{check_id}": CONTENT_OF_XINGTAI,
    "GET /admin/content-checks/{check_id}/picture": CONTENT_OF_XINGTAI,
    "GET /admin/classes/{class_id}/mini-program-code": IN_REACH,
    # ---- classes that do not run as planned; the province decides, and this one asks for nobody of another institution
    "GET /admin/changes": ANY_STAFF,
    "GET /admin/changes/export": ANY_STAFF,
    "GET /admin/changes/{change_id}": IN_REACH,
    "GET /admin/changes/{change_id}/return": IN_REACH,
    "POST /admin/changes/{change_id}/return": OF_HEBEI,
    "GET /admin/changes/{change_id}/approve": IN_REACH,
    "POST /admin/changes/{change_id}/approve": OF_HEBEI,
    "GET /admin/changes/{change_id}/accept": IN_REACH,
    "POST /admin/changes/{change_id}/accept": OF_XINGTAI,  # as far as its form: test_interruption_pages
    "GET /admin/changes/{change_id}/decline": IN_REACH,
    "POST /admin/changes/{change_id}/decline": OF_XINGTAI,
    "GET /admin/changes/{change_id}/withdraw": IN_REACH,
    "POST /admin/changes/{change_id}/withdraw": OF_XINGTAI,
    "GET /admin/changes/{change_id}/revoke": IN_REACH,
    "POST /admin/changes/{change_id}/revoke": OF_XINGTAI,  # as far as its form: test_interruption_pages
    **{
        f"{method} /admin/classes/{{class_id}}/changes/{kind}": OF_XINGTAI
        for kind in ("suspend", "postpone", "transfer", "terminate", "call-off")
        for method in ("GET", "POST")
    },
    "GET /admin/classes/{class_id}/make-ups": IN_REACH,
    "POST /admin/classes/{class_id}/make-ups": OF_XINGTAI,
    "GET /admin/classes/{class_id}/make-ups/{added_id}/void": OF_XINGTAI,
    "POST /admin/classes/{class_id}/make-ups/{added_id}/void": OF_XINGTAI,
    # ---- places that wait for the province's words
    "GET /admin/places": ANY_STAFF,
    "GET /admin/places/export": ANY_STAFF,
    "GET /admin/places/{place_check_id}": IN_REACH,
    "GET /admin/places/{place_check_id}/allow": IN_REACH,
    "POST /admin/places/{place_check_id}/allow": OF_HEBEI,
    "GET /admin/places/{place_check_id}/refuse": IN_REACH,
    "POST /admin/places/{place_check_id}/refuse": OF_HEBEI,
    "GET /admin/places/{place_check_id}/withdraw": IN_REACH,
    "POST /admin/places/{place_check_id}/withdraw": OF_XINGTAI,
    "GET /admin/classes/{class_id}/places/new": OF_XINGTAI,
    "POST /admin/classes/{class_id}/places/new": OF_XINGTAI,
    # ---- released results opened again; the province decides
    "GET /admin/delegations": ANY_STAFF,
    **{
        f"{method} /admin/delegations/{name}": ANY_STAFF
        for name in ("new", "step-back", "{delegation_id}/end")
        for method in ("GET", "POST")
    },
    "GET /admin/delegations/{delegation_id}/stand-in": ANY_STAFF,
    "POST /admin/delegations/{delegation_id}/stand-in": staff("", hidden=" ".join(OFFICERS)),  # not theirs
    "GET /admin/moves": ANY_STAFF,
    "GET /admin/moves/export": ANY_STAFF,
    "GET /admin/moves/new": staff("", hidden=f"{HEBEI} {JIANGSU} {XINGTAI} {YANGZHOU} {CHANGZHOU}"),
    "POST /admin/moves/new": staff("", hidden=f"{HEBEI} {JIANGSU} {XINGTAI} {YANGZHOU} {CHANGZHOU}"),
    "GET /admin/moves/{move_id}": IN_REACH,
    "GET /admin/moves/{move_id}/confirm": IN_REACH,
    "POST /admin/moves/{move_id}/confirm": OF_HEBEI,
    "GET /admin/moves/{move_id}/decline": IN_REACH,
    "POST /admin/moves/{move_id}/decline": OF_HEBEI,
    "GET /admin/moves/{move_id}/withdraw": IN_REACH,
    "POST /admin/moves/{move_id}/withdraw": staff(
        f"{HEBEI} {XINGTAI}", hidden=f"{JIANGSU} {YANGZHOU} {CHANGZHOU}"
    ),
    "GET /admin/reopenings": ANY_STAFF,
    "GET /admin/reopenings/{reopening_id}": IN_REACH,
    "GET /admin/reopenings/{reopening_id}/approve": IN_REACH,
    "POST /admin/reopenings/{reopening_id}/approve": OF_HEBEI,
    "GET /admin/reopenings/{reopening_id}/decline": IN_REACH,
    "POST /admin/reopenings/{reopening_id}/decline": OF_HEBEI,
    "GET /admin/reopenings/{reopening_id}/retract": IN_REACH,
    "POST /admin/reopenings/{reopening_id}/retract": OF_XINGTAI,
    "GET /admin/classes/{class_id}/results/reopen": IN_REACH,
    "POST /admin/classes/{class_id}/results/reopen": OF_XINGTAI,
    # ---- what becomes of a certificate that was issued
    "GET /admin/reissues": ANY_STAFF,
    "GET /admin/reissues/export": ANY_STAFF,
    "GET /admin/reissues/{reissue_id}": IN_REACH,
    "GET /admin/reissues/{reissue_id}/grant": IN_REACH,
    "POST /admin/reissues/{reissue_id}/grant": OF_XINGTAI,
    "GET /admin/reissues/{reissue_id}/file": IN_REACH,
    "POST /admin/reissues/{reissue_id}/file": OF_XINGTAI,
    "GET /admin/reissues/{reissue_id}/decline": IN_REACH,
    "POST /admin/reissues/{reissue_id}/decline": OF_XINGTAI,
    "GET /admin/reissues/{reissue_id}/withdraw": IN_REACH,
    "POST /admin/reissues/{reissue_id}/withdraw": OF_XINGTAI,
    "GET /admin/reissues/{reissue_id}/decide": IN_REACH,
    "POST /admin/reissues/{reissue_id}/decide": OF_XINGTAI,
    "GET /admin/reissues/{reissue_id}/approve": IN_REACH,
    "POST /admin/reissues/{reissue_id}/approve": OF_HEBEI,
    "GET /admin/reissues/{reissue_id}/return": IN_REACH,
    "POST /admin/reissues/{reissue_id}/return": OF_HEBEI,
    "GET /admin/certificates/{certificate_id}/reissue": IN_REACH,
    "POST /admin/certificates/{certificate_id}/reissue": OF_XINGTAI,
    "GET /admin/certificates/{certificate_id}/replace": IN_REACH,
    "POST /admin/certificates/{certificate_id}/replace": OF_XINGTAI,
    "GET /admin/certificates/{certificate_id}/propose": IN_REACH,
    "POST /admin/certificates/{certificate_id}/propose": OF_XINGTAI,
    "GET /admin/certificates/{certificate_id}/renew": IN_REACH,
    "POST /admin/certificates/{certificate_id}/renew": OF_XINGTAI,
    "GET /admin/stock/receive": ANY_STAFF,
    "POST /admin/stock/receive": ANY_STAFF,
    "GET /admin/stock/write-off": ANY_STAFF,
    "POST /admin/stock/write-off": ANY_STAFF,
    "GET /admin/stock/count": ANY_STAFF,
    "POST /admin/stock/count": ANY_STAFF,
    "GET /admin/stock": ANY_STAFF,
    "GET /admin/stock/ask": ANY_STAFF,
    "POST /admin/stock/ask": INSTITUTIONS,
    "GET /admin/stock/movements": ANY_STAFF,
    "GET /admin/stock/movements/export": ANY_STAFF,
    "GET /admin/stock/movements/{movement_id}/take-back": staff(
        XINGTAI, hidden=f"{CENTRE} {HEBEI} {JIANGSU} {YANGZHOU} {CHANGZHOU}"
    ),
    "POST /admin/stock/movements/{movement_id}/take-back": staff(
        XINGTAI, hidden=f"{CENTRE} {HEBEI} {JIANGSU} {YANGZHOU} {CHANGZHOU}"
    ),
    "GET /admin/stock/requests/{paper_request_id}/give": IN_REACH,
    "POST /admin/stock/requests/{paper_request_id}/give": OF_HEBEI,
    "GET /admin/stock/requests/{paper_request_id}/decline": IN_REACH,
    "POST /admin/stock/requests/{paper_request_id}/decline": OF_HEBEI,
    "GET /admin/stock/requests/{paper_request_id}/withdraw": IN_REACH,
    "POST /admin/stock/requests/{paper_request_id}/withdraw": OF_XINGTAI,
    "GET /admin/classes/{class_id}/certificates/register/papers": IN_REACH,
    "POST /admin/classes/{class_id}/certificates/register/papers": OF_XINGTAI,
    "GET /admin/classes/{class_id}/certificates/register/spoil": IN_REACH,
    "POST /admin/classes/{class_id}/certificates/register/spoil": OF_XINGTAI,
    "GET /admin/classes/{class_id}/certificates/register/release": IN_REACH,
    "POST /admin/classes/{class_id}/certificates/register/release": OF_XINGTAI,
    "GET /admin/classes/{class_id}/certificates/register": IN_REACH,
    "GET /admin/classes/{class_id}/certificates/register/print": IN_REACH,
    "GET /admin/classes/{class_id}/certificates/register/hand-over": IN_REACH,
    "POST /admin/classes/{class_id}/certificates/register/hand-over": OF_XINGTAI,
    "GET /admin/classes/{class_id}/certificates/register/take-back": IN_REACH,
    "POST /admin/classes/{class_id}/certificates/register/take-back": OF_XINGTAI,
    # ---- the phone of a person: a class confirms for itself and asks, who answers for the person decides (as far as its form)
    "GET /admin/release-requests": ANY_STAFF,
    "GET /admin/release-requests/export": ANY_STAFF,
    "GET /admin/release-requests/{release_id}": IN_REACH,
    "GET /admin/release-requests/{release_id}/release": IN_REACH,
    "POST /admin/release-requests/{release_id}/release": IN_REACH,
    "GET /admin/release-requests/{release_id}/decline": IN_REACH,
    "POST /admin/release-requests/{release_id}/decline": IN_REACH,
    "GET /admin/release-requests/{release_id}/retract": IN_REACH,
    "POST /admin/release-requests/{release_id}/retract": staff(
        XINGTAI, hidden=f"{JIANGSU} {YANGZHOU} {CHANGZHOU}"
    ),
    **{
        f"{method} /admin/classes/{{class_id}}/roster/{{person_id}}/phone{act}": OF_XINGTAI
        for act in ("", "/take-back", "/code", "/release")
        for method in ("GET", "POST")
    },
    "GET /admin/classes/{class_id}/roster/codes": OF_XINGTAI,
    "POST /admin/classes/{class_id}/roster/codes": OF_XINGTAI,
    **{
        f"{method} /admin/backbone/{{teacher_id}}/phone{act}": staff(f"{CENTRE} {HEBEI} {JIANGSU}")
        for act in ("", "/take-back", "/number")
        for method in ("GET", "POST")
    },
    "GET /admin/backbone/{teacher_id}/phone/release": ANY_STAFF,
    "POST /admin/backbone/{teacher_id}/phone/release": ANY_STAFF,
    # ---- corrections of what was published; the province decides on those of a class
    "GET /admin/corrections": ANY_STAFF,
    "GET /admin/corrections/export": ANY_STAFF,
    "GET /admin/corrections/{correction_id}": IN_REACH,
    "GET /admin/corrections/{correction_id}/return": IN_REACH,
    "POST /admin/corrections/{correction_id}/return": staff(f"{CENTRE} {HEBEI}", hidden=JIANGSU),
    "GET /admin/classes/{class_id}/correct": OF_XINGTAI,
    "POST /admin/classes/{class_id}/correct": OF_XINGTAI,
    "GET /admin/classes/{class_id}/roster/{person_id}/correct": OF_XINGTAI,
    "POST /admin/classes/{class_id}/roster/{person_id}/correct": OF_XINGTAI,
    "GET /admin/institutions/{code}/correct": OF_XINGTAI,
    "POST /admin/institutions/{code}/correct": OF_XINGTAI,
    "GET /admin/corrections/{correction_id}/approve": IN_REACH,
    "POST /admin/corrections/{correction_id}/approve": staff(f"{CENTRE} {HEBEI}", hidden=JIANGSU),
    "GET /admin/corrections/{correction_id}/retract": IN_REACH,
    "POST /admin/corrections/{correction_id}/retract": OF_XINGTAI,
    "GET /admin/accounts/batches": ONLY_CENTRE,
    "POST /admin/accounts/batches": ONLY_CENTRE,
    "GET /admin/accounts/batches/template": ONLY_CENTRE,
    "GET /admin/accounts/batches/{batch_id}": ONLY_CENTRE,
    "POST /admin/accounts/batches/{batch_id}": ONLY_CENTRE,
    "GET /admin/accounts/batches/{batch_id}/reissue": ONLY_CENTRE,
    "POST /admin/accounts/batches/{batch_id}/reissue": ONLY_CENTRE,
    "GET /admin/accounts/{account_id}/reactivate": ONLY_CENTRE,
    "POST /admin/accounts/{account_id}/reactivate": ONLY_CENTRE,
    "GET /admin/accounts/{account_id}/second-factor": ONLY_CENTRE,
    # ---- a unit and its own staff; the account is 扬州's
    "GET /admin/accounts": ANY_STAFF,
    "GET /admin/accounts/export": ANY_STAFF,
    "GET /admin/accounts/new": ANY_STAFF,
    "GET /admin/accounts/deactivate": ANY_STAFF,
    "POST /admin/accounts/deactivate": ANY_STAFF,
    "GET /admin/corrections/approve": ANY_STAFF,
    "POST /admin/corrections/approve": staff(f"{CENTRE} {HEBEI} {JIANGSU}"),
    "POST /admin/accounts/new": ANY_STAFF,
    "GET /admin/accounts/{account_id}/reset": OF_YANGZHOU,
    "GET /admin/accounts/{account_id}/deactivate": OF_YANGZHOU,
    "GET /admin/backbone/export": ANY_STAFF,
    "GET /admin/backbone/{teacher_id}": ANY_STAFF,
    "GET /admin/backbone/{teacher_id}/id-number": ONLY_CENTRE,
    "POST /admin/backbone/{teacher_id}/id-number": ONLY_CENTRE,
    "GET /admin/backbone/{teacher_id}/suspend": ONLY_CENTRE,
    "POST /admin/backbone/{teacher_id}/suspend": ONLY_CENTRE,
    "GET /admin/backbone/{teacher_id}/resume": ONLY_CENTRE,
    "POST /admin/backbone/{teacher_id}/resume": ONLY_CENTRE,
    "GET /admin/backbone/new": ONLY_CENTRE,
    "POST /admin/backbone/new": ONLY_CENTRE,
    "GET /admin/inbox": ANY_STAFF,
    "GET /admin/inbox/export": ANY_STAFF,
    "GET /admin/inbox/read-all": ANY_STAFF,
    "POST /admin/inbox/read-all": ANY_STAFF,
    "POST /admin/inbox/{message_id}": staff("", hidden=" ".join(OFFICERS)),  # no such message
    "GET /admin/messages": ONLY_CENTRE,
    "GET /admin/messages/export": ONLY_CENTRE,
    "GET /admin/messages/send-again": ONLY_CENTRE,
    "POST /admin/messages/send-again": ONLY_CENTRE,
    "GET /admin/messages/{message_id}": ONLY_CENTRE,
    "GET /admin/messages/{message_id}/send-again": ONLY_CENTRE,
    "POST /admin/messages/{message_id}/send-again": ONLY_CENTRE,
    "GET /admin/messages/{message_id}/stop": ONLY_CENTRE,
    "POST /admin/messages/{message_id}/stop": ONLY_CENTRE,
    "GET /admin/messages/templates": ONLY_CENTRE,
    "GET /admin/messages/templates/{message_kind}": ONLY_CENTRE,
    "POST /admin/messages/templates/{message_kind}": ONLY_CENTRE,
    # ---- selection of backbone teachers
    "GET /admin/selection": staff(f"{CENTRE} {HEBEI} {JIANGSU}"),
    "GET /admin/selection/export": staff(f"{CENTRE} {HEBEI} {JIANGSU}"),
    "GET /admin/selection/new": PROVINCES,
    "POST /admin/selection/new": PROVINCES,
    "GET /admin/selection/{nominee_id}": NOMINEE_OF_HEBEI,
    "GET /admin/selection/{nominee_id}/papers/{paper_id}": NOMINEE_OF_HEBEI,
    "GET /admin/selection/{nominee_id}/papers": NOMINEE_OF_HEBEI,
    "GET /admin/selection/{nominee_id}/papers/{paper_id}/remove": NOMINEE_OF_HEBEI,
    "GET /admin/selection/{nominee_id}/submit": NOMINEE_OF_HEBEI,
    "GET /admin/selection/{nominee_id}/withdraw": NOMINEE_OF_HEBEI,
    "GET /admin/selection/{nominee_id}/accept": NOMINEE_OF_HEBEI,
    "GET /admin/selection/{nominee_id}/return": NOMINEE_OF_HEBEI,
    "GET /admin/selection/{nominee_id}/amend": OF_HEBEI,
    "POST /admin/selection/{nominee_id}/amend": OF_HEBEI,
    "POST /admin/selection/{nominee_id}/papers": OF_HEBEI,
    "POST /admin/selection/{nominee_id}/papers/{paper_id}/remove": OF_HEBEI,
    "POST /admin/selection/{nominee_id}/submit": OF_HEBEI,
    "POST /admin/selection/{nominee_id}/withdraw": OF_HEBEI,
    "POST /admin/selection/{nominee_id}/accept": ONLY_CENTRE,
    "POST /admin/selection/{nominee_id}/return": ONLY_CENTRE,
    "GET /admin/selection/candidates": staff(CHANGZHOU),
    "GET /admin/selection/candidates/export": staff(CHANGZHOU),
    "POST /admin/selection/candidates": staff(CHANGZHOU),
    "GET /admin/selection/classes/{backbone_class_id}": staff(CHANGZHOU),
    "GET /admin/selection/classes/{backbone_class_id}/report": staff(CHANGZHOU),
    "GET /admin/selection/classes/{backbone_class_id}/conclude": staff(CHANGZHOU),
    "GET /admin/selection/classes/{backbone_class_id}/{nominee_id}/release": staff(CHANGZHOU),
    "POST /admin/selection/classes/{backbone_class_id}/report": staff(CHANGZHOU),
    "POST /admin/selection/classes/{backbone_class_id}/conclude": staff(CHANGZHOU),
    "POST /admin/selection/classes/{backbone_class_id}/{nominee_id}/release": staff(CHANGZHOU),
    "GET /admin/selection/lists": staff(f"{CENTRE} {CHANGZHOU}"),
    "GET /admin/selection/lists/export": staff(f"{CENTRE} {CHANGZHOU}"),
    "GET /admin/selection/lists/{list_id}": staff(f"{CENTRE} {CHANGZHOU}"),
    "GET /admin/selection/lists/{list_id}/register": staff(f"{CENTRE} {CHANGZHOU}"),
    "GET /admin/selection/lists/{list_id}/return": staff(f"{CENTRE} {CHANGZHOU}"),
    "GET /admin/selection/lists/{list_id}/resubmit": staff(f"{CENTRE} {CHANGZHOU}"),
    "GET /admin/selection/lists/{list_id}/decision.pdf": staff(f"{CENTRE} {CHANGZHOU}"),
    "POST /admin/selection/lists/{list_id}/register": ONLY_CENTRE,
    "POST /admin/selection/lists/{list_id}/return": ONLY_CENTRE,
    "POST /admin/selection/lists/{list_id}/resubmit": staff(CHANGZHOU),
    "GET /admin/jobs": ONLY_CENTRE,
    "GET /admin/jobs/export": ONLY_CENTRE,
    "GET /admin/jobs/{job_name}": ONLY_CENTRE,
    "GET /admin/jobs/{job_name}/run": ONLY_CENTRE,
    "POST /admin/jobs/{job_name}/run": ONLY_CENTRE,
    "GET /admin/audit": ONLY_CENTRE,
    "GET /admin/audit/export": ONLY_CENTRE,
    "GET /admin/audit/chain": ONLY_CENTRE,
    # ---- plans and applications of an institution
    "GET /admin/plans/{plan_id}": IN_REACH,
    "GET /admin/plans/{plan_id}/submit": IN_REACH,
    "GET /admin/plans/{plan_id}/approve": IN_REACH,
    "GET /admin/plans/{plan_id}/return": IN_REACH,
    **{
        f"{method} /admin/plans/windows/{name}": staff(f"{CENTRE} {HEBEI} {JIANGSU}")
        for name in ("announce", "change", "withdraw", "urge")
        for method in ("GET", "POST")
    },
    "GET /admin/plans/windows": staff(f"{CENTRE} {HEBEI} {JIANGSU}"),
    "GET /admin/plans/windows/export": staff(f"{CENTRE} {HEBEI} {JIANGSU}"),
    "GET /admin/plans/new": INSTITUTIONS,
    "GET /admin/plans/{plan_id}/withdraw": IN_REACH,
    "POST /admin/plans/{plan_id}/withdraw": OF_XINGTAI,
    "GET /admin/plans/{plan_id}/discard": IN_REACH,
    "POST /admin/plans/{plan_id}/discard": OF_XINGTAI,
    "POST /admin/plans/new": INSTITUTIONS,
    "GET /admin/plans/{plan_id}/edit": OF_XINGTAI,
    "POST /admin/plans/{plan_id}/edit": OF_XINGTAI,
    "POST /admin/plans/{plan_id}/submit": OF_XINGTAI,
    "POST /admin/plans/{plan_id}/return": OF_HEBEI,
    "POST /admin/plans/{plan_id}/approve": OF_HEBEI,
    "GET /admin/plans/{plan_id}/items/{item_id}/apply": OF_XINGTAI,
    "POST /admin/plans/{plan_id}/items/{item_id}/apply": OF_XINGTAI,
    "GET /admin/applications/{application_id}": IN_REACH,
    "GET /admin/applications/{application_id}/approve": IN_REACH,
    "GET /admin/applications/{application_id}/return": IN_REACH,
    "GET /admin/applications/{application_id}/withdraw": IN_REACH,
    "GET /admin/applications/{application_id}/edit": OF_XINGTAI,
    "POST /admin/applications/{application_id}/edit": OF_XINGTAI,
    "POST /admin/applications/{application_id}/return": OF_HEBEI,
    "GET /admin/applications/{application_id}/return-for-dates": IN_REACH,
    "POST /admin/applications/{application_id}/return-for-dates": OF_HEBEI,
    "GET /admin/applications/{application_id}/dates": IN_REACH,
    "POST /admin/applications/{application_id}/dates": OF_XINGTAI,
    "POST /admin/applications/{application_id}/approve": OF_HEBEI,
    "POST /admin/applications/{application_id}/withdraw": OF_XINGTAI,
    # ---- a class, by whoever oversees it
    "GET /admin/classes/{class_id}": IN_REACH,
    "GET /admin/classes/{class_id}/enrolment": IN_REACH,
    "GET /admin/classes/{class_id}/enrolment/agree": IN_REACH,
    "GET /admin/classes/{class_id}/enrolment/refuse": IN_REACH,
    "GET /admin/classes/{class_id}/enrolment/export": IN_REACH,
    "GET /admin/classes/{class_id}/enrolment/{applicant_id}": IN_REACH,
    "GET /admin/classes/{class_id}/needs": IN_REACH,
    "GET /admin/classes/{class_id}/arrivals": IN_REACH,
    "GET /admin/classes/{class_id}/arrivals/export": IN_REACH,
    "GET /admin/classes/{class_id}/arrivals/print": IN_REACH,
    "GET /admin/classes/{class_id}/roster/print": IN_REACH,
    "GET /admin/classes/{class_id}/sessions/print": IN_REACH,
    "GET /admin/classes/{class_id}/sessions/{session_id}/print": IN_REACH,
    "GET /admin/classes/{class_id}/results/print": IN_REACH,
    "GET /admin/classes/{class_id}/scheme/versions/{version}/print": IN_REACH,
    "GET /admin/classes/{class_id}/survey/export": IN_REACH,
    "GET /admin/classes/{class_id}/roster": IN_REACH,
    "GET /admin/classes/{class_id}/roster/export": IN_REACH,
    "GET /admin/classes/{class_id}/sessions": IN_REACH,
    "GET /admin/classes/{class_id}/sessions/{session_id}": IN_REACH,
    "GET /admin/classes/{class_id}/sessions/{session_id}/cancel": IN_REACH,
    "GET /admin/classes/{class_id}/sessions/{session_id}/late-registrations": IN_REACH,
    "GET /admin/classes/{class_id}/attendance.xlsx": IN_REACH,
    "GET /admin/classes/{class_id}/tasks": IN_REACH,
    "GET /admin/schemes": ANY_STAFF,
    "GET /admin/schemes/export": ANY_STAFF,
    "GET /admin/classes/{class_id}/scheme": IN_REACH,
    "GET /admin/classes/{class_id}/scheme/versions/{version}": IN_REACH,
    "GET /admin/classes/{class_id}/scheme/send": IN_REACH,
    "GET /admin/classes/{class_id}/scheme/file": IN_REACH,
    "GET /admin/classes/{class_id}/scheme/approve": IN_REACH,
    "GET /admin/classes/{class_id}/scheme/return": IN_REACH,
    "GET /admin/classes/{class_id}/scheme/withdraw": IN_REACH,
    "POST /admin/classes/{class_id}/scheme/withdraw": OF_XINGTAI,
    "GET /admin/classes/{class_id}/scheme/discard": IN_REACH,
    "POST /admin/classes/{class_id}/scheme/discard": OF_XINGTAI,
    "GET /admin/classes/{class_id}/scheme/remarks": IN_REACH,
    "GET /admin/classes/{class_id}/results": IN_REACH,
    "GET /admin/classes/{class_id}/results/grade-sheet": IN_REACH,
    "GET /admin/classes/{class_id}/results/release": IN_REACH,
    "GET /admin/classes/{class_id}/tasks/{task_id}/extend": IN_REACH,
    "GET /admin/classes/{class_id}/tasks/{task_id}/withdraw": IN_REACH,
    "GET /admin/classes/{class_id}/survey": IN_REACH,
    "GET /admin/classes/{class_id}/survey/closing": IN_REACH,
    "GET /admin/classes/{class_id}/survey/close": IN_REACH,
    "GET /admin/classes/{class_id}/invitations": IN_REACH,
    "GET /admin/classes/{class_id}/invitations/{invitation_id}": IN_REACH,
    "GET /admin/classes/{class_id}/invitations/{invitation_id}/withdraw": IN_REACH,
    "GET /admin/classes/{class_id}/invitations/{invitation_id}/cancel": IN_REACH,
    "GET /admin/classes/{class_id}/invitations/{invitation_id}/pdf": IN_REACH,
    "GET /admin/classes/{class_id}/certificates": IN_REACH,
    "GET /admin/classes/{class_id}/certificates/issue": IN_REACH,
    "GET /admin/classes/{class_id}/certificates/try-again": IN_REACH,
    "GET /admin/certificates/{certificate_id}": IN_REACH,
    "GET /admin/certificates/{certificate_id}/revoke": IN_REACH,
    "GET /admin/classes/{class_id}/tasks/{task_id}": IN_REACH,
    "GET /admin/classes/{class_id}/tasks/{task_id}/trainees/{person_id}": IN_REACH,
    "GET /admin/classes/{class_id}/submissions/{submission_id}/files/{file_id}": IN_REACH,
    # ---- a class, by its institution
    "GET /admin/classes/{class_id}/roster/template": OF_XINGTAI,
    "POST /admin/classes/{class_id}/enrolment": OF_XINGTAI,
    "POST /admin/classes/{class_id}/enrolment/agree": OF_XINGTAI,
    "POST /admin/classes/{class_id}/enrolment/refuse": OF_XINGTAI,
    "POST /admin/classes/{class_id}/enrolment/{applicant_id}": OF_XINGTAI,
    "POST /admin/classes/{class_id}/needs": OF_XINGTAI,
    "POST /admin/classes/{class_id}/arrivals": OF_XINGTAI,
    "GET /admin/classes/{class_id}/arrivals/{person_id}": OF_XINGTAI,
    "POST /admin/classes/{class_id}/arrivals/{person_id}": OF_XINGTAI,
    "GET /admin/classes/{class_id}/arrivals/{person_id}/undo": OF_XINGTAI,
    "POST /admin/classes/{class_id}/arrivals/{person_id}/undo": OF_XINGTAI,
    "GET /admin/classes/{class_id}/scheme/edit": OF_XINGTAI,
    "POST /admin/classes/{class_id}/scheme/edit": OF_XINGTAI,
    "POST /admin/classes/{class_id}/scheme/send": OF_XINGTAI,
    "POST /admin/classes/{class_id}/scheme/file": OF_XINGTAI,
    "POST /admin/classes/{class_id}/scheme/remarks": OF_XINGTAI,
    "POST /admin/classes/{class_id}/scheme/approve": OF_HEBEI,
    "POST /admin/classes/{class_id}/scheme/return": OF_HEBEI,
    "POST /admin/classes/{class_id}/roster": OF_XINGTAI,
    "GET /admin/classes/{class_id}/roster/{import_id}": OF_XINGTAI,
    "POST /admin/classes/{class_id}/roster/{import_id}": OF_XINGTAI,
    "GET /admin/classes/{class_id}/roster/remove": IN_REACH,
    "POST /admin/classes/{class_id}/roster/remove": OF_XINGTAI,
    "GET /admin/classes/{class_id}/roster/add": OF_XINGTAI,
    "POST /admin/classes/{class_id}/roster/add": OF_XINGTAI,
    "GET /admin/classes/{class_id}/roster/{person_id}/edit": OF_XINGTAI,
    "POST /admin/classes/{class_id}/roster/{person_id}/edit": OF_XINGTAI,
    "GET /admin/classes/{class_id}/roster/{person_id}/remove": OF_XINGTAI,
    "GET /admin/classes/{class_id}/roster/{person_id}/leave": OF_XINGTAI,
    "GET /admin/classes/{class_id}/roster/{person_id}/return": OF_XINGTAI,
    "GET /admin/classes/{class_id}/sessions/new": OF_XINGTAI,
    "POST /admin/classes/{class_id}/sessions/new": OF_XINGTAI,
    "GET /admin/classes/{class_id}/sessions/teachers": OF_XINGTAI,
    "POST /admin/classes/{class_id}/sessions/teachers": OF_XINGTAI,
    "GET /admin/classes/{class_id}/sessions/timetable": OF_XINGTAI,
    "POST /admin/classes/{class_id}/sessions/timetable": OF_XINGTAI,
    "GET /admin/classes/{class_id}/sessions/{session_id}/edit": OF_XINGTAI,
    "POST /admin/classes/{class_id}/sessions/{session_id}/edit": OF_XINGTAI,
    "POST /admin/classes/{class_id}/sessions/{session_id}/cancel": OF_XINGTAI,
    "POST /admin/classes/{class_id}/sessions/{session_id}/late-registrations": OF_XINGTAI,
    "GET /admin/classes/{class_id}/sessions/{session_id}/late-registrations/all": IN_REACH,
    "POST /admin/classes/{class_id}/sessions/{session_id}/late-registrations/all": OF_XINGTAI,
    "GET /admin/classes/{class_id}/sessions/{session_id}/check-in": IN_REACH,
    "POST /admin/classes/{class_id}/sessions/{session_id}/check-in": OF_XINGTAI,
    "GET /admin/classes/{class_id}/sessions/{session_id}/verdict": IN_REACH,
    "POST /admin/classes/{class_id}/sessions/{session_id}/verdict": OF_XINGTAI,
    "GET /admin/classes/{class_id}/sessions/{session_id}/window": IN_REACH,
    "POST /admin/classes/{class_id}/sessions/{session_id}/window": OF_XINGTAI,
    "GET /admin/classes/{class_id}/sessions/{session_id}/classroom": OF_XINGTAI,
    "GET /admin/classes/{class_id}/sessions/{session_id}/classroom/code": OF_XINGTAI,
    "GET /admin/classes/{class_id}/sessions/{session_id}/classroom/live": OF_XINGTAI,  # 400 without an upgrade
    "GET /admin/classes/{class_id}/tasks/new": OF_XINGTAI,
    "GET /admin/certificates/{certificate_id}/pdf": OF_XINGTAI,
    "GET /admin/classes/{class_id}/certificates.zip": OF_XINGTAI,
    "GET /admin/classes/{class_id}/certificates.pdf": OF_XINGTAI,
    "GET /admin/classes/{class_id}/certificates/overprint.pdf": OF_XINGTAI,
    "POST /admin/classes/{class_id}/tasks/new": OF_XINGTAI,
    "GET /admin/classes/{class_id}/tasks/{task_id}/edit": OF_XINGTAI,
    "POST /admin/classes/{class_id}/tasks/{task_id}/edit": OF_XINGTAI,
    "POST /admin/classes/{class_id}/tasks/{task_id}/extend": OF_XINGTAI,
    "POST /admin/classes/{class_id}/tasks/{task_id}/withdraw": OF_XINGTAI,
    "POST /admin/classes/{class_id}/results/release": OF_XINGTAI,
    "POST /admin/classes/{class_id}/invitations": OF_XINGTAI,
    "POST /admin/classes/{class_id}/survey": OF_XINGTAI,
    "POST /admin/classes/{class_id}/survey/closing": OF_XINGTAI,
    "POST /admin/classes/{class_id}/certificates/issue": OF_XINGTAI,
    "POST /admin/classes/{class_id}/certificates/try-again": OF_XINGTAI,
    # ---- what undoes something
    "POST /admin/classes/{class_id}/survey/close": OF_XINGTAI,
    "POST /admin/classes/{class_id}/roster/{person_id}/remove": OF_XINGTAI,  # without a reason nobody is
    "POST /admin/classes/{class_id}/roster/{person_id}/leave": OF_XINGTAI,
    "POST /admin/classes/{class_id}/roster/{person_id}/return": OF_XINGTAI,
    "POST /admin/classes/{class_id}/invitations/{invitation_id}/withdraw": OF_XINGTAI,
    "POST /admin/classes/{class_id}/invitations/{invitation_id}/cancel": OF_XINGTAI,
    "POST /admin/certificates/{certificate_id}/revoke": OF_XINGTAI,
    "POST /admin/logout": ANY_STAFF,
    "POST /admin/accounts/{account_id}/reset": IN_AGAIN,
    "POST /admin/accounts/{account_id}/deactivate": IN_AGAIN,
    "POST /admin/accounts/{account_id}/second-factor": IN_AGAIN,
}
"""Method and address → what happens to whom. What undoes something stands last."""


def doors() -> set[str]:
    """Every method of every route, its parameters by name."""
    found = set()
    for route in routes(simulated=True, demonstration=True):
        if route[0] == r"/api/.*":  # answers 404 to whatever no route has
            continue
        address = address_of(route)
        found |= {f"{method.upper()} {address}" for method in HTTP_METHODS if access_of(route[1], method)}
    return found


def address_of(route: Route) -> str:
    """The route's address, its parameters by name."""
    return re.sub(r"\(\?P<(\w+)>(?:[^()\\]|\\.)*\)", r"{\1}", route[0]).replace("\\", "")


def openings() -> Iterator[tuple[str, list[str]]]:
    """Every address that is opened by GET, with who gets in."""
    for door, expected in TABLE.items():
        method, address = door.split()
        inside = [who for who, what in expected.items() if what == IN]
        if method == "GET" and inside:
            yield address, inside


def test_every_route_stands_in_the_table() -> None:
    assert doors() - TABLE.keys() == set(), "say in TABLE who may open these"
    assert TABLE.keys() - doors() == set(), "these are no routes any more"


async def test_everybody_gets_in_where_they_may_and_nowhere_else(visitors: Visitors) -> None:
    wrong = []
    for door, expected in TABLE.items():
        method, address = door.split()
        for who, what in sorted(
            expected.items(), key=lambda one: one[1] == IN
        ):  # refusals before what may change something
            seen = await visitors.knock(who, method, address)
            if seen != what:
                wrong.append(f"{door} by {who}: expected {what}, got {seen}")
    assert not wrong, "\n".join(wrong)
