import { expect, test } from "vitest";
import { lastFour, noticeStanding, restored, standing, toSend, unanswered, workLacks } from "../src/lib/answering";
import { weekOf } from "../src/lib/weeks";

const QUESTIONS = [{ key: "a", kind: "scale" as const }, { key: "b", kind: "text" as const }];

test("points are asked for and texts are not, and only what is asked is sent", () => {
  expect(unanswered(QUESTIONS, { b: "好" })).toEqual(["a"]);
  expect(toSend(QUESTIONS, { a: 3, b: "  ", gone: 1 })).toEqual({ a: 3 });
});

test("a task says what its trainee has to do, and a grade goes before all", () => {
  const task = { deadline: "2026-03-02T09:00:00Z", maximum: 100, submission: null, grade: null };
  const then = Date.parse(task.deadline);
  expect(standing(task, then)[0]).toBe("待提交");
  expect(standing(task, then + 1)[0]).toBe("已过期限");
  expect(standing({ ...task, submission: { version: 1, late: true } }, then)[0]).toBe("已补交");
  expect(standing({ ...task, submission: { version: 1, late: false }, grade: { points: 0 } }, then)[0]).toBe("0 / 100 分");
});

test("notice, pledge and arrival come one after the other, and a pledge on paper counts", () => {
  const mine = { notice_opened_at: null, pledged_at: null, pledged_on_paper: false, arrived_at: null, arrival_required: true };
  const opened = { ...mine, notice_opened_at: "2026-03-01T00:00:00Z" };
  expect([mine, opened, { ...opened, pledged_on_paper: true }].map((one) => noticeStanding(one)[0])).toEqual(["未打开", "待签承诺书", "待报到"]);
  expect(noticeStanding({ ...opened, pledged_on_paper: true, arrival_required: false })[0]).toBe("已签承诺书");
});

test("a number that is masked throughout gives no code for the desk", () => {
  expect([lastFour("110***********123X"), lastFour("********")]).toEqual(["123X", ""]);
});

test("work is not sent while a file is on its way or without the declaration", () => {
  const file = { state: "sent" as const, uploadId: "u", refusal: "" };
  expect(workLacks("", [file], true)).toBe("");
  expect(workLacks("字", [{ ...file, state: "failed" }], true)).toContain("移除");
  expect(workLacks("字", [], false)).toContain("声明");
  expect(workLacks(" ", [], true)).toContain("填写");
  expect(restored([{ ...file, state: "sending" }, file]).map((one) => one.state)).toEqual(["failed", "sent"]);
});

test("a week is Beijing's: Sunday belongs to the one before, also at midnight", () => {
  expect(weekOf(Date.parse("2026-03-01T15:59:59Z"))).toEqual(["2026-02-23", "2026-03-01"]);
  expect(weekOf(Date.parse("2026-03-01T16:00:00Z"))).toEqual(["2026-03-02", "2026-03-08"]);
  expect(weekOf(Date.parse("2026-03-01T16:00:00Z"), -1)).toEqual(["2026-02-23", "2026-03-01"]);
});
