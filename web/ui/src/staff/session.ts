// Who is signed in, as GET me says it; the Go side's types say the same.

export type Role = "designer" | "agent" | "supervisor" | "operator" | "auditor";
export const roles: readonly Role[] = ["designer", "agent", "supervisor", "operator", "auditor"];

export interface User {
  name: string;
  display: string;
  roles: Role[];
  lang: string; // "" = not chosen yet
  totp: boolean; // a code is asked for at login
  local: boolean; // has a password here, not at a provider
  must_change?: boolean; // the password, before anything else
  must_totp?: boolean; // a role asks for codes that are not set up; likewise
}

export interface Me {
  user: User;
  csrf: string;
  second_person: boolean; // publishing needs one
}

export interface Provider {
  id: string;
  name: string;
}

// What the 401 of GET me says about ways to sign in.
export interface Ways {
  local: boolean;
  oidc: Provider[];
}

export function has(user: User, ...wanted: Role[]): boolean {
  return wanted.some((r) => user.roles.includes(r));
}
