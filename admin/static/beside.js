// The table of results: a cell opens the work beside it, arrows go from cell to cell, Escape closes. Without this a cell is a link to its page.
const beside = (element) => element.closest("[data-beside]");
const panel = () => document.querySelector(".beside-panel");
let opener = null;

function close() {
  if (!panel() || panel().hidden) return;
  panel().hidden = true;
  beside(panel()).classList.remove("is-beside");
  opener?.removeAttribute("aria-current");
  opener?.focus();
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target?.id !== "beside") return;
  opener?.removeAttribute("aria-current");
  opener = event.detail.elt;
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id !== "beside") return;
  if (!event.detail.target.firstElementChild) { location.href = opener.href; return; }  // another page came, the log-in perhaps
  opener.setAttribute("aria-current", "true");
  beside(panel()).classList.add("is-beside");
  panel().hidden = false;
  panel().scrollTop = 0;
  panel().focus({ preventScroll: true });
});
document.addEventListener("click", (event) => event.target.closest?.("[data-beside-close]") && close());

const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
  const cell = event.target.closest?.(".matrix td");
  if (!cell || !steps[event.key] || event.altKey || event.ctrlKey || event.metaKey) return;
  const [down, right] = steps[event.key];
  const row = cell.closest("tbody").rows[cell.parentElement.rowIndex - 1 + down];
  const next = row?.cells[cell.cellIndex + right]?.querySelector("a");
  if (next) { event.preventDefault(); next.focus(); }
});
