// A file that was handed in, opened on the phone: pictures large, documents by WeChat's own viewer.
import { Problem, download } from "../api/api";

const DOCUMENTS = ["doc", "docx", "xls", "xlsx", "ppt", "pptx", "pdf"] as const;
type Kind = (typeof DOCUMENTS)[number];

export function kindOf(name: string, mediaType: string): Kind | "picture" | "other" {
  if (mediaType.startsWith("image/")) return "picture";
  const end = name.split(".").pop()?.toLowerCase() ?? "";
  if ((DOCUMENTS as readonly string[]).includes(end)) return end as Kind;
  return mediaType === "application/pdf" ? "pdf" : "other";
}

/** 1.4 MB */
export const sizeOf = (bytes: number): string => (bytes < 2 ** 20 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 2 ** 20).toFixed(1)} MB`);

export async function openFile(path: string, places: Record<string, string>, name: string, mediaType: string): Promise<void> {
  const kind = kindOf(name, mediaType);
  if (kind === "other") throw new Problem("cannot-show", "手机上打不开这种文件", `“${name}”请在电脑上用浏览器打开 /phone/ 下载查看。`);
  const file = await download(path, places);
  try {
    if (kind === "picture") await wx.previewImage({ urls: [file] });
    else await wx.openDocument({ filePath: file, fileType: kind, showMenu: true });
  } catch {
    throw new Problem("cannot-show", "文件没有打开", `“${name}”可能已损坏或加密，请请学员重新提交，或在电脑上查看。`);
  }
}
