// The puzzle before a question of the public: solved in the background while the form is filled in, and waited for before it is sent.
// Where it cannot be solved (no https, no network) the form goes without it, and the page that comes back offers to wait instead.
const widget = document.querySelector("altcha-widget");
const form = widget.closest("form");
form.noValidate = true; // a puzzle that is not solved yet is no mistake of the person's; the server says what is wrong
if (!isSecureContext) widget.remove(); // WebCrypto is not there

globalThis.$altcha.algorithms.set("PBKDF2/SHA-256", () => new Worker(widget.dataset.worker));
globalThis.$altcha.i18n.set("zh-cn", {
  ...globalThis.$altcha.i18n.get("en"),
  label: "自动验证（不必识别图片）",
  verifying: "正在验证，请稍候…",
  verified: "验证完成",
  waitAlert: "正在验证，请稍候…",
  verificationRequired: "需要验证",
  error: "自动验证没有成功，可直接提交",
  expired: "验证已过期，请再验证一次",
  verify: "验证",
});

let waiting = null;

function go() {
  if (waiting) form.requestSubmit(waiting.submitter);
  waiting = null;
}

// On the window, so that nobody marks the form as sent before it is.
addEventListener("submit", (event) => {
  const state = (widget.isConnected && widget.getState?.()) || "error";
  if (event.target !== form || state === "verified" || state === "error") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  waiting = { submitter: event.submitter };
  if (state !== "verifying") widget.verify();
}, true);

widget.addEventListener("statechange", (event) => {
  if (event.detail.state === "verified" || event.detail.state === "error") setTimeout(go);
});
