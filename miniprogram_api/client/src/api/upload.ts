// A file on its way to the platform: in parts, so that a cut line costs one part and not the file. The platform says which are missing.
import { post, putBytes } from "./api";
import { Problem } from "./problem";

export interface Picked {
  /** Made when it was picked: the same file begun again goes on where it stopped. */
  nonce: string;
  name: string;
  size: number;
  /** On the phone; empty when it was sent in an earlier session. */
  path: string;
  uploadId: string;
  state: "sending" | "sent" | "failed";
  percent: number;
  refusal: string;
}

const HUNDRED = 100;

const gone = () => new Problem("file-gone", "文件不在手机上了", "请移除后重新选择这个文件。");

function read(filePath: string, position: number, length: number): Promise<ArrayBuffer> {
  return new Promise((success, fail) => {
    wx.getFileSystemManager().readFile({ filePath, position, length, success: ({ data }) => success(data as ArrayBuffer), fail: () => fail(gone()) });
  });
}

/** Sends what is missing, and gives the upload's id. */
export async function upload(file: Picked, progress: (percent: number) => void): Promise<string> {
  const begun = await post("/uploads/begin", { name: file.name, size: file.size, nonce: file.nonce });
  const parts = Math.max(1, Math.ceil(file.size / begun.part_bytes));
  let sent = parts - begun.missing.length;
  for (const number of begun.missing) {
    const from = number * begun.part_bytes;
    await putBytes(`/uploads/${begun.upload_id}/parts/${number}`, await read(file.path, from, Math.min(begun.part_bytes, file.size - from)));
    sent += 1;
    progress(Math.round((HUNDRED * sent) / parts));
  }
  return begun.upload_id;
}
