// The mini-program in a visitor's hand, until the real client stands: it logs in as the phone of the page and asks nothing but /api/v1.
// A screen is a function that gives its title and its elements; the part of the address after # says which one is shown.
const phone = document.querySelector("[data-phone]");
const [title, back, note, screen] = ["title", "back", "note", "screen"].map((part) => phone.querySelector(`[data-${part}]`));
const openid = phone.dataset.phone;
let token = "";

// ---- asking the platform

class Refusal extends Error {}

async function send(path, { method = "GET", body, as = "json" } = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const form = body instanceof FormData;
  if (body && !form) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: form ? body : body && JSON.stringify(body) });
  } catch {
    throw new Refusal("网络不通，请稍后重试。");
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    const fields = (problem.errors ?? []).map((one) => one.message ?? one.detail).filter(Boolean);
    throw new Refusal([problem.detail ?? `服务器没有办成（${answer.status}）`, ...fields].join(" "));
  }
  return answer.status === 204 ? null : answer[as]();
}
const ask = (path) => send(`/api/v1${path}`);
const items = async (path) => (await ask(`${path}${path.includes("?") ? "&" : "?"}limit=50`)).items;
const tell = (path, body = {}, method = "POST") => send(`/api/v1${path}`, { method, body });

async function logIn() {
  const { code } = await send(`/simulator/phones/${openid}/code`, { method: "POST", body: {} });
  ({ token } = await tell("/login", { code }));
}

// ---- drawing

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name === "on") Object.entries(value).forEach(([type, act]) => made.addEventListener(type, act));
    else if (value !== false && value != null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return made;
}
const soft = (...words) => el("p", { class: "text-soft" }, ...words);
const link = (href, ...words) => el("a", { class: "hand-row", href }, ...words);
const card = (head, ...rest) => el("section", { class: "hand-card" }, el("h2", null, head), ...rest);
const facts = (...rows) => el("dl", null, rows.filter((row) => row && row[1] != null && row[1] !== "").map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value))));
const none = (words) => soft(words);
const day = (text) => text.replaceAll("-", ".");
const moment = (text) => new Date(text).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
/** The nonce of what is typed: the same words sent again go under the same nonce, others under another. */
const nonces = () => {
  let words, nonce;
  return (typed) => {
    if (typed !== words) [words, nonce] = [typed, random()];
    return nonce;
  };
};
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** A button that does something once, says what became of it, and shows the screen anew. */
function button(words, act, kind = "primary") {
  return el("button", { class: `btn btn-${kind}`, type: "button", on: { click: (event) => attempt(event.target, act) } }, words);
}
function form(words, fields, act) {
  const made = el("form", { class: "hand-form", on: { submit: (event) => {
    event.preventDefault();
    attempt(made.querySelector("[type=submit]"), () => act(new FormData(made)));
  } } }, fields, el("button", { class: "btn btn-primary", type: "submit" }, words));
  return made;
}
let fields = 0;
function field(label, name, attributes = {}, tag = "input") {
  const id = `hand-${(fields += 1)}`;
  const { value, ...others } = attributes;
  const control = el(tag, { class: "form-control", id, name, ...others });
  if (value != null) control.value = value;
  return el("div", { class: "field" }, el("label", { class: "form-label", for: id }, label), control);
}
const area = (label, name, attributes = {}) => field(label, name, { rows: 3, ...attributes }, "textarea");
const tick = (words, name, attributes = {}) => el("label", { class: "tick" }, el("input", { class: "form-check-input", type: "checkbox", name, ...attributes }), words);
function choice(label, name, options, attributes = {}) {
  return el("fieldset", { class: "field" }, el("legend", { class: "form-label" }, label), el("div", { class: "ticks" }, options.map(([value, words]) =>
    el("label", { class: "tick" }, el("input", { class: "form-check-input", type: "radio", name, value, ...attributes }), words))));
}

async function attempt(pressed, act) {
  pressed.disabled = true;
  try {
    const said = await act();
    if (said) { say(said); await show(); }
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    say(refusal.message, "danger");
  } finally {
    pressed.disabled = false;
  }
}
function say(words, tone = "success") {
  note.className = `hand-note hand-${tone}`;
  note.textContent = words;
}

/** A paper of the platform, kept as a file or shown in the page: it needs the phone's token, so that a link alone would not do. */
async function keep(path, name) {
  const address = URL.createObjectURL(await send(`/api/v1${path}`, { as: "blob" }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  return `已下载“${name}”。`;
}
async function picture(path, words) {
  const blob = await send(`/api/v1${path}`, { as: "blob" });
  const address = await new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(blob);
  });
  return el("img", { src: address, alt: words, class: "hand-picture" });
}

// ---- the screens of everybody

const ROLES = { TRAINEE: "参训教师", BACKBONE_TEACHER: "骨干教师" };
const WAITING = [
  ["tasks", "项学习成果待提交", "#/classes"], ["surveys", "份问卷待填写", "#/surveys"], ["guidance", "条后续指导待确认", "#/guidance"],
  ["invitations", "封邀请函待答复", "#/invitations"], ["signatures", "份培训方案待签署", "#/teaching"], ["grades", "份学习成果待批阅", "#/teaching", "grades_early"],
  ["applications", "名报名者待审核", "#/teaching"], ["statements", "件动态管理事项可陈述", "#/standing"],
];

async function home() {
  const me = await ask("/me");
  const teaches = me.roles.includes("BACKBONE_TEACHER");
  const waiting = WAITING.filter(([name]) => me.waiting[name] > 0);
  const rows = [
    ["#/inbox", `消息${me.unread_messages ? `（${me.unread_messages} 条未读）` : ""}`], ["#/classes", "我的培训"], ["#/open", "可报名的培训班"],
    ["#/surveys", "教学评价问卷"], ["#/certificates", "我的证书"], ["#/guidance", "后续指导"],
    ...(teaches ? [["#/invitations", "邀请函"], ["#/teaching", "我的授课"], ["#/duties", "履职与满意度"], ["#/standing", "资格与动态管理"]] : []),
  ];
  return [me.person?.name ?? "未实名", [
    el("p", null, me.roles.map((role) => ROLES[role] ?? role).join("、") || "还没有身份", " · ", me.identity.title),
    me.identity.advice && soft(me.identity.advice),
    me.person && soft(`身份证号 ${me.person.id_number_masked}`),
    waiting.length > 0 && card("等我办理", waiting.map(([name, words, href, early]) => link(href, `${me.waiting[name]} ${words}${me.waiting[early] ? `，其中 ${me.waiting[early]} 份未到截止` : ""}`))),
    el("nav", { "aria-label": "功能" }, rows.map(([href, words]) => link(href, words))),
  ]];
}

/** Where what a message asks for is done; `class_id` is of the message's own data. */
const ASKED = {
  "invitation-sent": "#/invitations", "invitation-reminder": "#/invitations", "scheme-to-sign": "#/teaching/class_id/scheme", "scheme-drafted": "#/teaching/class_id/scheme", "scheme-changed": "#/teaching/class_id/scheme",
  "grading-due": "#/teaching/class_id",
  "survey-opened": "#/surveys", "survey-open-reminder": "#/surveys", "guidance-to-confirm": "#/guidance", "qualification-case": "#/standing",
};
async function inbox() {
  const messages = await items("/inbox");
  const unread = messages.some((one) => !one.read);
  return ["消息", [
    unread && button("全部标为已读", async () => { await tell("/inbox/read", { up_to: messages[0].id }); return "已全部标为已读。"; }, "outline"),
    messages.map((one) => card(`${one.read ? "" : "● "}${one.title}`, el("p", null, one.text), soft(moment(one.created_at)), ASKED[one.kind] && link(ASKED[one.kind].replace("class_id", one.data.class_id), "去办理"))),
    messages.length === 0 && none("还没有消息。"),
  ]];
}

const aClass = (one, href) => link(href, el("strong", null, one.name), el("span", null, `${day(one.starts_on)}—${day(one.ends_on)} · ${one.condition === "RUNNING" ? one.stage_title : one.condition_title}`));

async function classes() {
  const found = await items("/classes");
  return ["我的培训", [found.map((one) => aClass(one, `#/classes/${one.id}`)), found.length === 0 && none("还没有参加培训班。")]];
}

// ---- of a trainee

async function oneClass(id) {
  const [one, sessions, tasks] = await Promise.all([ask(`/classes/${id}`), items(`/classes/${id}/sessions`), items(`/classes/${id}/tasks`)]);
  const open = sessions.filter((session) => session.window === "open");
  const result = await ask(`/classes/${id}/result`).catch(() => null);
  return [one.name, [
    facts(["培训机构", one.institution_name], ["地点", one.place], ["日期", `${day(one.starts_on)}—${day(one.ends_on)}`], ["课时", one.class_hours], ["授课", one.teachers.join("、")]),
    open.map((session) => checkIn(id, session)),
    link(`#/classes/${id}/notice`, "入学通知与承诺书"),
    result && card("成绩", facts(["结论", result.passed ? "合格" : "不合格"], ["总分", result.total], ["过程性", result.formative], ["终结性", result.summative], ["出勤课时", `${result.hours_attended} / ${result.hours_total}`], ["说明", result.reason])),
    card("学习任务", tasks.map((task) => link(`#/classes/${id}/tasks/${task.id}`, el("strong", null, task.title), el("span", null, task.grade ? `${task.grade.points} / ${task.maximum} 分` : task.submission ? `已提交第 ${task.submission.version} 版` : `${moment(task.deadline)} 截止`))), tasks.length === 0 && none("还没有布置任务。")),
    card("课次", el("ul", { class: "hand-list" }, sessions.map((session) => el("li", null, el("strong", null, session.title), ` ${moment(session.starts_at)} · ${session.place} · `, attended(session)))), sessions.length === 0 && none("还没有课次。")),
  ]];
}
const STATUS = { present: "已签到", late: "迟到", void: "签到作废" };
const attended = (session) => (session.check_in ? STATUS[session.check_in.status] : { upcoming: "未开始", open: "签到中", closed: "缺勤" }[session.window]);

function checkIn(classId, session) {
  if (session.check_in) return card(session.title, el("p", null, `${STATUS[session.check_in.status]}，${moment(session.check_in.checked_in_at)}`));
  const scan = async (code) => {
    const done = await tell("/check-ins", { code, nonce: random() });
    return done.status === "late" ? "签到成功，记为迟到。" : "签到成功。";
  };
  return card(`${session.title} 正在签到`,
    soft(`${session.place}，${moment(session.closes_at)} 截止。签到码在教室屏幕上，每几秒更换。`),
    button("扫教室屏幕上的二维码", async () => {
      const { code } = await send(`/simulator/classes/${classId}/sessions/${session.id}/screen`);
      return scan(code ?? "");
    }),
    form("用抄下的签到码签到", [field("签到码", "code", { required: true, autocomplete: "off" })], (typed) => scan(typed.get("code").trim())));
}

async function notice(id) {
  const one = await tell(`/classes/${id}/admission-notice/open`, {});
  return ["入学通知", [
    facts(["姓名", one.name], ["培训班", one.class_name], ["报到", one.reporting], ["日期", `${day(one.starts_on)}—${day(one.ends_on)}`], ["地点", one.place], ["请携带", one.to_bring]),
    button("下载入学通知（PDF）", () => keep(`/classes/${id}/admission-notice/pdf`, "入学通知.pdf"), "outline"),
    card("培训纪律", el("ol", null, one.discipline.map((rule) => el("li", null, rule.text)))),
    card("承诺书", el("p", null, one.pledge), one.pledged_at ? soft(`已于 ${moment(one.pledged_at)} 签署。`) : button("我已阅读并承诺遵守", async () => {
      await tell(`/classes/${id}/admission-notice/pledge`, { text_version: one.text_version });
      return "承诺书已签署。";
    })),
  ]];
}

async function task(classId, id) {
  const one = (await items(`/classes/${classId}/tasks`)).find((other) => other.id === id);
  const nonce = random();
  return [one.title, [
    el("p", null, one.instructions), facts(["类型", one.kind_title], ["截止", moment(one.deadline)]),
    el("ul", { class: "hand-list" }, one.criteria.map((criterion) => el("li", null, `${criterion.title}，${criterion.points} 分`))),
    one.grade && card("评分", facts(["得分", `${one.grade.points} / ${one.maximum}`], ["评语", one.grade.comment])),
    one.submission && card(`已提交第 ${one.submission.version} 版`, el("p", null, one.submission.text), one.submission.files.map((file) => el("p", null, button(file.name, () => keep(`/submissions/${one.submission.id}/files/${file.id}`, file.name), "plain"))), (one.submission.remarks ?? []).map((remark) => soft(`意见：${remark.text}`)), soft(moment(one.submission.submitted_at))),
    !one.grade && card(one.submission ? "提交新的一版" : "提交学习成果", form("提交", [
      area("说明", "text", { maxlength: 5000 }), field("附件", "files", { type: "file", multiple: true }),
      tick("本人独立完成，没有抄袭（指南第十三条）", "own_work", { value: "true", required: true }),
    ], async (typed) => {
      const body = new FormData();
      body.set("own_work", "true");
      body.set("nonce", nonce);
      if (typed.get("text").trim()) body.set("text", typed.get("text").trim());
      typed.getAll("files").filter((file) => file.size).forEach((file) => body.append("files", file));
      const done = await send(`/api/v1/tasks/${id}/submissions`, { method: "POST", body });
      return `已提交第 ${done.version} 版${done.late ? "，晚于截止时间" : ""}。`;
    })),
  ]];
}

const UNDER_WAY = ["APPLIED", "INSTITUTION_AGREED", "TEACHER_AGREED", "WAITING", "ADMITTED"];

async function openClasses() {
  const [found, mine] = await Promise.all([items("/open-classes"), items("/my-applications")]);
  return ["可报名的培训班", [
    mine.length > 0 && card("我的报名", mine.map((one) => el("div", null, el("p", null, el("strong", null, one.class_name), ` ${one.state_title}`), one.reason && soft(one.reason),
      UNDER_WAY.includes(one.state) && button("撤回报名", async () => { await tell(`/my-applications/${one.id}/withdraw`); return "报名已撤回。"; }, "outline")))),
    found.map((one) => aClass(one, `#/open/${one.id}`)), found.length === 0 && none("现在没有可报名的培训班。"),
  ]];
}

async function openClass(id) {
  const [one, mine] = await Promise.all([ask(`/open-classes/${id}`), items("/my-applications")]);
  const applied = mine.find((other) => other.class_id === id && UNDER_WAY.includes(other.state));
  return [one.name, [
    facts(["培训机构", one.institution_name], ["日期", `${day(one.starts_on)}—${day(one.ends_on)}`], ["地点", one.place], ["报到", one.reporting], ["报名截止", moment(one.enrolment_closes)]),
    applied ? card(`已报名：${applied.state_title}`, link("#/open", "看我的报名")) : card("报名", form("报名", [
      field("工作单位", "work_unit", { required: true, minlength: 2, maxlength: 60 }), field("职务或职称", "post", { required: true, maxlength: 40 }),
      field("教龄（年）", "years_of_teaching", { type: "number", min: 0, max: 60, required: true }), field("任教专业", "major_taught", { required: true, maxlength: 40 }),
      one.questions.map((question) => question.options.length ? choice(question.title, `answer-${question.key}`, question.options.map((option) => [option, option]), { required: true }) : area(question.title, `answer-${question.key}`, { maxlength: 500 })),
    ], async (typed) => {
      const answers = Object.fromEntries(one.questions.map(({ key }) => [key, typed.get(`answer-${key}`)?.trim()]).filter(([, said]) => said));
      const told = Object.fromEntries(["work_unit", "post", "major_taught"].map((name) => [name, typed.get(name).trim()]));
      const done = await tell(`/open-classes/${id}/applications`, { ...told, years_of_teaching: Number(typed.get("years_of_teaching")), answers });
      return `已报名，${done.state_title}。`;
    })),
  ]];
}

async function surveys() {
  const found = await items("/surveys");
  return ["教学评价问卷", [
    found.map((one) => link(`#/surveys/${one.id}`, el("strong", null, one.class_name + (one.supplement ? "（补充）" : "")), el("span", null, one.answered ? "已填写" : one.state === "OPEN" ? `${moment(one.closes_at)} 截止` : { PLANNED: "未开始", CLOSED: "已截止" }[one.state]))),
    found.length === 0 && none("还没有问卷。最后一个课次结束时会自动开放；在“模拟微信”页把演示时间推进到结业日就能看到。"),
  ]];
}

async function survey(id) {
  const one = await ask(`/surveys/${id}`);
  const about = (question) => [question.teacher_name, question.topic].filter(Boolean).join("：");
  return [one.class_name, [
    one.answered ? none("已填写，谢谢。答卷不记名，也不能再改。") : one.state !== "OPEN" ? none("问卷没有开放。") : form("提交（不记名，只能提交一次）",
      one.questions.map((question) => (question.kind === "scale" ? choice(about(question), question.key, one.scale.map(({ points, label }) => [points, label]), { required: true }) : area(about(question), question.key, { maxlength: 1000 }))),
      async (typed) => {
        const answers = {};
        for (const { key, kind } of one.questions) {
          const said = typed.get(key);
          if (kind === "scale") answers[key] = Number(said);
          else if (said.trim()) answers[key] = said.trim();
        }
        await tell(`/surveys/${id}/responses`, { answers });
        return "已提交，谢谢。";
      }),
  ]];
}

const CERTIFICATE = { PENDING: "待签", VALID: "有效", REVOKED: "已撤销", REISSUED: "已作废（已补发）", REPLACED: "已作废（已换发）" };

async function certificates() {
  const found = await items("/certificates");
  return ["我的证书", [
    found.map((one) => link(`#/certificates/${one.id}`, el("strong", null, one.class_name), el("span", null, `${one.number} · ${CERTIFICATE[one.status]}`))),
    found.length === 0 && none("还没有证书。成绩发布并核发后出现在这里。"),
  ]];
}
async function certificate(id) {
  const one = await ask(`/certificates/${id}`);
  return ["培训合格证书", [
    one.status === "VALID" && await picture(`/certificates/${id}/png`, `${one.name}的培训合格证书，编号 ${one.number}`),
    facts(["编号", one.number], ["序列号", one.serial], ["发证机构", one.issuer], ["发证日期", day(one.issued_on)], ["状态", CERTIFICATE[one.status]]),
    one.status === "VALID" && [
      button("下载 PDF", () => keep(`/certificates/${id}/pdf`, `${one.number}.pdf`)), " ",
      button("下载图片", () => keep(`/certificates/${id}/png`, `${one.number}.png`), "outline"),
    ],
    one.verify_url && el("p", null, el("a", { href: new URL(one.verify_url).pathname }, "扫证书上的二维码看到的页面")),
  ]];
}

async function guidance() {
  const found = await items("/guidance");
  return ["后续指导", [
    found.map((one) => card(`${one.teacher_name} · ${one.state_title}`, el("p", null, one.about), soft(`${day(one.given_on)} ${one.way_title} ${one.minutes} 分钟`), one.objection && soft(`异议：${one.objection}`), one.state === "WAITING" && el("div", null,
      button("确认有这次指导", async () => { await tell(`/guidance/${one.id}/confirm`); return "已确认。"; }),
      form("提出异议", [field("与事实不符之处", "reason", { required: true, minlength: 4, maxlength: 500 })], async (typed) => { await tell(`/guidance/${one.id}/dispute`, { reason: typed.get("reason") }); return "异议已提交。"; })))),
    found.length === 0 && none("还没有教师记录过对您的后续指导。"),
  ]];
}

// ---- of a backbone teacher

async function invitations() {
  const found = await items("/teaching/invitations");
  return ["邀请函", [found.map((one) => card(`${one.kind_title} · ${one.state_title}`,
    el("p", null, el("strong", null, one.class_name)), el("p", null, one.asked), one.message && el("p", null, one.message),
    facts(["邀请单位", one.institution_name], ["日期", `${day(one.starts_on)}—${day(one.ends_on)}`], ["地点", one.place], ["请于此前回复", one.state === "SENT" ? moment(one.reply_by) : null], ["理由", one.reason]),
    button("看邀请函（PDF）", () => keep(`/teaching/invitations/${one.id}/pdf`, "邀请函.pdf"), "outline"),
    one.state === "SENT" && el("div", null,
      button("接受邀请", async () => { await tell(`/teaching/invitations/${one.id}/accept`); return "已接受邀请，培训班出现在“我的授课”。"; }),
      form("谢绝", [field("谢绝的理由", "reason", { required: true, minlength: 2, maxlength: 500 })], async (typed) => { await tell(`/teaching/invitations/${one.id}/decline`, { reason: typed.get("reason") }); return "已谢绝。"; })))),
  found.length === 0 && none("还没有收到邀请函。")]];
}

async function teaching() {
  const found = await items("/teaching/classes");
  return ["我的授课", [found.map((one) => aClass(one, `#/teaching/${one.id}`)), found.length === 0 && none("还没有授课的培训班。接受邀请后出现在这里。")]];
}

async function taught(id) {
  const [one, sessions, tasks] = await Promise.all([ask(`/teaching/classes/${id}`), items(`/teaching/classes/${id}/sessions`), items(`/teaching/classes/${id}/tasks`).catch(() => [])]);
  const applied = await items(`/teaching/classes/${id}/applications`).catch(() => []);
  const toReview = applied.filter((other) => ["APPLIED", "INSTITUTION_AGREED"].includes(other.state));
  return [one.name, [
    facts(["培训机构", one.institution_name], ["日期", `${day(one.starts_on)}—${day(one.ends_on)}`], ["地点", one.place], ["学员", one.trainees.length]),
    link(`#/teaching/${id}/scheme`, "培训方案"),
    toReview.length > 0 && card("待审核的报名", toReview.map((other) => el("div", null,
      el("p", null, el("strong", null, other.name), ` ${other.work_unit} ${other.post}，教龄 ${other.years_of_teaching} 年，任教${other.major_taught}`),
      button("同意", async () => { await tell(`/teaching/classes/${id}/applications/${other.id}/review`, { agree: true }); return `已同意${other.name}的报名。`; })))),
    card("课次", sessions.map((session) => link(`#/teaching/${id}/sessions/${session.id}`, el("strong", null, session.title), el("span", null, `${moment(session.starts_at)} · ${{ upcoming: "未开始", open: "签到中", closed: "已结束" }[session.window]} · ${session.checked_in} 人签到`))), sessions.length === 0 && none("方案批准后按其课表生成课次。")),
    card("学习任务", tasks.map((work) => link(`#/teaching/${id}/tasks/${work.id}`, el("strong", null, work.title), el("span", null, `${work.kind_title} · ${moment(work.deadline)} 截止`))), tasks.length === 0 && none("还没有任务。")),
    one.stage === "FINISHED" && card("记录后续指导", form("记录", [
      el("div", { class: "field" }, el("label", { class: "form-label", for: "hand-whom" }, "学员"), el("select", { class: "form-select", id: "hand-whom", name: "trainee_id" }, one.trainees.map((other) => el("option", { value: other.person_id }, other.name)))),
      field("日期", "given_on", { type: "date", required: true }), field("时长（分钟）", "minutes", { type: "number", min: 1, max: 600, required: true, value: 40 }), area("内容", "about", { required: true, maxlength: 500 }),
    ], async (typed) => {
      await tell("/teaching/guidance", { class_id: id, trainee_id: typed.get("trainee_id"), given_on: typed.get("given_on"), way: "ONLINE", about: typed.get("about"), minutes: Number(typed.get("minutes")), nonce: random() });
      return "已记录，等学员确认。";
    })),
  ]];
}

async function taughtSession(classId, id) {
  const seen = await ask(`/teaching/sessions/${id}/attendance`);
  const missing = seen.items.filter((one) => !one.status);
  return [seen.session.title, [
    facts(["时间", `${moment(seen.session.starts_at)}—${moment(seen.session.ends_at)}`], ["地点", seen.session.place], ["到课", seen.present], ["迟到", seen.late], ["未签到", seen.missing]),
    seen.session.window === "open" && card("签到码", el("p", { class: "hand-code mono", "data-code": id }, "…"), soft("小程序把它显示为二维码，每几秒更换；可以复制到学员的手机上签到。"), button("刷新名单", async () => "名单已刷新。", "outline")),
    seen.refused.length > 0 && card("没有通过的扫码", seen.refused.map((one) => soft(`${one.name} ${moment(one.at)} ${one.reason}`))),
    card("未签到", el("ul", { class: "hand-list" }, missing.map((one) => el("li", null, one.name, " ",
      seen.session.window !== "upcoming" && button("补签", async () => {
        await tell(`/teaching/sessions/${id}/late-registrations`, { person_id: one.person_id, reason: "手机不便，教师现场核对本人" });
        return `已为${one.name}补签。`;
      }, "outline btn-small")))), missing.length === 0 && none("全部到齐。")),
    card("已签到", el("p", null, seen.items.filter((one) => one.status).map((one) => one.name + (one.status === "late" ? "（迟到）" : "")).join("、") || "还没有人。")),
  ]];
}
async function codeOfThisMoment() {
  const place = screen.querySelector("[data-code]");
  if (!place) return;
  try {
    const shown = await ask(`/teaching/sessions/${place.dataset.code}/code`);
    place.textContent = shown.code;
    setTimeout(codeOfThisMoment, Math.max(500, shown.next_in * 1000));
  } catch (refusal) {
    place.textContent = refusal.message;
  }
}

async function work(classId, taskId) {
  const seen = await ask(`/teaching/tasks/${taskId}/submissions`);
  return [seen.task.title, [
    facts(["已提交", seen.submitted], ["已评分", seen.graded], ["截止", moment(seen.task.deadline)]),
    seen.items.filter((one) => one.submission).map((one) => link(`#/teaching/${classId}/tasks/${taskId}/${one.person_id}`, el("strong", null, one.name), el("span", null, one.grade ? `${one.grade.points} / ${seen.task.maximum} 分` : "待批阅"))),
    seen.submitted === 0 && none("还没有人提交。"),
  ]];
}
async function grade(classId, taskId, personId) {
  const seen = await ask(`/teaching/tasks/${taskId}/submissions`);
  const one = seen.items.find((other) => other.person_id === personId);
  const { submission } = one;
  return [`${one.name} · ${seen.task.title}`, [
    card(`第 ${submission.version} 版`, el("p", null, submission.text), submission.files.map((file) => el("p", null, button(file.name, () => keep(`/teaching/submissions/${submission.id}/files/${file.id}`, file.name), "plain"))), soft(`${moment(submission.submitted_at)}${submission.late ? "，晚交" : ""}`)),
    card(one.grade ? `已评 ${one.grade.points} 分` : "评分", form(one.grade ? "改评" : "评分", [
      seen.task.criteria.map((criterion) => field(`${criterion.title}（满分 ${criterion.points}）`, criterion.key, { type: "number", min: 0, max: criterion.points, required: true, value: one.grade?.scores[criterion.key] })),
      area("评语", "comment", { maxlength: 1000, value: one.grade?.comment }),
      one.grade && field("改评的理由", "reason", { required: true, minlength: 4, maxlength: 500 }),
    ], async (typed) => {
      const scores = Object.fromEntries(seen.task.criteria.map(({ key }) => [key, Number(typed.get(key))]));
      const given = { scores, comment: typed.get("comment"), ...(one.grade ? { reason: typed.get("reason") } : {}) };
      const done = await tell(`/teaching/submissions/${submission.id}/grade`, given, "PUT");
      return `已评 ${done.points} 分。`;
    })),
  ]];
}

async function scheme(id) {
  const one = await ask(`/teaching/classes/${id}/scheme`);
  const remarkNonce = nonces();
  return ["培训方案", [
    el("p", null, `第 ${one.version} 版 · ${one.state_title}`), one.shortcomings.length > 0 && card("尚欠", el("ul", null, one.shortcomings.map((words) => el("li", null, words)))),
    card("培训目标", el("p", null, one.objectives)),
    card(`课程（共 ${one.course_hours} 课时）`, el("ul", { class: "hand-list" }, one.courses.map((course) => el("li", null, `${course.title} ${course.hours} 课时 ${course.teacher_name}`)))),
    card("课表", el("ul", { class: "hand-list" }, one.sessions.map((session) => el("li", null, `${moment(session.starts_at)} ${session.title} · ${session.place}`)))),
    card("考核", el("ul", { class: "hand-list" }, one.tasks.map((item) => el("li", null, `${item.kind_title} ${item.title}`)))),
    card("教师签署", el("ul", { class: "hand-list" }, one.signatures.map((signature) => el("li", null, `${signature.name} ${signature.signed_at ? `已于 ${moment(signature.signed_at)} 签署` : "未签署"}`))),
      one.state === "SIGNING" && !one.signed_by_me && button("签署这一版", async () => { await tell(`/teaching/classes/${id}/scheme/signature`, { version: one.version }); return `已签署第 ${one.version} 版。`; })),
    card("意见", one.remarks.map((remark) => el("p", null, `${remark.author_name}：${remark.text}`)), form("提出意见", [area("意见", "text", { required: true, minlength: 2, maxlength: 500 })], async (typed) => {
      await tell(`/teaching/classes/${id}/scheme/remarks`, { text: typed.get("text"), nonce: remarkNonce(typed.get("text")) });
      return "意见已提出。";
    })),
  ]];
}

async function duties() {
  const [year, rated] = await Promise.all([ask("/teaching/duties"), ask("/teaching/satisfaction")]);
  return ["履职与满意度", [
    card(`${year.year} 年履职：${year.standing_title}`, facts(["授课任务", `${year.teaching_done} 项已完成，应完成 ${year.required} 项`], ["考核任务", `${year.assessment_done} 项已完成`], ["后续指导", `${year.guidance.confirmed} 条已确认，${year.guidance.waiting} 条待确认`]), year.tasks.map((one) => soft(`${one.class_name} ${one.kind_title} ${one.progress_title}`))),
    card("满意度", rated.result ? el("p", null, `${rated.result.mean} 分（满分 3 分），${rated.result.answers} 个评分`) : none("问卷截止、人数足够后显示。"), rated.classes.map((one) => soft(`${one.class_name} ${one.result ? `${one.result.mean} 分` : "暂无结果"}`))),
  ]];
}
async function standing() {
  const one = await ask("/teaching/qualification");
  return ["资格与动态管理", [
    facts(["状态", one.status_title], ["入库日期", day(one.registered_on)]), one.warnings.map((warning) => card(`预警：${warning.grade_title}`, el("p", null, warning.rule_title))),
    one.cases.map((item) => card(`${item.rule_title} · ${item.state_title}`, facts(...item.facts.map(({ title: name, value }) => [name, value])), item.statements.map((said) => el("p", null, said.text)), item.decisions.map((decided) => soft(`${decided.number} ${decided.outcome_title}：${decided.reason}`)),
      item.may_state && form("陈述", [area("陈述", "text", { required: true, minlength: 4, maxlength: 2000 })], async (typed) => { await tell(`/teaching/qualification-cases/${item.id}/statement`, { text: typed.get("text") }); return "陈述已提交。"; }))),
    one.cases.length === 0 && one.warnings.length === 0 && none("没有预警，也没有动态管理事项。"),
  ]];
}

// ---- which screen

const SCREENS = [
  [/^#\/$/, home], [/^#\/inbox$/, inbox], [/^#\/classes$/, classes], [/^#\/classes\/(\w+)$/, oneClass], [/^#\/classes\/(\w+)\/notice$/, notice], [/^#\/classes\/(\w+)\/tasks\/(\w+)$/, task],
  [/^#\/open$/, openClasses], [/^#\/open\/(\w+)$/, openClass], [/^#\/surveys$/, surveys], [/^#\/surveys\/(\w+)$/, survey], [/^#\/certificates$/, certificates], [/^#\/certificates\/(\w+)$/, certificate],
  [/^#\/guidance$/, guidance], [/^#\/invitations$/, invitations], [/^#\/teaching$/, teaching], [/^#\/teaching\/(\w+)$/, taught], [/^#\/teaching\/(\w+)\/scheme$/, scheme],
  [/^#\/teaching\/(\w+)\/sessions\/(\w+)$/, taughtSession], [/^#\/teaching\/(\w+)\/tasks\/(\w+)$/, work], [/^#\/teaching\/(\w+)\/tasks\/(\w+)\/(\w+)$/, grade], [/^#\/duties$/, duties], [/^#\/standing$/, standing],
];

/** Where one came from: the address without its last part, and what only leads there. */
function above(hash) {
  const up = hash.replace(/\/(?:(?:tasks|sessions)\/)?\w+$/, "");
  return up === "#" || up === hash ? "#/" : up;
}

async function show() {
  const hash = location.hash || "#/";
  const found = SCREENS.find(([pattern]) => pattern.test(hash)) ?? SCREENS[0];
  screen.setAttribute("aria-busy", "true");
  try {
    const [words, parts] = await found[1](...(hash.match(found[0]) ?? []).slice(1));
    if (hash !== (location.hash || "#/")) return;
    title.textContent = words;
    screen.replaceChildren(...parts.flat(Infinity).filter(Boolean));
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    say(refusal.message, "danger");
    screen.replaceChildren();
  }
  back.hidden = hash === "#/";
  back.href = above(hash);
  screen.setAttribute("aria-busy", "false");
  codeOfThisMoment();
}

addEventListener("hashchange", () => {
  say("", "success");
  show().then(() => title.focus());
});
try {
  await logIn();
  await show();
} catch (refusal) {
  if (!(refusal instanceof Refusal)) throw refusal;
  say(refusal.message, "danger");
  screen.replaceChildren(soft("没有登录成功，请刷新再试。"));
}
