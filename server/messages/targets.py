"""Where a message leads: the page of the mini-program, for each kind of message that there is."""

from __future__ import annotations

from collections.abc import Mapping

TARGETS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("enrolled",), ("admission-notice", "class_id")),
    **dict.fromkeys(
        (
            "class-corrected",
            "class-suspended",
            "class-postponed",
            "class-called-off",
            "class-terminated",
            "class-change-revoked",
            "class-transferred",
            "hours-made-up",
            "make-up-voided",
            "credit-voided",
            "returned-to-class",
            "session-soon",
            "session-moved",
            "session-cancelled",
            "timetable-changed",
        ),
        ("class", "class_id"),
    ),
    "check-in-changed": ("session", "session_id"),
    **dict.fromkeys(
        ("application-waiting", "application-rejected", "application-closed"), ("applications", "")
    ),
    **dict.fromkeys(
        (
            "identity-corrected",
            "phone-released",
            "phone-changed",
            "phone-confirmed",
            "phone-doubted",
            "release-asked",
            "release-retracted",
            "personal-code-issued",
            "moved",
        ),
        ("me", ""),
    ),
    **dict.fromkeys(
        (
            "invitation-sent",
            "invitation-reminder",
            "invitation-withdrawn",
            "invitation-cancelled",
            "invitation-corrected",
        ),
        ("invitation", "invitation_id"),
    ),
    **dict.fromkeys(
        (
            "scheme-drafted",
            "scheme-changed",
            "scheme-to-sign",
            "scheme-returned",
            "scheme-withdrawn",
            "scheme-approved",
        ),
        ("taught-scheme", "class_id"),
    ),
    **dict.fromkeys(
        ("sessions-assigned", "sessions-handed-over", "work-urged", "results-reopened-to-teacher"),
        ("taught-class", "class_id"),
    ),
    "grading-due": ("taught-tasks", "class_id"),
    **dict.fromkeys(("work-remark", "work-remark-taken-back"), ("task", "task_id")),
    **dict.fromkeys(("results-released", "results-reopened"), ("result", "class_id")),
    **dict.fromkeys(
        ("survey-opened", "survey-supplemented", "survey-open-reminder"), ("survey", "survey_id")
    ),
    "certificate-issued": ("certificate", "certificate_id"),
    **dict.fromkeys(
        ("certificate-revoked", "certificate-handed-over", "certificate-not-handed-over"),
        ("certificate", "certificate_id"),
    ),
    "certificate-request": ("certificate", "certificate_id"),
    "certificate-to-be-revoked": ("certificate-request", "request_id"),
    "guidance-to-confirm": ("guidance", "guidance_id"),
    "guidance-disputed": ("taught-guidance", "guidance_id"),
    **dict.fromkeys(("qualification-case", "qualification-decided"), ("qualification-case", "case_id")),
    "qualification-warning": ("qualification", ""),
    "duty-warning": ("duties", ""),
    **dict.fromkeys(
        ("selection-decided", "pool-registered", "pool-status", "removed-from-roster", "left-class"),
        ("message", ""),
    ),
}
"""Kind of message → kind of page, and which of the message's data is its id; "": a page of which there is one, or the message itself."""


def target_of(message_id: str, kind: str, data: Mapping[str, str]) -> tuple[str, str]:
    """Kind and id. A message of before it carried the id leads to itself."""
    page, key = TARGETS.get(kind, ("message", ""))
    if page == "message" or (key and not data.get(key)):
        return "message", message_id
    return page, data[key] if key else ""
