// Files on the phone: what was chosen or fetched lies under an address of the browser's, which a page can also show.
import { Failure, call } from "./call";
import type { Dialogs } from "./dialogs";

interface Choice { count?: number; mediaType?: string[]; sourceType?: string[]; type?: string; extension?: string[] }
const PICTURES_AND_FILMS: Record<string, string> = { image: "image/*", video: "video/*" };

export class Files {
  private readonly all = new Map<string, File>();

  keep(file: File, path?: string): string {
    const kept = path ?? URL.createObjectURL(file);
    this.all.set(kept, file);
    return kept;
  }

  get(path: string): File | undefined {
    return this.all.get(path);
  }

  need(name: string, path: string): File {
    const file = this.get(path);
    if (!file) throw new Failure(name, "no such file or directory");
    return file;
  }
}

/** The browser's own dialog for files. Fails as WeChat's does when nothing is chosen. */
function choose(name: string, accept: string, many: boolean, camera: boolean): Promise<File[]> {
  return new Promise((done, failed) => {
    const field = document.createElement("input");
    field.type = "file";
    field.accept = accept;
    field.multiple = many;
    field.dataset.choosing = name;
    field.hidden = true;
    if (camera) field.capture = "environment";
    field.onchange = () => { field.remove(); done([...(field.files ?? [])]); };
    field.oncancel = () => { field.remove(); failed(new Failure(name, "cancel")); };
    document.body.appendChild(field);
    field.click();
  });
}

function save(file: File): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function fileCalls(files: Files, dialogs: Dialogs) {
  const chosen = (file: File) => ({ tempFilePath: files.keep(file), size: file.size, name: file.name, fileType: file.type.startsWith("video/") ? "video" : "image" });
  return {
    chooseMedia: call("chooseMedia", async ({ count = 9, mediaType = ["image", "video"], sourceType = ["album"] }: Choice) => {
      const accept = mediaType.map((kind) => PICTURES_AND_FILMS[kind]).filter(Boolean).join(",");
      const found = await choose("chooseMedia", accept, count > 1, sourceType.length === 1 && sourceType[0] === "camera");
      return { type: "mix", tempFiles: found.slice(0, count).map(chosen) };
    }),
    chooseMessageFile: call("chooseMessageFile", async ({ count = 9, extension = [], type = "all" }: Choice) => {
      const accept = type === "image" ? "image/*" : extension.map((one) => (one.startsWith(".") ? one : `.${one}`)).join(",");
      const found = await choose("chooseMessageFile", accept, count > 1, false);
      return { tempFiles: found.slice(0, count).map((file) => ({ path: files.keep(file), name: file.name, size: file.size, type: "file", time: Math.floor(file.lastModified / 1000) })) };
    }),
    previewImage: call("previewImage", ({ urls, current }: { urls: string[]; current?: string }) => dialogs.showPictures(urls, current ?? urls[0]!)),
    openDocument: call("openDocument", ({ filePath }: { filePath: string }) => {
      const file = files.need("openDocument", filePath);
      if (file.type === "application/pdf") open(URL.createObjectURL(file), "_blank");
      else save(file);
    }),
    saveImageToPhotosAlbum: call("saveImageToPhotosAlbum", ({ filePath }: { filePath: string }) => save(files.need("saveImageToPhotosAlbum", filePath))),
    saveFileToDisk: call("saveFileToDisk", ({ filePath }: { filePath: string }) => save(files.need("saveFileToDisk", filePath))),
    shareFileMessage: call("shareFileMessage", ({ filePath }: { filePath: string }) => save(files.need("shareFileMessage", filePath))),
    getImageInfo: call("getImageInfo", async ({ src }: { src: string }) => {
      const picture = new Image();
      picture.src = src;
      await picture.decode();
      return { width: picture.naturalWidth, height: picture.naturalHeight, path: src, orientation: "up", type: "unknown" };
    }),
    compressImage: call("compressImage", ({ src }: { src: string }) => ({ tempFilePath: src })),
    getFileSystemManager: () => ({
      saveFile: call("saveFile", ({ tempFilePath }: { tempFilePath: string }) => ({ savedFilePath: tempFilePath })),
      getFileInfo: call("getFileInfo", ({ filePath }: { filePath: string }) => ({ size: files.need("getFileInfo", filePath).size })),
      readFile: call("readFile", async ({ filePath, position = 0, length, encoding }: { filePath: string; position?: number; length?: number; encoding?: string }) => {
        const part = files.need("readFile", filePath).slice(position, length === undefined ? undefined : position + length);
        return { data: encoding ? await part.text() : await part.arrayBuffer() };
      }),
      unlink: call("unlink", () => undefined),
    }),
  };
}
