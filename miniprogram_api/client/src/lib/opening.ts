// A file that was handed in, opened on the phone: pictures large, documents by WeChat's own viewer, plain text by the page.
import { Problem, download } from "../api/api";
import { ORIGIN } from "../api/transport";

const DOCUMENTS = ["doc", "docx", "xls", "xlsx", "ppt", "pptx", "pdf"] as const;
type Kind = (typeof DOCUMENTS)[number];

export function kindOf(name: string, mediaType: string): Kind | "picture" | "text" | "other" {
  if (mediaType.startsWith("image/")) return "picture";
  const end = name.split(".").pop()?.toLowerCase() ?? "";
  if ((DOCUMENTS as readonly string[]).includes(end)) return end as Kind;
  if (mediaType.startsWith("text/")) return "text";
  return mediaType === "application/pdf" ? "pdf" : "other";
}

/** 1.4 MB */
export const sizeOf = (bytes: number): string => (bytes < 2 ** 20 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 2 ** 20).toFixed(1)} MB`);

/** Of a picture: its address for a small `<image>`, which sends no token. The link ends after some minutes; what is shown by then stays. */
export const pictureOf = (file: { picture?: string | null }): string => (file.picture ? `${ORIGIN}${file.picture}&width=320` : "");

const readText = (filePath: string) => new Promise<string>((done, failed) => wx.getFileSystemManager().readFile({ filePath, encoding: "utf8", success: ({ data }) => done(data as string), fail: failed }));
const LONGEST_TEXT = 20_000;

/** Gives the text of a plain file, for the page to show; else nothing. */
export async function openFile(path: string, places: Record<string, string>, name: string, mediaType: string): Promise<string | undefined> {
  const kind = kindOf(name, mediaType);
  if (kind === "other") throw new Problem("cannot-show", "手机上打不开这种文件", `“${name}”请在电脑上用浏览器打开 /phone/ 下载查看。`);
  const file = await download(path, places);
  try {
    if (kind === "text") return (await readText(file)).slice(0, LONGEST_TEXT);
    if (kind === "picture") await wx.previewImage({ urls: [file] });
    else await wx.openDocument({ filePath: file, fileType: kind, showMenu: true });
    return undefined;
  } catch {
    throw new Problem("cannot-show", "文件没有打开", `“${name}”可能已损坏或加密，请请学员重新提交，或在电脑上查看。`);
  }
}
