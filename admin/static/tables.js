// Tables: cards on a phone, a head that stays in sight, and steps taken for several rows.
//   data-table                 around a table; data-choose-all: the box in its head that chooses this page
//   data-batch, data-unit      the form that the boxes (name="chosen") belong to; data-batch-count in it says how many
//   data-batch-of="id"         in a dialog: a line that says for whom it will be done; the dialog's form takes the chosen along

/** Does something to what is on the page now and to what htmx brings later. */
function whenever(selector, prepare) {
  const all = (scope) => {
    if (scope.matches?.(selector)) prepare(scope);
    scope.querySelectorAll(selector).forEach(prepare);
  };
  all(document.body);
  document.addEventListener("htmx:load", (event) => all(event.detail.elt));
}

/** A table that fits needs no scrolling of its own: its head then sticks to the page, and the keyboard need not stop there. */
const measured = new ResizeObserver((entries) => entries.forEach(({ target }) => {
  target.classList.remove("fits");
  const fits = target.scrollWidth <= target.clientWidth;
  target.classList.toggle("fits", fits);
  if (fits) target.removeAttribute("tabindex");
  else target.tabIndex = 0;
}));

whenever("[data-table] table", (table) => {
  const titles = Array.from(table.tHead.rows[0].cells, (cell) => cell.textContent.trim());
  for (const row of table.tBodies[0].rows) {
    Array.from(row.cells).forEach((cell, index) => cell.colSpan > 1 || (cell.dataset.title = titles[index] ?? ""));
  }
  table.classList.add("as-cards");
  measured.observe(table.closest("[data-table]"));
});

// The menu of a row closes when something in it is chosen.
document.addEventListener("click", (event) => {
  const menu = event.target instanceof Element && event.target.closest(".row-menu-panel a, .row-menu-panel button")?.closest("details");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// Steps for several rows: "all" is this page.
const boxes = (id) => Array.from(document.querySelectorAll(`input[name="chosen"][form="${id}"]`));
const chosen = (id) => boxes(id).filter((box) => box.checked);

function tellChosen(id) {
  const bar = document.getElementById(id);
  if (!bar?.matches("[data-batch]")) return;
  const many = chosen(id).length;
  bar.classList.toggle("has-chosen", many > 0);
  bar.querySelector("[data-batch-count]").textContent = many ? `已选 ${many} ${bar.dataset.unit}` : "勾选后可以一起办理";
  bar.querySelectorAll("button").forEach((button) => { button.disabled = many === 0; });
  document.querySelectorAll("[data-choose-all]").forEach((all) => {
    if (boxesBelow(all)[0]?.getAttribute("form") !== id) return;
    all.checked = many > 0 && many === boxes(id).length;
    all.indeterminate = many > 0 && !all.checked;
  });
}
const boxesBelow = (all) => Array.from(all.closest("table").querySelectorAll("input[name=chosen]"));

whenever("[data-batch]", (bar) => tellChosen(bar.id));
whenever("[data-choose-all]", (all) => { all.hidden = boxesBelow(all).length === 0; });
addEventListener("pageshow", () => document.querySelectorAll("[data-batch]").forEach((bar) => tellChosen(bar.id)));
document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.matches("[data-choose-all]")) {
    boxesBelow(field).forEach((box) => { box.checked = field.checked; });
    tellChosen(boxesBelow(field)[0].getAttribute("form"));
  } else if (field.matches("input[name=chosen][form]")) tellChosen(field.getAttribute("form"));
});

const NAMED = 5;
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element && event.target.closest("[data-dialog-open]");
  const dialog = button && document.getElementById(button.dataset.dialogOpen);
  const line = dialog?.querySelector("[data-batch-of]");
  if (!line) return;
  const found = chosen(line.dataset.batchOf);
  const unit = document.getElementById(line.dataset.batchOf).dataset.unit;
  const names = found.slice(0, NAMED).map((box) => box.dataset.name).join("、");
  line.textContent = `将办理 ${found.length} ${unit}：${names}${found.length > NAMED ? "等" : ""}。`;
  const form = dialog.querySelector("form");
  form.querySelectorAll("input[name=chosen]").forEach((field) => field.remove());
  for (const box of found) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "chosen";
    field.value = box.value;
    form.append(field);
  }
}, true);
