import { beforeEach, expect, test } from "vitest";
import { draftOf, dropDraft, keepDraft } from "../src/lib/drafts";
import { Stub } from "./stub";

let stub: Stub;
beforeEach(() => {
  stub = new Stub();
});

test("what was typed is there again until it was sent", () => {
  expect(keepDraft("task", { text: "一" })).toBe(true);
  expect(draftOf("task")).toEqual({ text: "一" });
  dropDraft("task");
  expect(draftOf("task")).toBeNull();
});

test("a phone without room says so and keeps the other drafts it can", () => {
  keepDraft("old", 1);
  stub.full = true;
  expect(keepDraft("new", 2)).toBe(false);
});
