import { expect, test } from "vitest";
import { clamp, filterOf, nextUngraded, open, taps } from "../src/lib/marking";
import { kindOf, pictureOf, sizeOf } from "../src/lib/opening";
import { choicesFor } from "../src/lib/rolls";

const work = (person_id: string, submission: unknown, graded = false) => ({ person_id, submission, graded });

test("the next one to grade is looked for after this one and then from the top, and never is this one", () => {
  const works = [work("a", {}), work("b", {}, true), work("c", {}), work("d", null)];
  expect(nextUngraded(works, "a")).toBe("c");
  expect(nextUngraded(works, "c")).toBe("a");
  expect(nextUngraded([work("a", {}), work("b", {}, true)], "a")).toBeNull();
  expect(works.map(filterOf)).toEqual(["waiting", "graded", "waiting", "nothing"]);
});

test("points are offered best first, once each, and never leave what the criterion has", () => {
  expect(taps(40)).toEqual([40, 36, 32, 28, 24, 0]);
  expect(taps(1)).toEqual([1, 0]);
  expect([clamp(-1, 5), clamp(6, 5)]).toEqual([0, 5]);
});

test("zero points are points, and no points are missing", () => {
  expect(open(["c1", "c2"], { c1: 0 })).toEqual(["c2"]);
});

test("who is missing is registered, who is in is corrected, and flags are judged first", () => {
  expect(choicesFor(null, []).map((one) => one.words)).toEqual(["补签为出勤", "补签为迟到"]);
  expect(choicesFor("late", []).map((one) => one.status)).toEqual(["present", "void"]);
  expect(choicesFor("present", ["no-location"])[0]).toMatchObject({ kind: "judge", verdict: "fine" });
});

test("a file is opened by its kind, whatever the case of its name", () => {
  expect([kindOf("教案.DOCX", "application/octet-stream"), kindOf("a", "application/pdf"), kindOf("p.heic", "image/heic"), kindOf("x.txt", "text/plain"), kindOf("x.zip", "application/zip")]).toEqual(["docx", "pdf", "picture", "text", "other"]);
  expect([sizeOf(10), sizeOf(1.5 * 2 ** 20)]).toEqual(["1 KB", "1.5 MB"]);
});

test("a picture is shown small by its own link, and what is no picture has none", () => {
  expect(pictureOf({ picture: "/api/v1/pictures/a/b?until=1&seal=c" })).toMatch(/\/api\/v1\/pictures\/a\/b\?until=1&seal=c&width=320$/);
  expect(pictureOf({ picture: null })).toBe("");
});
