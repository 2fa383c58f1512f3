// The HTTP addresses beside the socket. All carry the conversation's token in a header,
// never in the address.
import type { Attachment } from "./protocol.ts";

// ApiError is why the server did not do it. code is the server's word, or "offline".
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
}

// UploadError is why a picture was not taken. again: it may be, later.
export class UploadError extends Error {
  constructor(
    readonly code: string,
    readonly again: boolean,
    readonly retryAfter = 0, // seconds
  ) {
    super(code);
  }
}

export interface Booked {
  number: string; // of the interaction, as it is spoken
  at?: string; // when the person is called; none = as soon as possible
}

const askTime = 20_000; // milliseconds
const mostPictures = 20;
const uploadTime = 120_000;

export class Api {
  private readonly pictures = new Map<string, Blob>();

  constructor(
    readonly base: string,
    private readonly token: () => string | null,
  ) {}

  // picture fetches an image by its address from the server's root. The last ones are
  // kept: each look at an attachment is noted by the server.
  async picture(path: string): Promise<Blob> {
    const had = this.pictures.get(path);
    if (had) return had;
    const blob = await (await this.ask("GET", path)).blob();
    this.pictures.set(path, blob);
    for (const oldest of this.pictures.keys()) {
      if (this.pictures.size <= mostPictures) break;
      this.pictures.delete(oldest);
    }
    return blob;
  }

  attachment(id: string): Promise<Blob> {
    return this.picture("api/v1/chat/attachments/" + encodeURIComponent(id));
  }

  // link gives the address that a link's button opens, for this once.
  async link(id: string): Promise<string> {
    const { url } = (await (await this.ask("POST", "api/v1/chat/links/" + encodeURIComponent(id))).json()) as { url: string };
    return url;
  }

  // still sends a picture of this page's own camera for a step of a check.
  async still(check: string, step: string, page: string, camera: string, jpeg: Blob): Promise<void> {
    const path = `api/v1/chat/stills/${encodeURIComponent(check)}/${encodeURIComponent(step)}?page=${encodeURIComponent(page)}&camera=${encodeURIComponent(camera)}`;
    await this.ask("POST", path, jpeg);
  }

  // transcript is the talk as a page, its times on the person's clock.
  async transcript(): Promise<Blob> {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
    return (await this.ask("GET", "api/v1/chat/transcript?tz=" + encodeURIComponent(zone))).blob();
  }

  // callBack asks to be called; the server texts a code to the number. at is ISO 8601.
  async callBack(phone: string, at: string | null): Promise<string> {
    const { check } = (await (await this.ask("POST", "api/v1/chat/callback", { phone, ...(at !== null ? { at } : {}) })).json()) as { check: string };
    return check;
  }

  async confirm(check: string, code: string): Promise<Booked> {
    return (await this.ask("POST", "api/v1/chat/callback/" + encodeURIComponent(check), { code })).json() as Promise<Booked>;
  }

  // upload sends a picture and tells how far it is. XMLHttpRequest, because fetch does not tell.
  upload(file: File, token: string, progress: (part: number) => void): Promise<Attachment> {
    return new Promise((done, fail) => {
      const r = new XMLHttpRequest();
      r.open("POST", new URL("api/v1/chat/attachments", this.base));
      r.setRequestHeader("Authorization", "Bearer " + token);
      r.setRequestHeader("Content-Type", file.type);
      r.timeout = uploadTime;
      r.responseType = "json";
      r.upload.onprogress = (e) => e.lengthComputable && progress(e.loaded / e.total);
      r.onerror = r.ontimeout = () => fail(new UploadError("upload", true));
      r.onload = () => {
        if (r.status === 201 && typeof r.response?.id === "string") return done(r.response as Attachment);
        const again = r.status === 429 || r.status >= 500;
        const code = r.status === 413 ? "picture_large" : r.status === 415 ? "picture_bad" : r.response?.code === "too_many_pixels" ? "picture_pixels" : "upload";
        fail(new UploadError(code, again, Number(r.getResponseHeader("Retry-After")) || 0));
      };
      r.send(file);
    });
  }

  private async ask(method: string, path: string, body?: object | Blob): Promise<Response> {
    // The token goes to this server only, whatever a message may name as its picture.
    const url = new URL(path.replace(/^\/+/, ""), this.base);
    if (!url.href.startsWith(this.base)) throw new ApiError(0, "elsewhere");
    let answer: Response;
    try {
      answer = await fetch(url, {
        method,
        headers: {
          ...(this.token() !== null ? { Authorization: "Bearer " + this.token() } : {}),
          ...(body ? { "Content-Type": body instanceof Blob ? body.type : "application/json" } : {}),
        },
        ...(body ? { body: body instanceof Blob ? body : JSON.stringify(body) } : {}),
        credentials: "omit",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(askTime),
      });
    } catch {
      throw new ApiError(0, "offline");
    }
    if (answer.ok) return answer;
    const problem = (await answer.json().catch(() => ({}))) as { code?: unknown };
    throw new ApiError(answer.status, typeof problem.code === "string" ? problem.code : "");
  }
}
