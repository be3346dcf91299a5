// What the phone is and can: its size, its place, its clipboard, its theme.
import { Failure, Listeners, call } from "./call";
import type { Dialogs } from "./dialogs";
import { scan } from "./scanner";

const LIBRARY = "3.8.12";
const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = () => (dark.matches ? "dark" : "light");

function windowInfo() {
  const page = document.getElementById("pages")!;
  return { windowWidth: page.clientWidth, windowHeight: page.clientHeight, screenWidth: innerWidth, screenHeight: innerHeight, pixelRatio: devicePixelRatio, statusBarHeight: 0, safeArea: { top: 0, left: 0, right: innerWidth, bottom: innerHeight, width: innerWidth, height: innerHeight } };
}
const deviceInfo = () => ({ platform: "browser", system: navigator.platform, brand: "", model: "" });
const baseInfo = () => ({ SDKVersion: LIBRARY, language: "zh_CN", theme: theme(), fontSizeSetting: 16, version: "browser" });

function locate(): Promise<{ latitude: number; longitude: number; accuracy: number }> {
  return new Promise((done, failed) => {
    if (!navigator.geolocation) return failed(new Failure("getLocation", "system permission denied"));
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => done({ latitude: coords.latitude, longitude: coords.longitude, accuracy: coords.accuracy }),
      (error) => failed(new Failure("getLocation", error.code === error.PERMISSION_DENIED ? "auth deny" : error.message)),
      { enableHighAccuracy: true, timeout: 10_000 },
    );
  });
}

export function device(dialogs: Dialogs) {
  const themes = new Listeners<{ theme: string }>();
  const sizes = new Listeners<{ size: { windowWidth: number; windowHeight: number } }>();
  dark.addEventListener("change", () => themes.tell({ theme: theme() }));
  addEventListener("resize", () => sizes.tell({ size: windowInfo() }));
  return {
    getSystemInfoSync: () => ({ ...windowInfo(), ...deviceInfo(), ...baseInfo() }),
    getWindowInfo: windowInfo,
    getDeviceInfo: deviceInfo,
    getAppBaseInfo: baseInfo,
    getAccountInfoSync: () => ({ miniProgram: { appId: "", envVersion: "release", version: "" } }),
    getMenuButtonBoundingClientRect: () => ({ top: 6, bottom: 38, height: 32, width: 87, left: innerWidth - 97, right: innerWidth - 10 }),
    canIUse: () => true,
    onThemeChange: themes.on,
    offThemeChange: themes.off,
    onWindowResize: sizes.on,
    offWindowResize: sizes.off,
    scanCode: call("scanCode", () => scan(dialogs)),
    getLocation: call("getLocation", locate),
    setClipboardData: call("setClipboardData", async ({ data }: { data: string }) => {
      await navigator.clipboard.writeText(data);
      dialogs.showToast("内容已复制", "success", 1500);
    }),
    getClipboardData: call("getClipboardData", async () => ({ data: await navigator.clipboard.readText() })),
    makePhoneCall: call("makePhoneCall", ({ phoneNumber }: { phoneNumber: string }) => void open(`tel:${phoneNumber}`)),
    vibrateShort: call("vibrateShort", () => void navigator.vibrate?.(15)),
    vibrateLong: call("vibrateLong", () => void navigator.vibrate?.(400)),
    setKeepScreenOn: call("setKeepScreenOn", () => undefined),
    setScreenBrightness: call("setScreenBrightness", () => undefined),
    hideKeyboard: call("hideKeyboard", () => (document.activeElement as HTMLElement | null)?.blur()),
    createAnimation: () => {
      const animation: unknown = new Proxy({ export: () => ({ actions: [] }) }, { get: (target, name) => (name === "export" ? target.export : () => animation) });
      return animation;
    },
    createOffscreenCanvas: ({ width, height }: { width: number; height: number }) => new OffscreenCanvas(width, height),
    nextTick: (act: () => void) => queueMicrotask(act),
  };
}
