// One request to the platform, without knowing who sends it: the answer's data, or a Problem.
import { heard } from "../lib/clock";
import { noNetwork, problemOf, tooSlow } from "./problem";

declare const PLATFORM_ADDRESS: string;
export const ORIGIN = PLATFORM_ADDRESS;
export const BASE = `${ORIGIN}/api/v1`;
const TIMEOUT_MS = 15_000;
/** Of a part of a file, over a slow line. */
const PATIENT_MS = 120_000;

export type Query = Record<string, string | number | boolean | undefined | null>;

export interface Sent {
  body?: unknown;
  query?: Query;
  token?: string;
  /** Of a file, instead of a body. */
  bytes?: ArrayBuffer;
}

/** iOS has no URLSearchParams in a mini-program. */
export function queryString(query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return pairs.length ? `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&")}` : "";
}

export const bearer = (token: string | undefined): Record<string, string> => (token ? { Authorization: `Bearer ${token}` } : {});

export async function send(method: "GET" | "POST" | "PUT" | "DELETE", path: string, { body, query, token, bytes }: Sent = {}): Promise<unknown> {
  const header = { ...bearer(token), "Content-Type": bytes ? "application/octet-stream" : "application/json" };
  let answer: WechatMiniprogram.RequestSuccessCallbackResult;
  try {
    answer = await new Promise((success, fail) => {
      wx.request({ url: BASE + path + queryString(query), method, header, data: bytes ?? (body as string | undefined), timeout: bytes ? PATIENT_MS : TIMEOUT_MS, success, fail });
    });
  } catch (failure) {
    throw /timeout/.test(String((failure as { errMsg?: string }).errMsg)) ? tooSlow() : noNetwork();
  }
  const headers = answer.header as Record<string, string>;
  heard(headers["Date"] ?? headers["date"]);
  const good = answer.statusCode >= 200 && answer.statusCode < 300;
  if (answer.statusCode === 204) return undefined;
  if (!good || typeof answer.data !== "object" || answer.data === null) throw problemOf(answer.statusCode, answer.data, headers);
  return answer.data;
}
