import type { Language } from "../language.ts";

// What the login page says.
interface Words {
  title: string;
  lead: string;
  name: string;
  password: string;
  code: string;
  codeHint: string;
  signIn: string;
  signingIn: string;
  or: string;
  with(provider: string): string;
  wrong: string;
  codeNeeded: string;
  codeWrong: string;
  tooMany(seconds: number): string;
  nowAgain: string;
  noWay: string;
  differentUser: string;
  oidc: Record<string, string>; // by what the provider's way back says
  show: string;
}

const en: Words = {
  title: "Sign in to Tandem",
  lead: "For staff. Callers and customers need no account.",
  name: "User name",
  password: "Password",
  code: "Code",
  codeHint: "Six digits from your authenticator app, or a recovery code.",
  signIn: "Sign in",
  signingIn: "Signing in …",
  or: "or",
  with: (provider) => `Sign in with ${provider}`,
  wrong: "The name or the password is not right. Check both and try again; an operator can set a new password.",
  codeNeeded: "Enter the code from your authenticator app to go on.",
  codeWrong: "Name, password or code is not right. Use the newest code in the app.",
  tooMany: (seconds) => `Too many tries. You can try again in ${seconds} s.`,
  nowAgain: "You can try again now.",
  noWay: "No way to sign in is set up. An operator can add a user with: tandem user add",
  differentUser: "Sign in as someone else",
  oidc: {
    oidc_unreached: "The provider does not answer. Try again in a moment.",
    oidc_refused: "The provider did not let you in. Try again, or ask your operator.",
    oidc_expired: "That took too long. Try again.",
    oidc_no_role: "The provider knows you, but you have no role here. Ask your operator.",
    oidc_taken: "Your name belongs to another user here. Ask your operator.",
    oidc_disabled: "Your user is disabled here. Ask your operator.",
    unavailable: "Nobody can be let in at the moment. Try again soon.",
    too_many: "Too many tries. Wait a moment, then try again.",
  },
  show: "Show the password",
};

const zhCN: Words = {
  title: "登录 Tandem",
  lead: "供员工使用。来电者和客户无需账户。",
  name: "用户名",
  password: "密码",
  code: "验证码",
  codeHint: "验证器应用中的六位数字，或一个恢复码。",
  signIn: "登录",
  signingIn: "正在登录……",
  or: "或",
  with: (provider) => `使用 ${provider} 登录`,
  wrong: "用户名或密码不正确。请检查后重试；运维员可以重设密码。",
  codeNeeded: "请输入验证器应用中的验证码以继续。",
  codeWrong: "用户名、密码或验证码不正确。请使用应用中最新的验证码。",
  tooMany: (seconds) => `尝试次数过多，请在 ${seconds} 秒后重试。`,
  nowAgain: "现在可以重试了。",
  noWay: "尚未设置登录方式。运维员可用以下命令添加用户：tandem user add",
  differentUser: "换一个用户登录",
  oidc: {
    oidc_unreached: "登录提供方没有应答，请稍后重试。",
    oidc_refused: "登录提供方未通过。请重试，或联系运维员。",
    oidc_expired: "等待过久，请重试。",
    oidc_no_role: "登录提供方认识您，但您在此没有角色。请联系运维员。",
    oidc_taken: "您的名称已属于此处的另一用户。请联系运维员。",
    oidc_disabled: "您的用户在此已停用。请联系运维员。",
    unavailable: "暂时无法登录，请稍后重试。",
    too_many: "尝试次数过多，请稍后重试。",
  },
  show: "显示密码",
};

export const words: Record<Language, Words> = { en, "zh-CN": zhCN };
