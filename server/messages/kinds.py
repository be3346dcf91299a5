"""Every kind of message that the platform sends: one table.

A chapter says `unit.notify(person_id, "enrolled", class_name=…, …)`; here stands what that reads like in the mini-program's
inbox and which of its fields a WeChat subscribe message shows. A chapter that has something new to say adds a row; the tests
refuse a name or a field that no row has.
"""

from __future__ import annotations

from server.messages.fields import FieldKind
from server.messages.kind import Kind

_THING, _DATE, _STRING = FieldKind.THING, FieldKind.DATE, FieldKind.CHARACTER_STRING
_CLASS = (_THING, "class_name")
_REASON = (_THING, "reason")
_FROM = (_THING, "institution")

_ROWS = (
    # ---- 报名 and 录取 (articles 4.1 and 4.4)
    Kind(
        "enrolled",
        "录取通知",
        (
            "您已被录取到“{class_name}”，{starts_on} 至 {ends_on} 在{place}举办。",
            "请打开入学通知，阅读纪律要求并签署承诺书。",
        ),
        (_CLASS, (_DATE, "starts_on"), (_THING, "place")),
    ),
    Kind(
        "class-corrected",
        "培训班信息更正",
        ("“{class_name}”的信息已经更正：{starts_on} 至 {ends_on}，在{place}举办。",),
        (_CLASS, (_DATE, "starts_on"), (_THING, "place")),
        wakes="starts_on",
    ),
    Kind(
        "application-waiting",
        "报名候补",
        ("“{class_name}”名额已满，您已进入候补名单。", "有人退出时按报名先后递补。"),
        (_CLASS,),
    ),
    Kind(
        "application-rejected",
        "报名未通过",
        ("您报名的“{class_name}”没有通过审核。", "理由：{reason}"),
        (_CLASS, _REASON),
    ),
    Kind(
        "application-closed",
        "报名已关闭",
        ("您报名的“{class_name}”不再录取学员，报名已关闭，欢迎报名其他培训班。", "理由：{reason}"),
        (_CLASS, _REASON),
    ),
    # ---- 变更 of a class: 暂停, 延期, 转班补学, 终止, 取消, 补课 (articles 4.6 and 4.7)
    Kind(
        "class-suspended",
        "培训班暂停",
        (
            "“{class_name}”自 {starts_on} 至 {until} 暂停，其间不上课、不签到。",
            "培训改至 {ends_on} 结束，请在小程序中查看新的课次。",
            "原因：{reason}",
        ),
        (_CLASS, (_DATE, "starts_on"), (_DATE, "until"), _REASON),
        wakes="starts_on",  # who would travel tomorrow morning must hear of it
    ),
    Kind(
        "class-postponed",
        "培训班延期",
        (
            "“{class_name}”延期，{starts_on} 至 {ends_on} 举办，请在小程序中查看新的课次。",
            "原因：{reason}",
        ),
        (_CLASS, (_DATE, "starts_on"), (_DATE, "ends_on"), _REASON),
        wakes="starts_on",
    ),
    Kind(
        "class-called-off",
        "培训班已取消",
        ("“{class_name}”已取消，原定 {starts_on} 开班。", "{institution}说明：{reason}"),
        (_CLASS, (_DATE, "starts_on"), _REASON),
        wakes="starts_on",
    ),
    Kind(
        "class-terminated",
        "培训已终止",
        ("“{class_name}”已于 {ends_on} 终止，以后不再上课。", "{institution}说明：{reason}"),
        (_CLASS, (_DATE, "ends_on"), _REASON),
        wakes="ends_on",
    ),
    Kind(
        "class-change-revoked",
        "培训班变更已撤销",
        (
            "“{class_name}”不再{changes}，仍为 {starts_on} 至 {ends_on}，请在小程序中查看课次。",
            "原因：{reason}",
        ),
        (_CLASS, (_THING, "changes"), (_DATE, "starts_on"), (_DATE, "ends_on"), _REASON),
        wakes="starts_on",
    ),
    Kind(
        "class-transferred",
        "转班补学",
        ("您在“{class_name}”已学的 {hours} 课时计入“{title}”，{starts_on} 至 {ends_on} 在{place}举办。",),
        ((_THING, "title"), (_DATE, "starts_on"), (_THING, "place")),
    ),
    Kind(
        "hours-made-up",
        "补课已登记",
        ("“{class_name}”为您登记补课 {hours} 课时：{title}。",),
        (_CLASS, (_THING, "title")),
    ),
    Kind(
        "make-up-voided",
        "补课记录已撤销",
        ("“{class_name}”撤销了为您登记的补课 {hours} 课时：{title}。", "理由：{reason}"),
        (_CLASS, _REASON),
    ),
    Kind(
        "credit-voided",
        "转班计入的课时已撤销",
        ("您在“{title}”已学的 {hours} 课时不再计入“{class_name}”。", "理由：{reason}"),
        (_CLASS, _REASON),
    ),
    # ---- one person on a roster (articles 4.4 and 4.7)
    Kind(
        "removed-from-roster",
        "已移出名册",
        ("{institution}已将您移出“{class_name}”的名册。", "理由：{reason}", "如有疑问，请联系培训机构。"),
        (_CLASS, _REASON),
    ),
    Kind(
        "left-class",
        "退训登记",
        (
            "{institution}已登记您于 {until} 从“{class_name}”退训，此后不再签到，也不核发本班证书。",
            "原因：{reason}",
            "如与事实不符，请联系培训机构。",
        ),
        (_CLASS, (_DATE, "until"), _REASON),
    ),
    Kind(
        "returned-to-class",
        "退训已撤销",
        ("{institution}已撤销您在“{class_name}”的退训登记，请继续参加培训和签到。", "说明：{reason}"),
        (_CLASS, _REASON),
    ),
    Kind(
        "identity-corrected",
        "实名信息更正",
        (
            "{outcome}，由{institution}申请，省级管理部门核准。",
            "已经核发的证书保持核发时的内容，需要的可以申请换发。",
            "如与证件不符，请联系培训机构。",
        ),
        ((_THING, "outcome"), _FROM),
    ),
    # ---- whose phone it is (article 4.7)
    Kind(
        "phone-released",
        "微信绑定已解除",
        (
            "您的身份与一个微信的绑定已由{by}解除。",
            "理由：{reason}",
            "如非本人同意，请立即联系本人单位或省级管理部门；新绑定的微信须重新证明身份。",
        ),
        ((_THING, "by"), _REASON),
    ),
    Kind(
        "phone-changed",
        "身份已绑定新的微信",
        ("您的身份已绑定新的微信（{how}），暂时不能评分、签署和接受邀请。", "如非本人操作，请立即联系本人单位或省级管理部门。"),
        ((_THING, "how"),),
    ),
    Kind(
        "phone-confirmed",
        "本机身份已确认",
        ("{institution}已核对您的身份证，确认本微信由您使用。", "如非本人在场办理，请立即联系该单位。"),
        (_FROM,),
    ),
    Kind(
        "phone-doubted",
        "本机身份确认已撤销",
        ("{institution}撤销了对本微信的身份确认。", "理由：{reason}", "请带身份证重新办理。"),
        (_FROM, _REASON),
    ),
    Kind(
        "release-asked",
        "有人申请解除微信绑定",
        ("{institution}核对证件后，申请解除您与本微信的绑定。", "说明：{reason}", "如非本人要求，请立即联系本人单位或省级管理部门。"),
        (_FROM, _REASON),
    ),
    Kind(
        "release-retracted",
        "解除绑定的申请已撤回",
        ("{institution}撤回了解除微信绑定的申请，您的绑定不变。",),
        (_FROM,),
    ),
    Kind(
        "personal-code-issued",
        "个人码已发放",
        ("{institution}为您发放了绑定微信用的个人码，请向工作人员或在入学通知上领取，不要转给他人。",),
        (_FROM,),
    ),
    # ---- 邀请函 (article 4.2)
    Kind(
        "invitation-sent",
        "授课考核邀请",
        (
            "{institution}邀请您承担“{class_name}”的{kind}任务，{starts_on} 至 {ends_on}。",
            "请在 {reply_until}（含）以前答复。",
        ),
        (_CLASS, (_THING, "kind"), (_DATE, "reply_until"), _FROM),
    ),
    Kind(
        "invitation-reminder",
        "邀请函待答复",
        ("{institution}邀请您承担“{class_name}”的{kind}任务，请在 {reply_until}（含）以前答复，过期自动失效。",),
        (_CLASS, (_THING, "kind"), (_DATE, "reply_until"), _FROM),
    ),
    Kind(
        "invitation-withdrawn",
        "邀请函已撤回",
        ("{institution}撤回了“{class_name}”的{kind}邀请。", "理由：{reason}"),
        (_CLASS, (_THING, "kind"), _REASON),
    ),
    Kind(
        "invitation-cancelled",
        "任务已取消",
        (
            "{institution}取消了您在“{class_name}”的{kind}任务，原定 {starts_on} 至 {ends_on}。",
            "理由：{reason}",
        ),
        (_CLASS, (_DATE, "starts_on"), _REASON),
        wakes="starts_on",  # who teaches tomorrow morning must hear of it before they travel
    ),
    Kind(
        "invitation-corrected",
        "邀请信息已更正",
        (
            "“{class_name}”的信息已经更正，{starts_on} 至 {ends_on} 举办。",
            "请核对您的{kind}安排，如有不便请联系{institution}。",
        ),
        (_CLASS, (_DATE, "starts_on"), (_DATE, "ends_on")),
    ),
    # ---- 培训方案 (article 4.3)
    Kind(
        "scheme-drafted",
        "培训方案有新稿",
        ("{author}保存了“{class_name}”的培训方案（第 {version} 版），请查看、继续修改或提出意见。",),
        (_CLASS, (_THING, "author")),
    ),
    Kind(
        "scheme-changed",
        "培训方案有新版",
        ("{author}保存了“{class_name}”的培训方案（第 {version} 版）。", "您可以查看变化、继续修改或提出意见；以前的签署不再有效。"),
        (_CLASS, (_THING, "author")),
    ),
    Kind(
        "scheme-to-sign",
        "培训方案待签署",
        ("“{class_name}”的培训方案（第 {version} 版）等您签署。",),
        (_CLASS, _FROM),
    ),
    Kind(
        "scheme-returned",
        "培训方案被退回",
        ("“{class_name}”的培训方案（第 {version} 版）被退回修改。", "理由：{reason}"),
        (_CLASS, _REASON),
    ),
    Kind(
        "scheme-withdrawn",
        "培训方案已撤回",
        ("{institution}{outcome}了“{class_name}”的培训方案（第 {version} 版）。", "理由：{reason}"),
        (_CLASS, _REASON),
    ),
    Kind(
        "scheme-approved",
        "培训方案已通过",
        ("“{class_name}”的培训方案（第 {version} 版）已审核通过，课次和任务按方案安排。",),
        (_CLASS, _FROM),
    ),
    # ---- 课次, 考核, 评价 (articles 4.6, 4.7 and 8)
    Kind(
        "session-soon",
        "课程即将开始",
        ("“{class_name}”的“{title}”{starts_at} 在{place}开始，请按时签到。",),
        (_CLASS, (_DATE, "starts_at"), (_THING, "place")),
        wakes="starts_at",  # a first session at eight is announced before the quiet hours end
    ),
    Kind(
        "session-moved",
        "课次有变动",
        ("“{class_name}”的“{title}”改为 {starts_at} 在{place}上课，原定 {before}。",),
        (_CLASS, (_DATE, "starts_at"), (_THING, "place")),
        wakes="starts_at",
    ),
    Kind(
        "sessions-assigned",
        "授课安排有变动",
        ("“{class_name}”的{title}由您授课，最早一次 {starts_at}。", "原因：{reason}"),
        (_CLASS, (_DATE, "starts_at"), _REASON),
        wakes="starts_at",
    ),
    Kind(
        "sessions-handed-over",
        "授课安排有变动",
        ("“{class_name}”的{title}改由{teacher_name}授课，最早一次 {starts_at}。", "原因：{reason}"),
        (_CLASS, (_DATE, "starts_at"), _REASON),
        wakes="starts_at",
    ),
    Kind(
        "session-cancelled",
        "课次已取消",
        ("“{class_name}”原定 {starts_at} 的“{title}”已取消。", "理由：{reason}"),
        (_CLASS, (_DATE, "starts_at"), _REASON),
        wakes="starts_at",  # who travels for it in the morning must hear of it before
    ),
    Kind(
        "timetable-changed",
        "课表有调整",
        ("“{class_name}”的课表按新的培训方案调整：{changes}。", "请打开课表查看。"),
        (_CLASS, (_THING, "changes")),
    ),
    Kind(
        "check-in-changed",
        "签到已更正",
        ("您在“{class_name}”“{title}”的签到由“{before}”改为“{after}”。", "理由：{reason}"),
        (_CLASS, (_THING, "title"), _REASON),
    ),
    Kind(
        "work-urged",
        "催办提醒",
        ("{by}提醒您尽快办理“{class_name}”的事项：{owed}。",),
        (_CLASS, (_THING, "owed"), (_THING, "by")),
    ),
    Kind("grading-due", "学习成果待批阅", ("“{class_name}”还有 {count} 份学习成果等您批阅。",), (_CLASS,)),
    Kind(
        "work-remark",
        "学习成果有新意见",
        ("{teacher_name}对您的学习成果《{task_title}》提出了意见，请在小程序中查看。",),
        ((_THING, "teacher_name"), (_THING, "task_title")),
    ),
    Kind(
        "work-remark-taken-back",
        "学习成果意见撤回",
        ("{teacher_name}撤回了对您的学习成果《{task_title}》的一条意见。", "理由：{reason}"),
        ((_THING, "teacher_name"), (_THING, "task_title")),
    ),
    Kind(
        "results-released",
        "成绩已公布",
        ("“{class_name}”的成绩已公布，请在小程序中查看。",),
        (_CLASS,),
    ),
    Kind(
        "results-reopened",
        "成绩重新核定",
        ("“{class_name}”的成绩经省级管理部门同意重新核定，原公布的成绩作废，重新公布后会通知您。", "理由：{reason}"),
        (_CLASS, _REASON),
    ),
    Kind(
        "results-reopened-to-teacher",
        "成绩重新核定",
        (
            "“{class_name}”的成绩经省级管理部门同意重新开放，请按理由复核您的评分。",
            "改动评分须写明理由，成绩由培训机构重新公布。",
            "理由：{reason}",
        ),
        (_CLASS, _REASON),
    ),
    Kind(
        "survey-opened",
        "满意度评价",
        ("请为“{class_name}”填写满意度评价，{opens_at} 至 {closes_at}，匿名，每人一次。",),
        (_CLASS, (_DATE, "closes_at")),
    ),
    Kind(
        "survey-supplemented",
        "补充评价",
        (
            "“{class_name}”的满意度评价开放以后，{teacher_name}又授课或考核，请补充评价，{closes_at} 截止，匿名，每人一次。",
            "已经评价过的不再重复。",
        ),
        (_CLASS, (_THING, "teacher_name"), (_DATE, "closes_at")),
    ),
    Kind(
        "survey-open-reminder",
        "满意度评价将截止",
        ("“{class_name}”的满意度评价 {closes_at} 截止，您还没有填写。",),
        (_CLASS, (_DATE, "closes_at")),
    ),
    # ---- 证书 (articles 16 to 18)
    Kind(
        "certificate-issued",
        "证书已核发",
        ("{issuer}已核发您参加“{class_name}”的合格证书，编号 {number}。",),
        (_CLASS, (_STRING, "number"), (_THING, "issuer")),
    ),
    Kind(
        "certificate-revoked",
        "证书已撤销",
        ("您的合格证书（编号 {number}）已被撤销。", "理由：{reason}"),
        ((_STRING, "number"), _REASON),
    ),
    Kind(
        "certificate-to-be-revoked",
        "拟撤销证书",
        (
            "{issuer}拟撤销您的合格证书（编号 {number}），作出决定以前证书仍然有效。",
            "您可以在 {until} 以前（含当天）在小程序中陈述意见。",
            "理由：{reason}",
        ),
        ((_STRING, "number"), (_DATE, "until"), _REASON),
        wakes="until",
    ),
    Kind(
        "certificate-request",
        "证书事项进展",
        ("您的合格证书（编号 {number}）：{outcome}。", "理由：{reason}"),
        ((_STRING, "number"), (_THING, "outcome"), _REASON),
    ),
    Kind(
        "certificate-handed-over",
        "证书已发放",
        ("您的合格证书（编号 {number}）已登记发放：{how}。收到后请在小程序中确认，没有收到的请联系发证机构。",),
        ((_STRING, "number"), (_THING, "how")),
    ),
    Kind(
        "certificate-not-handed-over",
        "证书发放登记已撤回",
        ("您的合格证书（编号 {number}）的发放登记有误，已撤回。",),
        ((_STRING, "number"),),
    ),
    # ---- 骨干教师: 选拔, 入库, 职责, 动态管理 (articles 7 to 9)
    Kind(
        "selection-decided",
        "骨干教师选拔结果",
        ("您的骨干教师培训选拔推荐：{outcome}。", "理由：{reason}"),
        ((_THING, "outcome"), _REASON),
    ),
    Kind("pool-registered", "已登记入库", ("您已登记进入骨干教师库，自 {effective_on} 起生效。",), ((_DATE, "effective_on"),)),
    Kind(
        "pool-status",
        "骨干教师状态",
        ("您的骨干教师状态自 {effective_on} 起为“{status}”。", "理由：{reason}"),
        ((_THING, "status"), (_DATE, "effective_on"), _REASON),
    ),
    Kind(
        "moved",
        "工作单位变更",
        (
            "自 {effective_on} 起，您在平台上的工作单位由{before}改为{after}（{place}）。",
            "以前的证书和任务不变；如与事实不符，请联系单位所在地的省级管理部门。",
        ),
        ((_THING, "after"), (_DATE, "effective_on")),
    ),
    Kind(
        "guidance-to-confirm",
        "后续指导待确认",
        ("{teacher_name}登记了对您的后续指导（{given_on}），请确认。",),
        ((_THING, "teacher_name"), (_DATE, "given_on")),
    ),
    Kind(
        "guidance-disputed",
        "后续指导有异议",
        ("{trainee_name}对您登记的后续指导（{given_on}）有异议。", "理由：{reason}"),
        ((_THING, "trainee_name"), (_DATE, "given_on"), _REASON),
    ),
    Kind(
        "duty-warning",
        "年度履职提醒",
        ("{year} 年度履职提醒：{owed}。",),
        ((_THING, "owed"),),
    ),
    Kind(
        "qualification-case",
        "动态管理告知",
        ("部指导中心对您的骨干教师资格立案核查：{ground}。", "您可以在 {reply_until}（含）以前陈述意见。"),
        ((_THING, "ground"), (_DATE, "reply_until")),
    ),
    Kind(
        "qualification-decided",
        "动态管理决定",
        ("关于您的骨干教师资格的决定：{outcome}，自 {effective_on} 起生效。", "理由：{reason}"),
        ((_THING, "outcome"), (_DATE, "effective_on")),
    ),
    Kind(
        "qualification-warning",
        "动态管理预警",
        ("{ground}。", "{advice}。"),
        ((_THING, "ground"), (_DATE, "until")),
    ),
)  # fmt: skip

KINDS: dict[str, Kind] = {row.name: row for row in _ROWS}
assert len(KINDS) == len(_ROWS), "each kind has one row"

assert all(row.wechat and len(row.title) <= 10 for row in _ROWS), "a title fits a phone's list"
