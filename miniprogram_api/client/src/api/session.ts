// Who this phone is to the platform: a token, kept on the phone and renewed before it ends. One log-in at a time, whoever asks.
import { now } from "../lib/clock";
import { parse } from "../lib/moments";
import { online } from "../lib/online";
import { send } from "./transport";
import { Problem, noNetwork } from "./problem";

interface Session {
  token: string;
  expires_at: string;
  bound: boolean;
}

const KEY = "session";
const EARLY_MS = 10 * 60 * 1000;

let held: Session | null = null;
let logIn: Promise<Session> | null = null;

/** A token that is still good. */
export async function token(): Promise<string> {
  held ??= (wx.getStorageSync(KEY) as Session | "") || null;
  if (held && parse(held.expires_at) - EARLY_MS > now()) return held.token;
  return (await renew()).token;
}

/** Logs in anew; those who ask meanwhile wait for the same answer. */
export function renew(): Promise<Session> {
  logIn ??= begin().finally(() => {
    logIn = null;
  });
  return logIn;
}

async function begin(): Promise<Session> {
  const code = await weChatCode();
  const session = (await send("POST", "/login", { body: { code } })) as Session;
  held = session;
  wx.setStorageSync(KEY, session);
  return session;
}

async function weChatCode(): Promise<string> {
  try {
    return (await wx.login()).code;
  } catch {
    if (!online.connected()) throw noNetwork();
    throw new Problem("no-wechat", "微信登录没有成功", "请检查网络后重试；一直不行的，请关闭小程序再打开。");
  }
}

export function forget(): void {
  held = null;
  wx.removeStorageSync(KEY);
}
