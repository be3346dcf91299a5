// What is typed is kept on this computer until the server has taken it: the log-in may run out, the network go, the page be left.
// Kept: every form with more than a line or with rows, by who is signed in, where it goes and what it is about. Never kept: passwords,
// fields with data-never-kept (ID numbers), what holds a whole ID number all the same, chosen files. Gone: once the server says that it is done (the cookie draft-done), when
// somebody signs out, and after seven days: offices share their computers.
const LASTS = 7 * 86400000;
const ANSWER_WITHIN = 8000;
const PREFIX = "draft:";
const user = document.body.dataset.user;
/** Form → its key and id, how it was shown (untouched) and last kept; refused: it came back with what the server has not saved; unkept: the browser
 * keeps nothing; lost: it holds what is never kept; sent: it is on its way. */
const forms = new WeakMap();
const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** Nothing where the browser keeps nothing: then the page says nothing either. */
function store(act) {
  try {
    return act(localStorage);
  } catch {
    return undefined;
  }
}
const read = (key) => store((kept) => JSON.parse(kept.getItem(key)));
const write = (key, draft) => store((kept) => { kept.setItem(key, JSON.stringify(draft)); return true; });
const drop = (key) => store((kept) => kept.removeItem(key));
const keys = () => store((kept) => Object.keys(kept).filter((key) => key.startsWith(PREFIX))) ?? [];

/** Where an offered draft waits for its answer: what is typed meanwhile does not write over it. */
const before = (key) => `${key}:before`;
/** What a page shows and the server has not saved; BACK: it was typed, and came back. */
const UNSAVED = "[data-refusal], [data-unsaved]";
const BACK = "[data-refusal], [data-unsaved=drawn]";

const about = (field) => field.type === "hidden" && !field.closest("[data-rows]");
const keepable = (field) => field.name && !["file", "password", "submit", "button"].includes(field.type) && !about(field) && !("neverKept" in field.dataset);
const fieldsOf = (form) => [...form.elements].filter(keepable);
const rowsOf = (list) => [...list.querySelectorAll("[data-row]")].filter((one) => one.parentElement.closest("[data-rows]") === list);
const numbered = (field) => /\d(?:[\s\-–—]*\d){16}[\s\-–—]*[\dXx]/.test((field.value ?? "").normalize("NFKC"));
const ticks = (field) => field.type === "checkbox" || field.type === "radio";
const snapshot = (form) => JSON.stringify({
  rows: [...form.querySelectorAll("[data-rows]")].map((list) => rowsOf(list).length),
  fields: fieldsOf(form).map((field) => [field.name, ticks(field) ? field.checked : numbered(field) ? "" : field.value, ticks(field) ? field.value : ""]),
});

/** Where a form goes and what it is about: the version that was seen is not part of it. */
function keyOf(form) {
  const said = [...form.elements].filter((field) => about(field) && !["_xsrf", "_draft", "seen", "version"].includes(field.name));
  const named = said.map((field) => `${field.name}=${field.value}`).sort().join("&");
  const goes = new URL(form.getAttribute("action") || "", location.href);  // a field may be called "action"
  return `${PREFIX}${user}:${goes.pathname}${goes.search}#${named}`;
}
const seen = (form) => (form.elements.namedItem("seen") ?? form.elements.namedItem("version"))?.value ?? "";

function fill(form, kept) {
  const { rows, fields } = JSON.parse(kept);
  rows.forEach((count, place) => {  // a list within a row comes after it, also when the row is new
    form.querySelectorAll("[data-rows]")[place]?.dispatchEvent(new CustomEvent("rows:want", { bubbles: true, detail: count }));
  });
  const left = [...fields];
  for (const field of fieldsOf(form)) {
    const place = left.findIndex(([name, , of]) => name === field.name && (!ticks(field) || of === field.value));
    if (place < 0) continue;
    const [[, value]] = left.splice(place, 1);
    if (ticks(field)) field.checked = value;
    else field.value = value;
  }
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

// ---- what the person sees of it
function button(label, kind, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `btn btn-${kind} btn-small`;
  made.textContent = label;
  made.addEventListener("click", act);
  return made;
}

function note(form, words, ...buttons) {
  let line = form.querySelector("[data-draft-note]");
  if (!line) {
    line = document.createElement("p");
    line.className = "draft-note";
    line.dataset.draftNote = "";
    line.setAttribute("role", "status");
    const foot = form.querySelector(".form-actions, .dialog-foot");
    if (foot) foot.before(line);
    else form.append(line);
  }
  line.replaceChildren(words, ...buttons);
  line.hidden = !words;
}

function offer(form, draft, restore) {
  const bar = document.createElement("div");
  bar.className = "alert-box alert-info draft-offer";
  bar.setAttribute("role", "status");
  const words = document.createElement("p");
  const later = draft.seen !== seen(form) ? "在那以后这里又有了变动，恢复后请核对。" : "";
  words.textContent = `您 ${clock.format(draft.at)} 填写的内容没有提交，保存在本机。${later}`;
  const away = () => { bar.remove(); (form.querySelector("input:not([type=hidden]), textarea, select"))?.focus(); };
  const inner = document.createElement("div");
  inner.append(
    words,
    button("恢复上次未提交的内容", "primary", () => { restore(); away(); }),
    button("放弃草稿", "outline", () => { drop(before(keyOf(form))); away(); note(form, "草稿已放弃"); }),
  );
  bar.append(inner);
  const body = form.querySelector(".dialog-body") ?? form;
  body.prepend(bar);
}

// ---- keeping
function keep(form) {
  const state = forms.get(form);
  if (!state) return;
  const now = snapshot(form);
  if (now === state.kept) return;
  state.kept = now;
  state.sent = false;
  if (now === state.untouched && !state.refused) {
    drop(state.key);
    state.unkept = false;
    return note(form, "");
  }
  const at = Date.now();
  state.unkept = !write(state.key, { id: state.id, at, seen: seen(form), fields: now, page: location.pathname + location.search });
  note(form, state.unkept ? "浏览器不允许在本机保存，请尽快提交" : `已自动保存在本机 ${clock.format(at).split(" ").pop()}`, ...(state.unkept ? [] : [button("放弃草稿", "plain", () => forget(form))]));
}

function forget(form) {
  const state = forms.get(form);
  drop(state.key);
  fill(form, state.untouched);
  state.kept = state.untouched;
  state.unkept = false;
  note(form, "草稿已放弃");
}

const DRAFTED = "form[method=post]";
function take(form) {
  if (forms.has(form) || !user || !form.querySelector("textarea, [data-rows]") && !("guard" in form.dataset)) return;
  const key = keyOf(form);
  const own = read(key);
  const draft = own?.resume && own.seen === seen(form) ? own : read(before(key)) ?? own;
  const id = draft?.id ?? [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const back = document.querySelector(BACK) !== null && (form.querySelector(BACK) !== null || "guard" in form.dataset || form.closest("[data-dialog-show]") !== null);
  const refused = document.querySelector(UNSAVED) !== null;
  const state = { key, id, untouched: snapshot(form), refused, kept: null, unkept: false, lost: false, sent: false };
  forms.set(form, state);
  if (back && !draft?.resume) return keep(form);  // its content is here, and nowhere else
  if (!draft || draft.fields === state.untouched) return;
  const restore = () => { drop(before(key)); fill(form, draft.fields); state.kept = null; keep(form); };
  if (draft.resume && draft.seen === seen(form)) {  // sent to the log-in with it, and back
    write(key, { ...draft, resume: false });
    form.closest("dialog")?.showModal();
    restore();
    note(form, `已恢复您 ${clock.format(draft.at)} 填写的内容，还没有提交`, button("放弃草稿", "plain", () => forget(form)));
  } else {
    if (draft === own && write(before(key), draft)) drop(key);
    offer(form, draft, restore);
  }
}

const timers = new WeakMap();
document.addEventListener("input", (event) => {
  const form = event.target.form ?? event.target.closest?.("form");
  if (!forms.has(form)) return;
  clearTimeout(timers.get(form));
  timers.set(form, setTimeout(keep, 400, form));
  if (event.target.matches("[data-never-kept], [type=file]") || numbered(event.target)) forms.get(form).lost = true;
});
const keepAll = () => document.querySelectorAll(DRAFTED).forEach((form) => timers.has(form) && keep(form));
addEventListener("pagehide", keepAll);
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && keepAll());
addEventListener("beforeunload", (event) => {
  keepAll();
  const open = [...document.querySelectorAll("form[data-guard]")].map((form) => forms.get(form)).filter((state) => state && !state.sent);
  if (open.some((state) => state.unkept || state.lost)) event.preventDefault();
});
for (const type of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(type, (event) => forms.has(event.target) && (forms.get(event.target).sent = false));
}

// ---- sending: only into a network that is there, by somebody who is signed in, and as the person who typed
function tell(words) {
  const line = document.createElement("div");
  line.className = "toast-note toast-danger";
  line.textContent = words;
  document.getElementById("toasts").append(line);
  setTimeout(() => line.remove(), 8000);
}

async function whoIsSignedIn() {
  const impatient = new AbortController();
  const timer = setTimeout(() => impatient.abort(), ANSWER_WITHIN);
  try {
    const answer = await fetch("/admin/session", { cache: "no-store", signal: impatient.signal });
    const said = (await answer.text()).trim();
    return /^[0-9a-f]*$/.test(said) ? said : null;
  } finally {
    clearTimeout(timer);
  }
}

async function send(form, submitter) {
  const state = forms.get(form);
  if (!read(state.key)) state.kept = null;
  keep(form);
  const kept = read(state.key) ? "内容已保存在本机" : "内容还在这里，请不要关闭页面";
  let who;
  try {
    who = await whoIsSignedIn();
  } catch {
    return tell(`网络不通，${kept}，请稍后重试`);
  }
  if (who === "") {
    const draft = read(state.key);
    if (!draft) return tell(`登录已失效，${kept}：请在新窗口登录后再提交`);
    write(state.key, { ...draft, resume: true });
    state.sent = true;
    const place = form.closest("#dialog-place")?.dataset.from;  // a dialog that was fetched has a page of its own
    return location.assign(`/admin/login?next=${encodeURIComponent(place ?? location.pathname + location.search)}`);
  }
  if (who !== null && who !== user) return tell(`这个浏览器现在登录的是另一个账号，没有提交。${kept}`);
  let mark = form.elements.namedItem("_draft");
  if (!mark) {
    mark = Object.assign(document.createElement("input"), { type: "hidden", name: "_draft" });
    form.append(mark);
  }
  mark.value = state.id;
  state.sent = true;
  form.dataset.sure = "yes";
  form.requestSubmit(submitter);
}

addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("form[action='/admin/logout']")) return keys().forEach(drop);
  if (!forms.has(form) || event.defaultPrevented) return;
  if (form.dataset.sure) return delete form.dataset.sure;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (form.dataset.asking) return;
  form.dataset.asking = "yes";
  send(form, event.submitter).finally(() => delete form.dataset.asking);
}, true);

// ---- what the server has taken, and what is too old
function clear() {
  const done = /(?:^|; )draft-done=([0-9a-f]{24})/.exec(document.cookie)?.[1];
  if (done) document.cookie = "draft-done=; path=/; max-age=0";
  for (const key of keys()) {
    const draft = read(key);
    if (!draft || draft.id === done || Date.now() - draft.at > LASTS) drop(key);
  }
}

const everywhere = (scope) => {
  clear();
  if (scope.matches?.(DRAFTED)) take(scope);
  scope.querySelectorAll(DRAFTED).forEach(take);
};
document.addEventListener("DOMContentLoaded", () => everywhere(document.body));  // after rows.js, which makes the rows that are wanted
document.addEventListener("htmx:load", (event) => everywhere(event.detail.elt));
document.addEventListener("htmx:afterSwap", (event) => {
  const place = document.getElementById("dialog-place");
  if (place) place.dataset.from = event.detail.pathInfo.requestPath;
});
