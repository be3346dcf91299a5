import { beforeEach, expect, test } from "vitest";
import { Problem } from "../src/api/problem";
import { LOADING, show } from "../src/lib/show";
import { Stub } from "./stub";

function page(data: object = LOADING) {
  const made = { data: { ...data } as typeof LOADING & Record<string, unknown>, setData: (change: object) => void Object.assign(made.data, change) };
  return made;
}
beforeEach(() => void new Stub());

test("a page shows what was fetched, or that there is nothing", async () => {
  const full = page();
  await show(full, async () => ({ items: [1] }));
  expect(full.data).toMatchObject({ state: "ready", items: [1] });
  const empty = page();
  await show(empty, async () => null);
  expect(empty.data.state).toBe("empty");
});

test("what is shown stays when it cannot be fetched anew", async () => {
  const one = page();
  await show(one, async () => ({ items: [1] }));
  await show(one, async () => { throw new Problem("no-network", "网络不通", "请重试。"); });
  expect(one.data).toMatchObject({ state: "ready", items: [1], failure: { title: "网络不通", detail: "请重试。" } });
});

test("a first fetch that fails leaves a way to try again", async () => {
  const one = page();
  await show(one, async () => { throw new Problem("no-network", "网络不通", "请重试。"); });
  expect(one.data.state).toBe("failed");
});
