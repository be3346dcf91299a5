// What the phone keeps: of each phone that is held in this browser apart, and still there tomorrow.
import { Failure, call } from "./call";

const LARGEST_KB = 10 * 1024;

export function storage(owner: string) {
  const prefix = `phone:${owner}:`;
  const keys = () => Object.keys(localStorage).filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  const get = (key: string): unknown => {
    const text = localStorage.getItem(prefix + key);
    return text === null ? "" : JSON.parse(text);
  };
  const set = (key: string, data: unknown): void => {
    try {
      localStorage.setItem(prefix + key, JSON.stringify(data));
    } catch {
      throw new Failure("setStorage", "exceed storage max size");
    }
  };
  const remove = (key: string): void => localStorage.removeItem(prefix + key);
  const info = () => ({ keys: keys(), currentSize: Math.ceil(keys().reduce((sum, key) => sum + (localStorage.getItem(prefix + key)?.length ?? 0), 0) / 1024), limitSize: LARGEST_KB });
  return {
    getStorageSync: get,
    setStorageSync: set,
    removeStorageSync: remove,
    clearStorageSync: () => keys().forEach(remove),
    getStorageInfoSync: info,
    getStorage: call("getStorage", ({ key }: { key: string }) => {
      if (!keys().includes(key)) throw new Failure("getStorage", "data not found");
      return { data: get(key) };
    }),
    setStorage: call("setStorage", ({ key, data }: { key: string; data: unknown }) => set(key, data)),
    removeStorage: call("removeStorage", ({ key }: { key: string }) => remove(key)),
  };
}
