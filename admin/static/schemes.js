// The editor of a training scheme: rows are added and removed, hours summed up. Without this the form works with the rows that are there.
const rows = (editor) => [...editor.querySelectorAll(":scope > [data-row]")];

function add(editor) {
  const row = editor.querySelector("template").content.firstElementChild.cloneNode(true);
  (rows(editor).at(-1) ?? editor.querySelector("template")).after(row);
  refresh(editor);
  row.querySelector("input").focus();
}

function remove(editor, row) {
  const next = rows(editor).find((other) => other !== row)?.querySelector("input");
  row.remove();
  refresh(editor);
  (next ?? editor.querySelector("[data-row-add]")).focus();
}

function refresh(editor) {
  const all = rows(editor);
  editor.querySelector("[data-row-add]").hidden = all.length >= Number(editor.dataset.rowsMost);
  const name = editor.querySelector("legend").textContent;
  all.forEach((row, place) => {
    row.setAttribute("aria-label", `${name}第 ${place + 1} 行`);
    row.querySelector("[data-row-remove]").hidden = false;
  });
  editor.querySelectorAll("[data-criteria]").forEach((list) => {
    list.querySelector("[data-criterion-add]").hidden = list.querySelectorAll("[data-criterion]").length >= Number(list.dataset.criteriaMost);
  });
  const total = editor.querySelector("[data-hours-total]");
  if (total) {
    const sum = all.reduce((hours, row) => hours + (Number(row.querySelector("[data-hours]").value) || 0), 0);
    total.hidden = false;
    total.textContent = `合计 ${sum} 课时`;
  }
  if (editor.dataset.schemeRows === "courses") offer(all);
}

/** The courses as they are typed, for the timetable to choose from. */
function offer(all) {
  const titles = new Set(all.map((row) => row.querySelector("input").value.trim()).filter(Boolean));
  document.getElementById("courses-of-scheme").replaceChildren(...[...titles].map((title) => new Option(title, title)));
}

/** One more criterion of a task, before the fields that end its list. */
function addCriterion(list) {
  const all = list.querySelectorAll("[data-criterion]");
  const row = all[all.length - 1].cloneNode(true);
  row.querySelectorAll("input").forEach((field) => { field.value = ""; });
  all[all.length - 1].after(row);
  row.querySelector("input").focus();
  list.querySelector("[data-criterion-add]").hidden = all.length + 1 >= Number(list.dataset.criteriaMost);
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-criterion-add]")) return addCriterion(event.target.closest("[data-criteria]"));
  const editor = event.target.closest?.("[data-scheme-rows]");
  if (!editor) return;
  if (event.target.closest("[data-row-add]")) add(editor);
  const removal = event.target.closest("[data-row-remove]");
  if (removal) remove(editor, removal.closest("[data-row]"));
});
document.addEventListener("input", (event) => {
  const editor = event.target.closest?.("[data-scheme-rows]");
  if (editor) refresh(editor);
});
const everywhere = (scope) => scope.querySelectorAll("[data-scheme-rows]").forEach(refresh);
everywhere(document);
document.addEventListener("htmx:load", (event) => everywhere(event.detail.elt));
