// Every sentence of the tiles, the devices and the permission's help, whole in each language.
import type { Browser } from "./browser.ts";
import type { Language } from "../language.ts";

export type Device = "camera" | "microphone" | "both";

export interface FaceWords {
  you: string;
  display(name: string): string;
  tile(name: string): string;
  speaks(name: string): string;
  micOff: string;
  role: Record<string, string>;
  none: Record<string, string>;
  noneOwn: Record<string, string>;
  enlarge(name: string): string;
  camera: string;
  microphone: string;
  speaker: string;
  unnamed: Record<"videoinput" | "audioinput" | "audiooutput", (n: number) => string>;
  help: Record<Device, string>; // the heading
  steps: Record<Browser, (what: Device) => string[]>;
  tryAgain: string;
  drawing: string;
  insecure: string;
  copy: string;
  copied: string;
}

const en: FaceWords = {
  you: "You",
  display: (name) => `${name} – screen`,
  tile: (name) => `Picture of ${name}`,
  speaks: (name) => `${name} speaks`,
  micOff: "Microphone off",
  role: { customer: "Customer", agent: "Staff", specialist: "Specialist", listener: "Listener" },
  none: {
    off: "Camera off",
    network: "No picture: the network is too weak",
    denied: "No picture: the camera is not allowed",
    unplugged: "No picture: there is no camera",
    muted: "No picture: the camera is paused",
    connecting: "Connecting …",
    waiting: "Not to be seen yet",
  },
  noneOwn: {
    off: "Your camera is off",
    network: "Your picture does not get through",
    denied: "Your camera is not allowed",
    unplugged: "There is no camera",
    muted: "Your camera is paused",
    connecting: "Connecting …",
    waiting: "Nobody sees you yet",
  },
  enlarge: (name) => `Show ${name} large`,
  camera: "Camera",
  microphone: "Microphone",
  speaker: "Speaker",
  unnamed: { videoinput: (n) => `Camera ${n}`, audioinput: (n) => `Microphone ${n}`, audiooutput: (n) => `Speaker ${n}` },
  help: {
    camera: "Your browser does not let this page use the camera",
    microphone: "Your browser does not let this page use the microphone",
    both: "Your browser does not let this page use camera and microphone",
  },
  steps: {
    chromium: (what) => ["Click the sign at the left end of the address bar.", allowEn(what), "Then press “Try again”."],
    firefox: (what) => ["Click the crossed-out sign at the left end of the address bar.", { camera: "Remove the block beside “Camera”.", microphone: "Remove the block beside “Microphone”.", both: "Remove the blocks beside “Camera” and “Microphone”." }[what], "Then press “Try again” and choose “Allow”."],
    safari: (what) => ["Open the menu “Safari” and choose “Settings for This Website”.", setEn(what), "Then press “Try again”."],
    "android-chrome": (what) => ["Tap the sign at the left end of the address bar, then “Permissions”.", allowEn(what), "Then tap “Try again”."],
    "android-firefox": (what) => ["Tap the lock at the left end of the address bar.", allowEn(what), "Then tap “Try again”."],
    "ios-safari": (what) => ["Tap the page sign at the address, then “Website Settings”.", setEn(what), "Then tap “Try again”."],
    "ios-other": (what) => ["Open the iPhone's “Settings” and look for your browser in the list of apps.", { camera: "Switch “Camera” on.", microphone: "Switch “Microphone” on.", both: "Switch “Camera” and “Microphone” on." }[what], "Come back here and tap “Try again”."],
    wechat: () => ["Tap ··· at the top right.", "Choose “Open in Browser”.", "Or copy the address, and open it in your phone's own browser."],
    inapp: () => ["Open the menu of this app, at the top or bottom.", "Choose “Open in browser”.", "Or copy the address, and open it in your phone's own browser."],
  },
  tryAgain: "Try again",
  drawing: "Where to tap",
  insecure: "Browsers let only secure pages use camera and microphone. Please open this page by https.",
  copy: "Copy the address",
  copied: "Copied. Open it in your browser.",
};

function allowEn(what: Device): string {
  return { camera: "Switch “Camera” to “Allow”.", microphone: "Switch “Microphone” to “Allow”.", both: "Switch “Camera” and “Microphone” to “Allow”." }[what];
}

function setEn(what: Device): string {
  return { camera: "Set “Camera” to “Allow”.", microphone: "Set “Microphone” to “Allow”.", both: "Set “Camera” and “Microphone” to “Allow”." }[what];
}

const zhCN: FaceWords = {
  you: "您",
  display: (name) => `${name}共享的屏幕`,
  tile: (name) => `${name}的画面`,
  speaks: (name) => `${name}正在讲话`,
  micOff: "麦克风已关闭",
  role: { customer: "客户", agent: "客服", specialist: "专员", listener: "旁听" },
  none: {
    off: "摄像头已关闭",
    network: "没有画面：网络较弱",
    denied: "没有画面：未获摄像头权限",
    unplugged: "没有画面：没有摄像头",
    muted: "没有画面：摄像头已暂停",
    connecting: "正在连接……",
    waiting: "尚未露面",
  },
  noneOwn: {
    off: "您的摄像头已关闭",
    network: "您的画面未能传出",
    denied: "未获摄像头权限",
    unplugged: "没有摄像头",
    muted: "您的摄像头已暂停",
    connecting: "正在连接……",
    waiting: "现在没有人能看到您",
  },
  enlarge: (name) => `放大${name}的画面`,
  camera: "摄像头",
  microphone: "麦克风",
  speaker: "扬声器",
  unnamed: { videoinput: (n) => `摄像头 ${n}`, audioinput: (n) => `麦克风 ${n}`, audiooutput: (n) => `扬声器 ${n}` },
  help: { camera: "浏览器不允许本页使用摄像头", microphone: "浏览器不允许本页使用麦克风", both: "浏览器不允许本页使用摄像头和麦克风" },
  steps: {
    chromium: (what) => ["点击地址栏左端的图标。", allowZh(what), "然后点击“重试”。"],
    firefox: (what) => ["点击地址栏左端带斜线的图标。", { camera: "取消“摄像头”旁的禁止。", microphone: "取消“麦克风”旁的禁止。", both: "取消“摄像头”和“麦克风”旁的禁止。" }[what], "然后点击“重试”，选择“允许”。"],
    safari: (what) => ["打开“Safari”菜单，选择“此网站的设置”。", allowZh(what), "然后点击“重试”。"],
    "android-chrome": (what) => ["点按地址栏左端的图标，再点“权限”。", allowZh(what), "然后点“重试”。"],
    "android-firefox": (what) => ["点按地址栏左端的锁。", allowZh(what), "然后点“重试”。"],
    "ios-safari": (what) => ["点按地址旁的页面图标，再点“网站设置”。", allowZh(what), "然后点“重试”。"],
    "ios-other": (what) => ["打开 iPhone 的“设置”，在应用列表中找到您的浏览器。", { camera: "打开“相机”。", microphone: "打开“麦克风”。", both: "打开“相机”和“麦克风”。" }[what], "回到这里，点“重试”。"],
    wechat: () => ["点按右上角的“···”。", "选择“在浏览器打开”。", "也可以复制网址，用手机自带的浏览器打开。"],
    inapp: () => ["打开此应用的菜单（在顶部或底部）。", "选择“在浏览器中打开”。", "也可以复制网址，用手机自带的浏览器打开。"],
  },
  tryAgain: "重试",
  drawing: "点按的位置",
  insecure: "浏览器只允许安全页面使用摄像头和麦克风，请用 https 打开本页。",
  copy: "复制网址",
  copied: "已复制，请在浏览器中打开。",
};

function allowZh(what: Device): string {
  return { camera: "把“摄像头”改为“允许”。", microphone: "把“麦克风”改为“允许”。", both: "把“摄像头”和“麦克风”改为“允许”。" }[what];
}

export const faceWords: Record<Language, FaceWords> = { en, "zh-CN": zhCN };
