import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Stub } from "./stub";

let stub: Stub;
let api: typeof import("../src/api/api");

beforeEach(async () => {
  vi.resetModules();
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((act: () => void) => { queueMicrotask(act); return 0; }) as never);
  stub = new Stub();
  api = await import("../src/api/api");
});
afterEach(() => vi.restoreAllMocks());

const refused = { type: "code-expired", title: "签到码已过期", detail: "请重新扫描。", status: 422, instance: "request-1" };
const sent = () => api.post("/check-ins", { code: "GX1:x", nonce: "n1" });

test("several calls at once log in once", async () => {
  stub.answers(...Array.from({ length: 3 }, () => ({ statusCode: 200, data: {} })));
  await Promise.all([api.get("/me"), api.get("/me"), api.get("/me")]);
  expect(stub.logIns).toBe(1);
});

test("a token that is no longer taken is renewed, and the call made again", async () => {
  stub.answers({ statusCode: 401, data: { ...refused, type: "not-signed-in", status: 401 } }, { statusCode: 200, data: { bound: true } });
  expect(await api.get("/me")).toEqual({ bound: true });
  expect(stub.asked.map((one) => one.header["Authorization"])).toEqual(["Bearer token-1", "Bearer token-2"]);
});

test("what met no network is sent again with the same nonce", async () => {
  stub.answers({ errMsg: "request:fail" }, { statusCode: 503, data: "busy" }, { statusCode: 201, data: { status: "present" } });
  expect(await sent()).toEqual({ status: "present" });
  expect(stub.asked.map((one) => (one.data as { nonce: string }).nonce)).toEqual(["n1", "n1", "n1"]);
});

test("a POST without a nonce is sent once", async () => {
  stub.answers({ errMsg: "request:fail" });
  await expect(api.post("/inbox/read", { up_to: "0" })).rejects.toMatchObject({ type: "no-network" });
  expect(stub.asked).toHaveLength(1);
});

test("a refusal is shown in the platform's words, and not tried again", async () => {
  stub.answers({ statusCode: 422, data: refused });
  await expect(sent()).rejects.toMatchObject({ type: "code-expired", title: "签到码已过期", words: "请重新扫描。" });
  expect(stub.asked).toHaveLength(1);
});

test("the page of a hotel's portal is no answer, whatever its status", async () => {
  stub.answers({ statusCode: 200, data: "<html>请登录</html>" });
  await expect(sent()).rejects.toMatchObject({ type: "portal", title: "当前网络需要先登录" });
  expect(stub.asked).toHaveLength(1);
});

test("a server that breaks says how to go on, with the number of the request", async () => {
  const broken = { statusCode: 500, data: "<html>", header: { "X-Request-Id": "r-77" } };
  stub.answers(broken);
  await expect(api.get("/me")).rejects.toMatchObject({ type: "broken", detail: expect.stringContaining("r-77") });
});

test("an address with a missing place is a mistake of ours", () => {
  expect(api.address("/classes/{class_id}", { class_id: "a/b" })).toBe("/classes/a%2Fb");
  expect(() => api.address("/classes/{class_id}")).toThrow("class_id");
});

test("times are read as iOS reads them, and shown as Beijing's", async () => {
  const { moment, dayOf, period } = await import("../src/lib/moments");
  expect(moment("2026-03-17T16:30:00.123456Z")).toBe("3月18日 00:30");
  expect(dayOf("2026-03-17T16:30:00Z")).toBe("3月18日 周三");
  expect(period("2026-03-02", "2026-03-02")).toBe("2026年3月2日");
});

test("now is the server's, when the phone's clock is an hour off", async () => {
  const { heard, now } = await import("../src/lib/clock");
  heard(new Date(Date.now() + 3_600_000).toUTCString());
  expect(Math.abs(now() - Date.now() - 3_600_000)).toBeLessThan(3000);
});
