// WeChat asks through this before it lets a page use the camera, the album, the location or the phone number. Every page that does has it;
// whoever refuses keeps the page, and the call fails with words.
type Answer = (answer: { event: "exposureAuthorization" | "agree" | "disagree"; buttonId?: string }) => void;

const waiting = new Set<Answer>();

Component({
  data: { shown: false },
  lifetimes: {
    attached() {
      wx.onNeedPrivacyAuthorization?.(((resolve: Answer) => {
        waiting.add(resolve);
        this.setData({ shown: true });
        resolve({ event: "exposureAuthorization" });
      }) as never);
    },
  },
  methods: {
    read() {
      void wx.openPrivacyContract({});
    },
    agree() {
      this.close({ event: "agree", buttonId: "agree-privacy" });
    },
    refuse() {
      this.close({ event: "disagree" });
    },
    close(answer: Parameters<Answer>[0]) {
      for (const resolve of waiting) resolve(answer);
      waiting.clear();
      this.setData({ shown: false });
    },
  },
});
