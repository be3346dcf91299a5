"""Which model reads the documents of which collection."""

from server.accounts import documents as accounts
from server.accounts.real_name_store import FaceAttempt
from server.admissions import documents as admissions
from server.applications import documents as applications
from server.assessment import documents as assessment
from server.attendance import documents as attendance
from server.backbone import documents as backbone
from server.certificates import documents as certificates
from server.certificates.batch_store import BatchUse
from server.classes import documents as classes
from server.corrections import documents as corrections
from server.duties import documents as duties
from server.exports import documents as exports
from server.forgeries import documents as forgeries
from server.identities import documents as identities
from server.inspections import documents as inspections
from server.institutions import documents as institutions
from server.interruptions import documents as interruptions
from server.invitations import documents as invitations
from server.kernel import chain, policies, runs
from server.kernel.mongo import Document
from server.kernel.office_messages import OfficeMessage
from server.layouts import documents as layouts
from server.ledger import documents as ledger
from server.messages.office_store import InboxMark
from server.messages.store import Pause, TemplateVersion
from server.moves.documents import Move
from server.plans import documents as plans
from server.progress.documents import Urging
from server.qualification import documents as qualification
from server.reissues.documents import Reissue
from server.reopenings import documents as reopenings
from server.schemes import documents as schemes
from server.seals import documents as seals
from server.selection import documents as selection
from server.stock import documents as stock
from server.stock import paper_documents as papers
from server.surveys import documents as surveys
from server.upgrades.runner import Upgrade
from server.uploads import documents as uploads
from server.venues import documents as venues
from server.wechat.content_documents import ContentCheck

MODELS: dict[str, type[Document]] = {
    "account_batches": accounts.AccountBatch,
    "accounts": accounts.Account,
    "added_hours": attendance.AddedHours,
    "applicants": admissions.Applicant,
    "applications": applications.Application,
    "arrivals": admissions.Arrival,
    "audit_checks": chain.Checked,
    "backbone_teachers": backbone.PoolMember,
    "batch_queries": BatchUse,
    "base_requests": institutions.BaseRequest,
    "bindings": accounts.Binding,
    "certificates": certificates.Certificate,
    "check_ins": attendance.CheckIn,
    "class_admissions": admissions.ClassAdmission,
    "class_changes": interruptions.ClassChange,
    "classes": classes.TrainingClass,
    "content_checks": ContentCheck,
    "corrections": corrections.Correction,
    "delegations": accounts.Delegation,
    "duty_warnings": duties.DutyWarning,
    "earlier_results": assessment.EarlierResult,
    "enrolments": classes.Enrolment,
    "exports": exports.PreparedExport,
    "face_attempts": FaceAttempt,
    "forgeries": forgeries.Forgery,
    "forgery_pictures": forgeries.ForgeryPicture,
    "grades": assessment.Grade,
    "guidance": duties.Guidance,
    "half_sign_ins": accounts.HalfSignIn,
    "handovers": stock.Handover,
    "blank_papers": papers.BlankPaper,
    "paper_counts": papers.PaperCount,
    "paper_movements": papers.PaperMovement,
    "paper_requests": papers.PaperRequest,
    "inbox_marks": InboxMark,
    "institutions": institutions.Institution,
    "invitations": invitations.Invitation,
    "job_runs": runs.JobRun,
    "job_states": runs.JobState,
    "layouts": layouts.Layout,
    "ledger": ledger.LedgerEntry,
    "ledger_checks": certificates.LedgerCheck,
    "ledger_findings": certificates.LedgerFinding,
    "ledger_roots": ledger.LedgerRoot,
    "message_pauses": Pause,
    "message_templates": TemplateVersion,
    "moves": Move,
    "needs_templates": admissions.NeedsTemplate,
    "nominees": selection.Nominee,
    "office_messages": OfficeMessage,
    "pass_lists": selection.PassList,
    "personal_codes": accounts.PersonalCode,
    "persons": accounts.Person,
    "phone_sessions": accounts.PhoneSession,
    "plan_windows": plans.PlanWindow,
    "plans": plans.Plan,
    "place_checks": venues.PlaceCheck,
    "policies": policies.PolicyVersion,
    "printers": layouts.Printer,
    "pool_decisions": selection.Decision,
    "qualification_cases": qualification.Case,
    "qualification_warnings": qualification.EarlyWarning,
    "refused_scans": attendance.RefusedScan,
    "release_requests": identities.ReleaseRequest,
    "reissues": Reissue,
    "reopenings": reopenings.Reopening,
    "seals": seals.Seal,
    "signing_authorities": seals.SigningAuthority,
    "signing_keys": seals.SigningKey,
    "results": assessment.Result,
    "roster_imports": classes.RosterImport,
    "satisfaction_tallies": surveys.SatisfactionTally,
    "scheme_versions": schemes.SchemeVersion,
    "staff_sessions": accounts.StaffSession,
    "submissions": assessment.Submission,
    "survey_responses": surveys.Response,
    "surveys": surveys.Survey,
    "tasks": assessment.Task,
    "teaching_sessions": attendance.TeachingSession,
    "upgrades": Upgrade,
    "urgings": Urging,
    "waiting_phones": accounts.WaitingPhone,
    "work_remarks": assessment.WorkRemark,
    "inspections": inspections.Inspection,
    "kept_contents": uploads.KeptContent,
    "waiting_uploads": uploads.WaitingUpload,
}

WITHOUT_MODEL = {
    "audit",
    "content_verdicts",
    "demonstration_clock",
    "demonstration_processes",
    "files.chunks",
    "files.files",
    "invitation_guards",
    "leases",
    "ledger_nodes",
    "message_grant_reports",
    "message_grants",
    "mini_program",
    "mini_program_codes",
    "outbox",
    "public_misses",
    "push_events",
    "push_nonces",
    "reminders",
    "sequences",
    "envelopes",
    "sign_in_tries",
    "submitted_bytes",
    "spent_proofs",
    "survey_respondents",
    "uploads",
    "waiting_addresses",
    "wechat_tokens",
}
"""Rows that their stores read as they are."""
