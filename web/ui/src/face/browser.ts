// Which browser this is, as far as its way to allow a camera differs, and whether it is one
// that another app shows its pages in.

export type Browser =
  | "chromium" // Chrome, Edge and their kin on a computer
  | "firefox"
  | "safari"
  | "android-chrome"
  | "android-firefox"
  | "ios-safari"
  | "ios-other" // another browser on an iPhone or iPad: the system's settings decide
  | "wechat"
  | "inapp"; // any other app's window

const apps = /FBAN|FBAV|FB_IAB|Instagram|Line\/|KAKAOTALK|DingTalk|AlipayClient|QQ\/|Weibo|Snapchat|TikTok|musical_ly|BytedanceWebview|aweme|Lark\/|Feishu|WhatsApp|Pinterest|GSA\//i;

// browserOf reads a User-Agent; touch is navigator.maxTouchPoints, by which an iPad is told
// from a computer.
export function browserOf(agent: string, touch = 0): Browser {
  if (/MicroMessenger|wxwork/i.test(agent)) return "wechat";
  const ios = /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touch > 1);
  if (apps.test(agent)) return "inapp";
  if (ios) {
    if (/CriOS|FxiOS|EdgiOS|OPiOS|OPT\/|DuckDuckGo|Brave/.test(agent)) return "ios-other";
    return /Version\/.*Safari/.test(agent) ? "ios-safari" : "inapp"; // a window without Safari in its name is an app's
  }
  if (/Android/.test(agent)) {
    if (/; wv\)/.test(agent)) return "inapp";
    return /Firefox|Focus/.test(agent) ? "android-firefox" : "android-chrome";
  }
  if (/Firefox/.test(agent)) return "firefox";
  if (/Chrome|Chromium|Edg\//.test(agent)) return "chromium";
  return /Safari/.test(agent) ? "safari" : "chromium";
}

export const thisBrowser = (): Browser => browserOf(navigator.userAgent, navigator.maxTouchPoints);

// isInApp tells whether the page is shown within another app, where devices are often refused.
export const isInApp = (b: Browser): boolean => b === "wechat" || b === "inapp";

// onPhone tells a telephone or tablet, whose camera can be turned round.
export const onPhone = (b: Browser): boolean => b.startsWith("ios") || b.startsWith("android") || isInApp(b);
