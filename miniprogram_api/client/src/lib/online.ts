// Whether the phone has a network, told to whoever watches.

type Watcher = (connected: boolean) => void;
const watchers = new Set<Watcher>();
let connected = true;

function changed(now: boolean): void {
  if (now === connected) return;
  connected = now;
  for (const watcher of watchers) watcher(now);
}

export const online = {
  begin(): void {
    wx.onNetworkStatusChange(({ isConnected }) => changed(isConnected));
    void wx.getNetworkType().then(({ networkType }) => changed(networkType !== "none"));
  },
  connected: (): boolean => connected,
  /** Tells the state now and whenever it changes; gives what ends it. */
  watch(watcher: Watcher): () => void {
    watchers.add(watcher);
    if (!connected) watcher(connected);
    return () => void watchers.delete(watcher);
  },
};
