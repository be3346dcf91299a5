// What the build hands over: a mini-program, ready to be run.

export type Query = Record<string, string>;
export type Require = (path: string) => unknown;
export type Script = (require: Require, module: { exports: unknown }, exports: unknown) => void;

export interface TabBar {
  color?: string;
  selectedColor?: string;
  list: { pagePath: string; text: string; iconPath?: string; selectedIconPath?: string }[];
}

export interface Config {
  navigationBarTitleText?: string;
  enablePullDownRefresh?: boolean;
  usingComponents?: Record<string, string>;
}

export interface Packed {
  app: { pages: string[]; window?: Config; tabBar?: TabBar };
  configs: Record<string, Config>;
  styles: Record<string, string>;
  scopes: Record<string, string | undefined>;
  scripts: Record<string, Script>;
  templates: Record<string, unknown>;
}
