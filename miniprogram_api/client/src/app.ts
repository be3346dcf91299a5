// Starts with the phone: the network is watched, and a new version is taken up when nothing is being written.
import { online } from "./lib/online";

App({
  onLaunch() {
    online.begin();
    takeNewVersion();
  },
});

function takeNewVersion(): void {
  const manager = wx.getUpdateManager();
  manager.onUpdateReady(() => {
    void wx.showModal({ title: "小程序已更新", content: "重新打开后使用新版本。已填写的内容保存在手机上。", confirmText: "现在打开", cancelText: "稍后" }).then(({ confirm }) => {
      if (confirm) manager.applyUpdate();
    });
  });
}
