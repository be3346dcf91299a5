// What the pages do beyond HTML. Everything works by attributes and delegation, so that parts swapped in by htmx need no set-up:
//   data-busy="…"              a submit button that says so and cannot be pressed twice
//   data-dialog-open="id"      opens that <dialog>; data-dialog-close closes the one around; data-dialog-show: open from the start
//   data-type-to-confirm="…"   the form's submit button waits for exactly this text
//   data-autosubmit            a filter form that sends itself
//   data-guard                 a long form (drafts.js): asks before it is left with what could not be kept
//   data-dropzone              a file field that takes drops and shows name and size; data-largest="bytes" on the field: refused before it is sent
//   data-wait="…"              a link to a file that takes a while to make: it says so until the file is there
//   data-copy="text"           copies; data-reveal="id" shows a password; data-count-of="id" counts characters
//   data-dismiss               removes the alert around; data-sidebar-toggle, data-sidebar-close; data-print
const NETWORK = "网络不通，内容还在，请稍后重试";
const root = document.documentElement;

/** Calls `act(element, event)` for the nearest ancestor of the event's target that matches. */
function on(type, selector, act, capture = false) {
  document.addEventListener(type, (event) => {
    const element = event.target instanceof Element && event.target.closest(selector);
    if (element) act(element, event);
  }, capture);
}

/** Does something to what is on the page now and to what htmx brings later. */
function whenever(selector, prepare) {
  const all = (scope) => {
    if (scope.matches?.(selector)) prepare(scope);
    scope.querySelectorAll(selector).forEach(prepare);
  };
  all(document.body);
  document.addEventListener("htmx:load", (event) => all(event.detail.elt));
}

function toast(text, tone = "danger") {
  const note = document.createElement("div");
  note.className = `toast-note toast-${tone}`;
  note.textContent = text;
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), 8000);
}

// Submitting: once, visibly, and never into a network that is known to be down.
const labels = new WeakMap();  // what stood on a button before it said that it is busy
on("submit", "form", (form, event) => {
  if (event.defaultPrevented) return;
  const button = event.submitter;
  const offline = form.method === "post" && navigator.onLine === false;
  if (offline) toast(NETWORK);
  if (offline || form.dataset.sending) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  if (!button?.dataset.busy) return;
  form.dataset.sending = "yes";
  setTimeout(() => {  // after the browser has read the button's own name and value
    labels.set(button, Array.from(button.childNodes));
    button.dataset.label = "kept";
    const spinner = document.createElement("span");
    spinner.className = "spinner";
    spinner.setAttribute("aria-hidden", "true");
    button.replaceChildren(spinner, button.dataset.busy);
    button.disabled = true;
    form.setAttribute("aria-busy", "true");
  });
}, true);

function ready(form) {
  delete form.dataset.sending;
  form.removeAttribute("aria-busy");
  form.querySelectorAll("button[data-label]").forEach((button) => {
    button.replaceChildren(...labels.get(button));
    button.disabled = false;
    delete button.dataset.label;
  });
}
addEventListener("pageshow", () => document.querySelectorAll("form[data-sending]").forEach(ready));
document.addEventListener("htmx:afterRequest", (event) => event.target.matches("form") && ready(event.target));
document.addEventListener("htmx:sendError", () => toast(NETWORK));
document.addEventListener("htmx:timeout", () => toast(NETWORK));
document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  const words = { 401: "登录已失效，请在新窗口登录后再试，内容还在", 403: "没有办理这件事的权限", 404: "要办的内容已经不在了，请刷新页面", 429: "操作太频繁，请稍等一会儿再试" };
  toast(words[status] ?? `服务器没有办成（${status}），内容还在，请稍后重试`);
});

// Dialogs.
on("click", "[data-dialog-open]", (button, event) => {
  event.preventDefault();  // a button that sends a form where there is no script
  document.getElementById(button.dataset.dialogOpen).showModal();
});
on("click", "[data-dialog-close]", (button) => button.closest("dialog").close());
on("click", "dialog", (dialog, event) => event.target === dialog && !dialog.querySelector("form") && dialog.close());
whenever("dialog[data-dialog-show]", (dialog) => dialog.open || dialog.showModal());
whenever("[data-type-to-confirm]", (field) => {
  const submit = field.form.querySelector("[type=submit]");
  const differs = field.form.querySelector("[data-typed-differs]");
  const bare = (words) => words.normalize("NFKC").replace(/\s/g, "").toUpperCase();  // classes/rules.py compares names the same way
  const judge = () => {
    submit.disabled = bare(field.value) !== bare(field.dataset.typeToConfirm);
    if (differs) differs.hidden = !submit.disabled || !field.value.trim();
  };
  field.addEventListener("input", judge);
  judge();
});

// Filters: a choice sends at once, a search after a pause. Of a whole ID number only the last four digits are asked, however it is written:
// addresses are kept in logs and histories. Who types digits says when it is all of them. A certificate's number has a year where an old
// ID number would have a birth before 1910 (server/kernel/numbers.py says the same).
const APART = "[\\s\\u200b-\\u200f\\u2060\\ufeff\\-‐‑‒–—―−.·•‧∙⋅˙・。]*";
const WHOLE = new RegExp(`\\d(?:${APART}\\d){13,}${APART}[\\dXx×ХхΧχ]`, "g");
function withoutWholeNumbers(words, least = 15) {
  const plain = words.normalize("NFKC");
  const shorter = plain.replace(WHOLE, (number) => {
    const digits = number.replace(/[^\dXx×ХхΧχ]/g, "");
    return digits.length < least || /^\d{5}20\d{2}(0[1-9]|1[0-2])[123]\d{3}$/.test(digits) ? number : ` ${digits.slice(-4)} `;
  });
  return shorter === plain ? words : shorter.replace(/\s+/g, " ").trim();
}
const isAsked = (field) => field.type === "search" && field.form?.getAttribute("method") !== "post";
function askWithoutNumbers(field, least) {
  const shorter = withoutWholeNumbers(field.value, least);
  if (shorter !== field.value) field.value = shorter;
}
document.addEventListener("input", (event) => isAsked(event.target) && !event.isComposing && askWithoutNumbers(event.target, 18), true);
document.addEventListener("submit", (event) => [...event.target.elements].filter(isAsked).forEach((field) => askWithoutNumbers(field)), true);
// Without this script the pattern of the field alone keeps a whole number back; here what is left of one is asked at once.
document.addEventListener("invalid", (event) => {
  const field = event.target;
  if (!isAsked(field)) return;
  askWithoutNumbers(field);
  if (!field.validity.valid) return;
  event.preventDefault();
  setTimeout(() => field.form.requestSubmit());  // while a form is judged it is not sent
}, true);
let pause;
on("change", "form[data-autosubmit]", (form, event) => event.target.type !== "search" && form.requestSubmit());
on("input", "form[data-autosubmit] input[type=search]", (field) => {
  clearTimeout(pause);
  if (field.form.hasAttribute("hx-get") && !/\d{5}/.test(field.value.normalize("NFKC").replace(/[\s-]/g, ""))) pause = setTimeout(() => field.form.requestSubmit(), 400);
});

// File fields.
const size = (bytes) => bytes < 1024 ? `${bytes} 字节` : bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
on("change", "[data-dropzone] input[type=file]", (field) => {
  const list = field.closest("[data-dropzone]").querySelector("[data-dropzone-files]");
  list.replaceChildren(...Array.from(field.files, (file) => {
    const line = document.createElement("li");
    line.textContent = `${file.name}（${size(file.size)}）`;
    return line;
  }));
  list.hidden = field.files.length === 0;
  const largest = Number(field.dataset.largest);
  const tooLarge = largest && Array.from(field.files).find((file) => file.size > largest);
  field.setCustomValidity(tooLarge ? `“${tooLarge.name}”有 ${size(tooLarge.size)}，超过 ${size(largest)} 的上限，请换一个文件` : "");
  if (tooLarge) field.reportValidity();
});
for (const type of ["dragenter", "dragover"]) {
  on(type, "[data-dropzone]", (zone, event) => { event.preventDefault(); zone.classList.add("is-over"); });
}
on("dragleave", "[data-dropzone]", (zone, event) => zone.contains(event.relatedTarget) || zone.classList.remove("is-over"));
on("drop", "[data-dropzone]", (zone, event) => {
  event.preventDefault();
  zone.classList.remove("is-over");
  const field = zone.querySelector("input[type=file]");
  const files = new DataTransfer();
  Array.from(event.dataTransfer.files).slice(0, field.multiple ? undefined : 1).forEach((file) => files.items.add(file));
  field.files = files.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
});

// Files that take a while.
on("click", "a[data-wait]", async (link, event) => {
  event.preventDefault();
  if (link.getAttribute("aria-busy")) return;
  const before = Array.from(link.childNodes);
  const spinner = document.createElement("span");
  spinner.className = "spinner";
  link.setAttribute("aria-busy", "true");
  link.replaceChildren(spinner, link.dataset.wait);
  try {
    const answer = await fetch(link.href);
    const name = /filename\*=UTF-8''(.+)$/.exec(answer.headers.get("Content-Disposition") ?? "");
    if (!answer.ok || !name) { location.href = link.href; return; }  // the page that says why
    const file = document.createElement("a");
    file.href = URL.createObjectURL(await answer.blob());
    file.download = decodeURIComponent(name[1]);
    file.click();
    setTimeout(() => URL.revokeObjectURL(file.href), 60000);
  } catch {
    toast(NETWORK);
  } finally {
    link.removeAttribute("aria-busy");
    link.replaceChildren(...before);
  }
});

// Small things.
on("click", "[data-copy]", async (button) => {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    toast("已复制", "success");
  } catch {
    toast("浏览器不允许复制，请选中后手工复制");
  }
});
on("click", "[data-reveal]", (button) => {
  const field = document.getElementById(button.dataset.reveal);
  const shown = field.type === "text";
  field.type = shown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!shown));
});
whenever("[data-reveal]", (button) => { button.hidden = false; });
whenever("[data-count-of]", (note) => {
  const field = document.getElementById(note.dataset.countOf);
  const count = () => { note.textContent = `${field.value.length} / ${field.maxLength} 字`; };
  field.addEventListener("input", count);
  note.hidden = false;
  count();
});
on("click", "[data-dismiss]", (button) => button.closest("[role]").remove());
on("click", "[data-print]", () => print());
whenever("[data-refusal]", (summary) => summary.focus());
whenever(".tabs [aria-current]", (tab) => {  // on a phone the row of tabs is longer than the screen
  const row = tab.closest("ul");
  const here = tab.getBoundingClientRect();
  row.scrollLeft += here.left + here.width / 2 - row.getBoundingClientRect().left - row.clientWidth / 2;
});

// The navigation on a phone, and the menu of who is signed in.
whenever(".sidebar [aria-current]", (entry) => {  // on a low screen the bar is longer than the screen
  const bar = entry.closest(".sidebar");
  const beyond = entry.getBoundingClientRect().bottom - bar.getBoundingClientRect().bottom;
  if (beyond > 0) bar.scrollTop += beyond + bar.clientHeight / 3;
});
const toggle = () => document.querySelector("[data-sidebar-toggle]");
function showSidebar(open) {
  root.classList.toggle("sidebar-open", open);
  toggle()?.setAttribute("aria-expanded", String(open));
}
on("click", "[data-sidebar-toggle]", () => showSidebar(!root.classList.contains("sidebar-open")));
on("click", "[data-sidebar-close], .sidebar a", () => showSidebar(false));
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.user-menu[open], details[data-menu][open]").forEach((menu) => menu.contains(event.target) || (menu.open = false));
});
// "/" leads to the search box from anywhere but a field.
document.addEventListener("keydown", (event) => {
  const box = document.querySelector("[data-head-search]");
  const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing || !box?.offsetParent) return;
  event.preventDefault();
  box.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (root.classList.contains("sidebar-open")) { showSidebar(false); toggle().focus(); }
  const menu = document.querySelector("details.user-menu[open], details[data-menu][open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
});
