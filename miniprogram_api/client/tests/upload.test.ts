import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Stub } from "./stub";

let stub: Stub;
let upload: typeof import("../src/api/upload").upload;
const file = { nonce: "n", name: "教案.pdf", size: 10, path: "wxfile://1", uploadId: "", state: "sending" as const, percent: 0, refusal: "" };
const begun = (missing: number[]) => ({ statusCode: 201, data: { upload_id: "u1", missing, part_bytes: 4 } });
const taken = { statusCode: 200, data: {} };

beforeEach(async () => {
  vi.resetModules();
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((act: () => void) => { queueMicrotask(act); return 0; }) as never);
  stub = new Stub();
  stub.files.set(file.path, file.size);
  ({ upload } = await import("../src/api/upload"));
});
afterEach(() => vi.restoreAllMocks());

test("a file goes in parts, the last one shorter, and only those that are missing", async () => {
  stub.answers(begun([1, 2]), taken, taken);
  const told: number[] = [];
  expect(await upload(file, (percent) => told.push(percent))).toBe("u1");
  expect(told).toEqual([67, 100]);
  const [, ...parts] = stub.asked;
  expect(parts.map((one) => [one.method, one.url.replace(/.*\/v1/, ""), [...new Uint8Array(one.data as ArrayBuffer)]])).toEqual([["PUT", "/uploads/u1/parts/1", [4, 5, 6, 7]], ["PUT", "/uploads/u1/parts/2", [8, 9]]]);
});

test("a part that met a cut line is sent again", async () => {
  stub.answers(begun([0]), { errMsg: "request:fail" }, taken);
  await upload({ ...file, size: 4 }, () => undefined);
  expect(stub.asked.map((one) => one.method)).toEqual(["POST", "PUT", "PUT"]);
});

test("a file that is not on the phone any more says so", async () => {
  stub.answers(begun([0]));
  await expect(upload({ ...file, path: "gone" }, () => undefined)).rejects.toMatchObject({ type: "file-gone" });
});
