// The form that sends invitations says to whom, and waits until somebody is chosen. Without this the server refuses an empty choice.
function tell() {
  const words = document.querySelector("[data-chosen]");
  if (!words) return;
  const names = [...document.querySelectorAll("input[name=teacher_ids]:checked")].map((box) => box.dataset.name);
  words.textContent = names.length ? `向 ${names.length} 位教师发出邀请函：${names.join("、")}` : "还没有勾选教师，请先在上面的名单中勾选。";
  words.closest("form").querySelector("[type=submit]").disabled = names.length === 0;
}
document.addEventListener("change", (event) => event.target.matches?.("input[name=teacher_ids]") && tell());
document.addEventListener("htmx:load", tell);
tell();
