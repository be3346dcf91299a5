// wx.scanCode: by the camera where the browser can read codes, else by typing or pasting the code, which serves in a demonstration too.
import { Failure } from "./call";
import type { Dialogs } from "./dialogs";

interface Detector { detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]> }
type DetectorClass = new (options: { formats: string[] }) => Detector;

const LOOKS_EVERY_MS = 200;

export async function scan(dialogs: Dialogs): Promise<{ result: string; scanType: string; charSet: string }> {
  const result = (await byCamera()) ?? (await byHand(dialogs));
  return { result, scanType: "QR_CODE", charSet: "utf-8" };
}

async function byHand(dialogs: Dialogs): Promise<string> {
  const answer = await dialogs.ask({ title: "输入或粘贴二维码的内容", placeholderText: "这个浏览器不能用相机扫码", editable: true, confirmText: "确定" });
  if (!answer.confirm || !answer.content.trim()) throw new Failure("scanCode", "cancel");
  return answer.content.trim();
}

/** null where there is no camera, or it is refused, or nothing can read what it sees. */
async function byCamera(): Promise<string | null> {
  const Detects = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  if (!Detects || !navigator.mediaDevices) return null;
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    return null;
  }
  const dialog = document.createElement("dialog");
  dialog.className = "wx-scanner";
  dialog.setAttribute("aria-label", "扫码");
  const film = document.createElement("video");
  film.srcObject = stream;
  film.playsInline = true;
  const byTyping = document.createElement("button");
  byTyping.textContent = "手动输入";
  dialog.append(film, byTyping);
  document.body.appendChild(dialog);
  dialog.showModal();
  await film.play();
  const detector = new Detects({ formats: ["qr_code"] });
  try {
    return await new Promise<string | null>((done, failed) => {
      const timer = setInterval(async () => {
        const found = await detector.detect(film).catch(() => []);
        if (!found[0]) return;
        clearInterval(timer);
        done(found[0].rawValue);
      }, LOOKS_EVERY_MS);
      byTyping.onclick = () => { clearInterval(timer); done(null); };
      dialog.oncancel = () => { clearInterval(timer); failed(new Failure("scanCode", "cancel")); };
    });
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    dialog.remove();
  }
}
