// Repeated rows of a form: rows are added and removed. Without this the form works with the rows that are there.
// [data-repeat] holds [data-repeat-row]s and a [data-repeat-add]; ids of fields carry their row as "items-<n>".
const rows = (editor) => [...editor.querySelectorAll("[data-repeat-row]")];

function renumber(text, number) {
  return text.replace(/items-\d+/, `items-${number}`);
}

function add(editor) {
  const last = rows(editor).at(-1);
  const row = last.cloneNode(true);
  const number = Number(last.id.split("-").at(-1)) + 1;
  row.id = renumber(row.id, number);
  row.querySelectorAll(".field-error").forEach((note) => note.remove());
  row.querySelectorAll("label").forEach((label) => { label.htmlFor = renumber(label.htmlFor, number); });
  row.querySelectorAll("input, select").forEach((field) => {
    field.value = "";
    field.classList.remove("is-invalid");
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
    field.id = renumber(field.id, number);
  });
  last.after(row);
  refresh(editor);
  row.querySelector("input:not([type=hidden])").focus();
}

function remove(editor, row) {
  const neighbour = row.nextElementSibling?.matches("[data-repeat-row]") ? row.nextElementSibling : row.previousElementSibling;
  row.remove();
  refresh(editor);
  neighbour?.querySelector("input:not([type=hidden])")?.focus();
}

function refresh(editor) {
  const all = rows(editor);
  editor.querySelector("[data-repeat-add]").hidden = all.length >= Number(editor.dataset.repeatMost);
  all.forEach((row, place) => {
    const name = `${editor.dataset.repeat} ${place + 1}`;
    row.setAttribute("aria-label", name);
    row.querySelector("[data-repeat-name]").textContent = name;
    const button = row.querySelector("[data-repeat-remove]");
    button.hidden = all.length < 2;
    button.setAttribute("aria-label", `删去${name}`);
  });
}

document.addEventListener("click", (event) => {
  const editor = event.target.closest?.("[data-repeat]");
  if (!editor) return;
  if (event.target.closest("[data-repeat-add]")) add(editor);
  const removal = event.target.closest("[data-repeat-remove]");
  if (removal) remove(editor, removal.closest("[data-repeat-row]"));
});
const everywhere = (scope) => scope.querySelectorAll("[data-repeat]").forEach(refresh);
everywhere(document);
document.addEventListener("htmx:load", (event) => everywhere(event.detail.elt));
