// The editor of a training scheme reckons along: hours against what the level asks, the timetable against the courses, who teaches, which days.
const section = (name) => document.querySelector(`[data-section="${name}"]`);
const rowsIn = (name) => [...section(name).querySelectorAll("[data-row]")].filter((row) => row.parentElement.closest("[data-rows]") === section(name));
const cell = (row, name) => row.querySelector(`[name="${name}"]`);
const text = (row, name) => cell(row, name).value.trim();
const hours = (row, name) => Number(text(row, name)) || 0;
const chosen = (row, name) => (text(row, name) ? cell(row, name).selectedOptions[0].textContent : "");
const against = (sum, wanted) => (sum === wanted ? `${sum} / ${wanted}` : `${sum} / ${wanted}，${sum < wanted ? "还差" : "多出"} ${Math.abs(wanted - sum)}`);

function reckon() {
  const form = document.querySelector("form.scheme-form");
  if (!form) return;
  const board = form.querySelector("[data-reckon]");
  if (board.hidden && matchMedia("(min-width: 1500px)").matches) board.open = true;
  const courses = rowsIn("courses").filter((row) => text(row, "course_title"));
  const sessions = rowsIn("sessions").filter((row) => text(row, "session_title") || text(row, "session_day"));
  const tasks = rowsIn("tasks").filter((row) => text(row, "task_title"));
  const sum = courses.reduce((all, row) => all + hours(row, "course_hours"), 0);
  const planned = new Map();
  const arranged = new Map();
  for (const row of courses) planned.set(text(row, "course_title"), (planned.get(text(row, "course_title")) ?? 0) + hours(row, "course_hours"));
  for (const row of sessions) arranged.set(text(row, "session_course"), (arranged.get(text(row, "session_course")) ?? 0) + hours(row, "session_hours"));
  const taught = sessions.reduce((all, row) => all + hours(row, "session_hours"), 0);
  const floor = Number(board.dataset.floor);
  const days = new Set(sessions.map((row) => text(row, "session_day")).filter(Boolean));
  const outside = [...days].filter((day) => day < board.dataset.first || day > board.dataset.last);
  const span = Math.round((Date.parse(board.dataset.last) - Date.parse(board.dataset.first)) / 86400000) + 1;
  const nobodys = courses.filter((row) => !text(row, "course_teacher_id"));
  const teachers = new Set(courses.map((row) => chosen(row, "course_teacher_id")).filter(Boolean));
  const kinds = new Map([...(tasks[0] ? cell(tasks[0], "task_kind").options : [])].map((one) => [one.value, [one.textContent, 0]]));
  for (const row of tasks) kinds.get(text(row, "task_kind"))[1] += 1;
  const unassessed = tasks.filter((row) => !text(row, "task_assessor_id")).length;

  const enough = sum < floor ? `${sum} / ${floor}，还差 ${floor - sum}` : `${sum} / ${floor}`;
  const lines = [
    ["课表", against(taught, sum), taught === sum],
    ...[...planned].map(([title, wanted]) => [
      title, `${against(arranged.get(title) ?? 0, wanted)}${sum ? `（${Math.round(100 * wanted / sum)}%）` : ""}`, arranged.get(title) === wanted,
    ]),
    ["授课教师", `${[...teachers].join("、") || "未定"}${nobodys.length ? `；未定 ${nobodys.length} 行` : ""}`, !nobodys.length && teachers.size > 0],
    ["上课天数", `${days.size} / ${span} 天${outside.length ? `；不在培训班日期内 ${outside.length} 天` : ""}`, days.size > 0 && !outside.length],
    ["考核任务", `${[...kinds.values()].map(([name, count]) => `${name} ${count}`).join("，") || "还没有"}${unassessed ? `；未定考核教师 ${unassessed} 项` : ""}`, kinds.size > 0 && [...kinds.values()].every(([, count]) => count > 0)],
    ["培训目标", form.elements.objectives.value.trim() ? "已写" : "还没有写", Boolean(form.elements.objectives.value.trim())],
  ];
  board.hidden = false;
  board.querySelector("[data-reckon-hours]").textContent = `课时 ${enough}　课表 ${against(taught, sum)}`;
  board.querySelector("[data-reckon-lines]").replaceChildren(...lines.flatMap(([title, words, fits]) => {
    const name = document.createElement("dt");
    const said = document.createElement("dd");
    name.textContent = title;
    said.textContent = words;
    said.className = fits ? "" : "is-open";
    return [name, said];
  }));
  offer([...planned.keys()]);
}

/** The courses as they are typed, for the timetable to choose from. */
function offer(titles) {
  document.getElementById("courses-of-scheme").replaceChildren(...titles.map((title) => new Option(title, title)));
}

document.addEventListener("input", (event) => event.target.closest?.("form.scheme-form") && reckon());
document.addEventListener("rows:changed", reckon);
reckon();
