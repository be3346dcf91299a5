// The parts of a training scheme as somebody writes them on a phone: rows of text fields, and back into what the API takes. Pure.
import type { Schemas } from "../api/api";
import { Problem } from "../api/problem";
import { parse } from "./moments";

export type Scheme = Schemas["SchemeAnswer"];
export type Content = Omit<Schemas["SchemeRequest"], "based_on">;
export type Part = "objectives" | "courses" | "sessions" | "tasks" | "places" | "materials";
export type Row = Record<string, string>;
export interface Field {
  name: string;
  label: string;
  type: "text" | "area" | "number" | "date" | "time" | "choice";
  choices?: { words: string; value: string }[];
}

export const TITLES: Record<Part, string> = { objectives: "培训目标", courses: "课程与课时", sessions: "课程表", tasks: "学习成果与考核", places: "培训场所", materials: "教材与资料" };
export const isText = (part: Part): part is "objectives" | "places" | "materials" => ["objectives", "places", "materials"].includes(part);

const unreadable = (words: string) => new Problem("unreadable", "没有填完整", words);
const BEIJING_MS = 8 * 3600 * 1000;
const beijing = (moment: string) => new Date(parse(moment) + BEIJING_MS).toISOString();
const dateOf = (moment: string) => beijing(moment).slice(0, 10);
const timeOf = (moment: string) => beijing(moment).slice(11, 16);
const momentOf = (date: string, time: string) => `${date}T${time}:00+08:00`;

/** "任务描述 60", one a line. */
export const criteriaWords = (criteria: readonly { title: string; points: number }[]) => criteria.map((one) => `${one.title} ${one.points}`).join("\n");

export function criteriaOf(words: string): { title: string; points: number }[] {
  const lines = words.split("\n").map((line) => line.trim()).filter(Boolean);
  return lines.map((line) => {
    const match = /^(.*?)[\s:：]+(\d+)\s*分?$/.exec(line);
    if (!match) throw unreadable(`评分标准“${line}”的末尾要写分值，如“任务描述 60”。`);
    return { title: match[1]!.trim(), points: Number(match[2]) };
  });
}

export function fieldsOf(part: Part, scheme: Scheme): Field[] {
  const teachers = [{ words: "未定", value: "" }, ...scheme.signatures.map((one) => ({ words: one.name, value: one.person_id }))];
  const courses = [{ words: "不属于某门课程", value: "" }, ...[...new Set(scheme.courses.map((one) => one.title))].map((title) => ({ words: title, value: title }))];
  const title: Field = { name: "title", label: "名称", type: "text" };
  switch (part) {
    case "courses":
      return [title, { name: "hours", label: "课时", type: "number" }, { name: "teacher_id", label: "教师", type: "choice", choices: teachers }];
    case "sessions":
      return [title, { name: "course", label: "课程", type: "choice", choices: courses }, { name: "date", label: "日期", type: "date" }, { name: "from", label: "开始", type: "time" }, { name: "to", label: "结束", type: "time" }, { name: "hours", label: "课时", type: "number" }, { name: "place", label: "地点", type: "text" }, { name: "teacher_id", label: "教师", type: "choice", choices: teachers }];
    case "tasks":
      return [title, { name: "instructions", label: "要求", type: "area" }, { name: "kind", label: "种类", type: "choice", choices: [{ words: "过程性考核", value: "FORMATIVE" }, { words: "终结性考核", value: "SUMMATIVE" }] }, { name: "date", label: "截止日期", type: "date" }, { name: "time", label: "截止时间", type: "time" }, { name: "criteria", label: "评分标准（一行一条，末尾写分值）", type: "area" }, { name: "assessor_id", label: "考核教师", type: "choice", choices: teachers }];
    default:
      return [];
  }
}

export function rowsOf(part: Part, scheme: Scheme): Row[] {
  switch (part) {
    case "courses":
      return scheme.courses.map((one) => ({ title: one.title, hours: String(one.hours), teacher_id: one.teacher_id }));
    case "sessions":
      return scheme.sessions.map((one) => ({ title: one.title, course: one.course, date: dateOf(one.starts_at), from: timeOf(one.starts_at), to: timeOf(one.ends_at), hours: String(one.hours), place: one.place, teacher_id: one.teacher_id }));
    case "tasks":
      return scheme.tasks.map((one) => ({ title: one.title, instructions: one.instructions, kind: one.kind, date: dateOf(one.deadline), time: timeOf(one.deadline), criteria: criteriaWords(one.criteria), assessor_id: one.assessor_id }));
    default:
      return [];
  }
}

/** What a row says for itself while it is closed. */
export function rowWords(part: Part, row: Row): string {
  if (part === "courses") return `${row["hours"]} 课时`;
  if (part === "sessions") return `${row["date"]} ${row["from"]}–${row["to"]} · ${row["place"]}`;
  return `${row["date"]} ${row["time"]} 截止`;
}

/** The whole scheme as it stands, without what the platform fills in. */
export function contentOf(scheme: Scheme): Content {
  const { objectives, places, materials } = scheme;
  return {
    objectives, places, materials,
    courses: scheme.courses.map(({ title, hours, teacher_id }) => ({ title, hours, teacher_id })),
    sessions: scheme.sessions.map(({ title, course, starts_at, ends_at, hours, place, teacher_id }) => ({ title, course, starts_at, ends_at, hours, place, teacher_id })),
    tasks: scheme.tasks.map(({ title, instructions, kind, deadline, criteria, assessor_id }) => ({ title, instructions, kind, deadline, criteria, assessor_id })),
  };
}

/** Only the one part is another's. Throws a Problem for a row that cannot be read. */
export function withPart(content: Content, part: Part, text: string, rows: readonly Row[]): Content {
  if (isText(part)) return { ...content, [part]: text };
  rows.forEach((row, index) => {
    const missing = Object.entries(row).find(([name, value]) => (!value || (name === "hours" && !(Number(value) > 0))) && ["title", "hours", "date", "from", "to", "time", "place"].includes(name));
    if (missing) throw unreadable(`第 ${index + 1} 条没有填完整。`);
  });
  if (part === "courses") return { ...content, courses: rows.map((row) => ({ title: row["title"]!, hours: Number(row["hours"]), teacher_id: row["teacher_id"] ?? "" })) };
  if (part === "sessions") {
    const sessions = rows.map((row) => ({ title: row["title"]!, course: row["course"] ?? "", starts_at: momentOf(row["date"]!, row["from"]!), ends_at: momentOf(row["date"]!, row["to"]!), hours: Number(row["hours"]), place: row["place"]!, teacher_id: row["teacher_id"] ?? "" }));
    return { ...content, sessions };
  }
  const tasks = rows.map((row) => ({ title: row["title"]!, instructions: row["instructions"] ?? "", kind: row["kind"] as "FORMATIVE" | "SUMMATIVE", deadline: momentOf(row["date"]!, row["time"]!), criteria: criteriaOf(row["criteria"] ?? ""), assessor_id: row["assessor_id"] ?? "" }));
  return { ...content, tasks };
}
