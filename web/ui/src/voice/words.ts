import type { Language } from "../language.ts";

// What a call from a page says, whole sentences in each language.
export interface CallWords {
  call: string; // the button
  callOf(number: string): string;
  panel(what: string): string;
  asking: string;
  connecting: string;
  ringing: string;
  up: string;
  cut: string;
  line: string;
  over: string;
  lasted(time: string): string;
  hangup: string;
  close: string;
  again: string;
  mute: string;
  keys: string;
  keysHint: string;
  device: string;
  unnamed(n: number): string;
  level: string;
  blocked: string;
  mic: { muted: string; unplugged: string; denied: string; silent: string };
  why: Record<string, string>;
}

const en: CallWords = {
  call: "Call from this page",
  callOf: (number) => `Call ${number} from this page`,
  panel: (what) => `Call to ${what}`,
  asking: "Please let your browser use the microphone.",
  connecting: "Connecting …",
  ringing: "It rings …",
  up: "You are connected.",
  cut: "The sound is interrupted. It is being mended.",
  line: "The network is interrupted. The call goes on if it comes back soon.",
  over: "The call has ended.",
  lasted: (time) => `It lasted ${time}.`,
  hangup: "Hang up",
  close: "Close",
  again: "Call again",
  mute: "Mute",
  keys: "Keys",
  keysHint: "You may also type digits, * and #.",
  device: "Microphone",
  unnamed: (n) => `Microphone ${n}`,
  level: "Level of the microphone",
  blocked: "Your browser plays no sound yet. Click or press any key to hear.",
  mic: {
    muted: "Your microphone is muted by the system or the browser: you are not heard.",
    unplugged: "Your microphone is gone: you are not heard. Plug one in, or choose another.",
    denied: "Your browser may not use the microphone any more: you are not heard.",
    silent: "Your microphone gives no sound. Is its switch off?",
  },
  why: {
    denied: "Your browser may not use the microphone. Allow it for this page (beside the address), then call again.",
    unplugged: "No microphone was found, or another program holds it. Plug one in, then call again.",
    insecure: "Browsers let only secure pages use the microphone. Open this page by https, or on this machine by localhost.",
    hangup: "You have hung up.",
    busy: "All lines are busy. Please try again in a moment.",
    closed: "The server takes no calls from pages at the moment.",
    lost: "The connection was lost.",
    restart: "The server is being restarted. Please call again in a moment.",
  },
};

const zhCN: CallWords = {
  call: "在本页拨打",
  callOf: (number) => `在本页拨打 ${number}`,
  panel: (what) => `与 ${what} 的通话`,
  asking: "请允许浏览器使用麦克风。",
  connecting: "正在连接……",
  ringing: "正在振铃……",
  up: "已接通。",
  cut: "声音中断，正在恢复。",
  line: "网络中断，尽快恢复后通话会继续。",
  over: "通话已结束。",
  lasted: (time) => `通话时长 ${time}。`,
  hangup: "挂断",
  close: "关闭",
  again: "重新拨打",
  mute: "静音",
  keys: "按键",
  keysHint: "也可以直接用键盘输入数字、* 和 #。",
  device: "麦克风",
  unnamed: (n) => `麦克风 ${n}`,
  level: "麦克风音量",
  blocked: "浏览器尚未播放声音，请点击页面或按任意键。",
  mic: {
    muted: "麦克风已被系统或浏览器静音，对方听不到您。",
    unplugged: "麦克风已断开，对方听不到您。请重新插入或选择其他麦克风。",
    denied: "浏览器不再允许使用麦克风，对方听不到您。",
    silent: "麦克风没有声音，请检查它的开关。",
  },
  why: {
    denied: "浏览器不允许使用麦克风。请在地址栏旁为本页开启权限，然后重新拨打。",
    unplugged: "没有找到麦克风，或它被其他程序占用。请插入麦克风后重新拨打。",
    insecure: "浏览器只允许安全页面使用麦克风。请用 https 打开本页，或在本机用 localhost 打开。",
    hangup: "您已挂断。",
    busy: "线路繁忙，请稍后再试。",
    closed: "服务器暂不接受网页通话。",
    lost: "连接已中断。",
    restart: "服务器正在重启，请稍后再拨。",
  },
};

export const callWords: Record<Language, CallWords> = { en, "zh-CN": zhCN };
