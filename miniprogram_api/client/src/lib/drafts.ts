// What somebody has typed, kept on the phone until it has been sent: no call, no crash, no log-out loses it.

const PREFIX = "draft:";
const MOST = 60;

interface Draft<Value> {
  value: Value;
  at: number;
}

/** false where the phone has no room left: then the page says so. */
export function keepDraft<Value>(key: string, value: Value): boolean {
  const draft: Draft<Value> = { value, at: Date.now() };
  try {
    wx.setStorageSync(PREFIX + key, draft);
    return true;
  } catch {
    dropOldest();
  }
  try {
    wx.setStorageSync(PREFIX + key, draft);
    return true;
  } catch {
    return false;
  }
}

export function draftOf<Value>(key: string): Value | null {
  const draft = wx.getStorageSync(PREFIX + key) as Draft<Value> | "";
  return draft ? draft.value : null;
}

export function dropDraft(key: string): void {
  wx.removeStorageSync(PREFIX + key);
}

function dropOldest(): void {
  const keys = wx.getStorageInfoSync().keys.filter((key) => key.startsWith(PREFIX));
  const dated = keys.map((key) => ({ key, at: (wx.getStorageSync(key) as Draft<unknown>).at }));
  dated.sort((one, other) => one.at - other.at);
  const surplus = Math.max(1, dated.length - MOST);
  for (const { key } of dated.slice(0, surplus)) wx.removeStorageSync(key);
}
