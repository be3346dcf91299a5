import { expect, test } from "vitest";
import { contentOf, criteriaOf, criteriaWords, rowsOf, withPart, type Scheme } from "../src/lib/scheme";

const scheme = {
  objectives: "能独立实施", places: "301", materials: "", signatures: [],
  courses: [{ title: "教学实施", hours: 30, teacher_id: "a", teacher_name: "甲" }],
  sessions: [{ title: "上午", course: "教学实施", starts_at: "2026-03-17T00:30:00.000Z", ends_at: "2026-03-17T04:15:00.000Z", hours: 5, place: "301", teacher_id: "", teacher_name: "" }],
  tasks: [{ title: "教学设计", instructions: "", kind: "FORMATIVE", kind_title: "过程性考核", deadline: "2026-03-27T15:59:00.000Z", criteria: [{ title: "任务 描述", points: 60 }, { title: "策划", points: 40 }], assessor_id: "", assessor_name: "" }],
} as unknown as Scheme;

test("a part that was opened and not touched goes back as the same moments, whatever the phone's zone", () => {
  const content = contentOf(scheme);
  for (const part of ["courses", "sessions", "tasks"] as const) {
    const back = withPart(content, part, "", rowsOf(part, scheme));
    const instant = (value: unknown) => JSON.parse(JSON.stringify(value), (_, one) => (typeof one === "string" && /^\d{4}-.*T/.test(one) ? Date.parse(one) : one));
    expect(instant(back)).toEqual(instant(content));
  }
  expect(rowsOf("tasks", scheme)[0]).toMatchObject({ date: "2026-03-27", time: "23:59" });
});

test("only the part that was written is another's", () => {
  expect(withPart(contentOf(scheme), "places", "302", [])).toEqual({ ...contentOf(scheme), places: "302" });
});

test("criteria are lines that end in points, and a line without says so", () => {
  expect(criteriaOf("任务 描述 60\n\n策划：40分")).toEqual([{ title: "任务 描述", points: 60 }, { title: "策划", points: 40 }]);
  expect(criteriaWords(criteriaOf("任务 60"))).toBe("任务 60");
  expect(() => criteriaOf("任务描述")).toThrow("要写分值");
});

test("a row without its day or hours is named before anything is sent", () => {
  const [row] = rowsOf("sessions", scheme);
  expect(() => withPart(contentOf(scheme), "sessions", "", [row!, { ...row!, date: "" }])).toThrow("第 2 条");
  expect(() => withPart(contentOf(scheme), "courses", "", [{ title: "教学实施", hours: "0", teacher_id: "" }])).toThrow("第 1 条");
});
