// The criteria editor: rows are added, removed and summed up. Without this the form works with the rows that are there.
const most = (editor) => Number(editor.dataset.rowsMost);
const rows = (editor) => [...editor.querySelectorAll("[data-row]")];

function add(editor) {
  const last = rows(editor).at(-1);
  const row = last.cloneNode(true);
  const number = Number(last.querySelector("input").id.split("-").at(-1)) + 1;
  row.querySelectorAll(".field-error").forEach((note) => note.remove());
  row.setAttribute("aria-label", `评分项 ${number}`);
  row.querySelector("[data-row-remove]").setAttribute("aria-label", `删去评分项 ${number}`);
  row.querySelectorAll("input").forEach((field) => {
    field.value = "";
    field.classList.remove("is-invalid");
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
    const id = field.id.replace(/\d+$/, number);
    row.querySelector(`label[for="${field.id}"]`).htmlFor = id;
    field.id = id;
  });
  last.after(row);
  refresh(editor);
  row.querySelector("input").focus();
}

function remove(editor, row) {
  const next = row.nextElementSibling?.querySelector("input") ?? row.previousElementSibling?.querySelector("input");
  row.remove();
  refresh(editor);
  next?.focus();
}

function refresh(editor) {
  const all = rows(editor);
  const sum = all.reduce((total, row) => total + (Number(row.querySelector("[data-row-points]").value) || 0), 0);
  const total = editor.querySelector("[data-rows-total]");
  total.hidden = false;
  total.textContent = ` ${sum} 分`;
  editor.querySelector("[data-row-add]").hidden = all.length >= most(editor);
  all.forEach((row) => { row.querySelector("[data-row-remove]").hidden = all.length < 2; });
}

document.addEventListener("click", (event) => {
  const editor = event.target.closest?.("[data-rows]");
  if (!editor) return;
  if (event.target.closest("[data-row-add]")) add(editor);
  const removal = event.target.closest("[data-row-remove]");
  if (removal) remove(editor, removal.closest("[data-row]"));
});
document.addEventListener("input", (event) => {
  if (event.target.matches?.("[data-row-points]")) refresh(event.target.closest("[data-rows]"));
});
const everywhere = (scope) => scope.querySelectorAll("[data-rows]").forEach(refresh);
everywhere(document);
document.addEventListener("htmx:load", (event) => everywhere(event.detail.elt));
