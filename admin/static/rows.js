// Repeated rows of a form: rows are added, removed, numbered and summed up. Without this the form works with the rows that are there.
//   [data-rows="课程第 # 行"]   holds [data-row]s and a [data-row-add]; # is the row's place. Rows may hold such lists themselves.
//     data-rows-most, data-rows-least (1)
//     <template>               what a new row looks like; without one it is the last row, emptied
//   [data-row="n"]             fields whose id carries the n ("items-n-title") get a number of their own
//   [data-row-name]            says which row it is; [data-row-remove] removes it
//   [data-rows-total="合计 # 课时"]   the sum of the fields with data-sum
// Whoever wants to know of a change listens for "rows:changed"; whoever wants so many rows says "rows:want".
const all = (list, selector) => [...list.querySelectorAll(selector)].filter((one) => one.closest("[data-rows]") === list);
const rowsOf = (list) => [...list.querySelectorAll("[data-row]")].filter((one) => one.parentElement.closest("[data-rows]") === list);
const NUMBERED = ["id", "for", "aria-describedby"];

function emptied(last) {
  const row = last.cloneNode(true);
  row.querySelectorAll(".field-error").forEach((note) => note.remove());
  row.querySelectorAll("[data-rows]").forEach((list) => rowsOf(list).slice(1).forEach((inner) => inner.remove()));
  row.querySelectorAll("input:not([data-fixed]), textarea, select").forEach((field) => {
    if (field.matches("[type=checkbox], [type=radio]")) field.checked = false;
    else if (field.tagName === "SELECT") field.selectedIndex = 0;
    else field.value = "";
    field.classList.remove("is-invalid");
    field.removeAttribute("aria-invalid");
  });
  row.classList.remove("is-wrong");
  return row;
}

/** Gives the ids in a row a number that no other row has. */
function number(row, list) {
  const before = row.dataset.row;
  if (!before) return;
  const fresh = String(Math.max(...rowsOf(list).map((one) => Number(one.dataset.row))) + 1);
  const part = new RegExp(`-${before}(?=-|$)`);
  for (const element of [row, ...row.querySelectorAll("*")]) {
    for (const name of NUMBERED) {
      const value = element.getAttribute(name);
      if (value) element.setAttribute(name, value.replace(part, `-${fresh}`));
    }
  }
  row.dataset.row = fresh;
}

function addRow(list) {
  const template = list.querySelector(":scope > template");
  const present = rowsOf(list);
  const last = present[present.length - 1];
  const row = template ? template.content.firstElementChild.cloneNode(true) : emptied(last);
  number(row, list);
  if (last) last.after(row);
  else template.before(row);
  row.querySelectorAll("[data-rows]").forEach(refresh);
  refresh(list);
  return row;
}

function removeRow(list, row) {
  const present = rowsOf(list);
  const place = present.indexOf(row);
  row.remove();
  refresh(list);
  return present[place + 1] ?? present[place - 1];
}

function refresh(list) {
  const present = rowsOf(list);
  all(list, "[data-row-add]").forEach((button) => { button.hidden = present.length >= Number(list.dataset.rowsMost); });
  present.forEach((row, place) => {
    const name = list.dataset.rows.replace("#", place + 1);
    row.setAttribute("aria-label", name);
    const own = (selector) => [...row.querySelectorAll(selector)].filter((one) => one.closest("[data-row]") === row);
    own("[data-row-name]").forEach((title) => { title.textContent = name; });
    own("[data-row-remove]").forEach((button) => {
      button.hidden = present.length <= Number(list.dataset.rowsLeast ?? 1);
      if (button.hasAttribute("aria-label")) button.setAttribute("aria-label", `删去${name}`);
    });
  });
  all(list, "[data-rows-total]").forEach((total) => {
    const sum = all(list, "[data-sum]").reduce((hours, field) => hours + (Number(field.value) || 0), 0);
    total.hidden = false;
    total.textContent = total.dataset.rowsTotal.replace("#", sum);
  });
  list.dispatchEvent(new CustomEvent("rows:changed", { bubbles: true }));
}

const focus = (row) => row?.querySelector("input:not([type=hidden]), textarea, select")?.focus();
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-row-add], [data-row-remove]");
  const list = button?.closest("[data-row-add]") ? button.closest("[data-rows]") : button?.closest("[data-row]").parentElement.closest("[data-rows]");
  if (!list) return;
  if (button.matches("[data-row-add]")) return focus(addRow(list));
  const neighbour = removeRow(list, button.closest("[data-row]"));
  if (neighbour) focus(neighbour);
  else all(list, "[data-row-add]")[0].focus();
  list.dispatchEvent(new Event("input", { bubbles: true }));  // something was changed, as by typing
});
document.addEventListener("input", (event) => {
  for (let list = event.target.closest?.("[data-rows]"); list; list = list.parentElement.closest("[data-rows]")) refresh(list);
});
document.addEventListener("rows:want", ({ target: list, detail: count }) => {
  while (rowsOf(list).length < count) addRow(list);
  while (rowsOf(list).length > count) removeRow(list, rowsOf(list)[rowsOf(list).length - 1]);
});
const everywhere = (scope) => scope.querySelectorAll("[data-rows]").forEach(refresh);
everywhere(document);
document.addEventListener("htmx:load", (event) => everywhere(event.detail.elt));
