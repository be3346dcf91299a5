// Back to where one came from; a page that was opened by a link or a message, or reloaded, has nothing behind it and goes to `instead`.
export function leave(instead: string): void {
  if (getCurrentPages().length > 1) void wx.navigateBack();
  else void wx.redirectTo({ url: instead });
}
