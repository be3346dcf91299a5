// The classroom's screen: the code that changes, the time to the next, and who is in, pushed as it happens.
// Times are reckoned from the server's own "now": the clock of a classroom's computer may be anything.
const room = document.querySelector("[data-room]");
const part = (name) => document.querySelector(`[data-part="${name}"]`);
const { codeUrl, liveUrl, signIn, board } = room.dataset;
const ANSWER_WITHIN = 5000;
const LINE_IS_DEAD_AFTER = 8000;  // the server says something every 3 s, if only that it is there
const LOOK_EVERY = 1000;
const SIGNED_OUT = 4401;
let stopped = false;

function show(state) {
  for (const element of room.querySelectorAll("[data-state]")) element.hidden = element.dataset.state !== state;
}

/** Nothing more will come: says why, and where to go. */
function stop(words, link, label) {
  stopped = true;
  socket?.close();
  part("over").textContent = words;
  part("way-out").textContent = label;
  part("way-out").href = link;
  part("link").hidden = true;
  show("over");
}
const signedOut = () => stop("登录已失效，大屏已停止", signIn, "重新登录");

// ---- the code
const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", month: "long", day: "numeric" });
const two = (number) => String(Math.floor(number)).padStart(2, "0");
let goodUntil = 0;  // of the code on the screen, as performance.now() counts
let nextAt = 0;
let opensAt = 0;
let failures = 0;
let turning;

/** Shows what the server said; returns the milliseconds until it is to be asked again. */
function take(answer) {
  const now = performance.now();
  const until = (moment) => Date.parse(moment) - Date.parse(answer.now);
  part("late").textContent = clock.format(Date.parse(answer.late_after));
  part("closes").textContent = clock.format(Date.parse(answer.closes_at));
  const today = day.format(Date.parse(answer.now));
  const opening = day.format(Date.parse(answer.opens_at));
  part("opens").textContent = `${opening === today ? "" : `${opening} `}${clock.format(Date.parse(answer.opens_at))}`;
  room.dataset.window = answer.window;
  for (const word of room.querySelectorAll("[data-missing-word]")) word.textContent = answer.window === "upcoming" ? "应到" : "未到";
  opensAt = now + until(answer.opens_at);
  goodUntil = answer.code ? now + until(answer.expires_at) : 0;
  if (answer.window === "upcoming") {
    show("upcoming");
    return Math.min(until(answer.opens_at) + 50, 20_000);
  }
  if (answer.window === "closed") {
    show("closed");
    return 20_000;
  }
  const left = answer.next_in * 1000;
  nextAt = now + left;
  part("qr").src = answer.image;
  show("open");
  turning?.cancel();
  turning = part("ring").animate(
    [{ strokeDashoffset: 100 * (1 - left / (answer.step * 1000)) }, { strokeDashoffset: 100 }],
    { duration: left, fill: "forwards" },
  );
  return left + 30;
}

/** AbortSignal.timeout is younger than the computers of classrooms. */
async function within(most, act) {
  const impatient = new AbortController();
  const timer = setTimeout(() => impatient.abort(), most);
  try {
    return await act(impatient.signal);
  } finally {
    clearTimeout(timer);
  }
}

async function ask() {
  let wait;
  try {
    const answer = await within(ANSWER_WITHIN, (signal) => fetch(codeUrl, { signal }));
    if (answer.status === 401) return signedOut();
    if (answer.status === 403 || answer.status === 404) return stop((await answer.json()).detail, "/admin/classes", "返回培训班");
    if (!answer.ok) throw new Error(`${answer.status}`);
    wait = take(await answer.json());
    failures = 0;
  } catch {
    failures += 1;
    wait = Math.min(failures * 1000, 5000);
    // A code that nobody can use any more must not stand there as if one could.
    if (performance.now() >= goodUntil) show("failed");
    else wait = Math.min(wait, goodUntil - performance.now());
  }
  if (!stopped) setTimeout(ask, wait);
}

function tick() {
  part("seconds").textContent = Math.max(0, Math.ceil((nextAt - performance.now()) / 1000));
  const left = Math.max(0, Math.ceil((opensAt - performance.now()) / 1000));
  part("until").textContent = left >= 86400 ? `${Math.floor(left / 86400)} 天后` : `${left >= 3600 ? `${Math.floor(left / 3600)}:` : ""}${two(left / 60 % 60)}:${two(left % 60)}`;
}

// ---- the roll
function draw(roll) {
  for (const [state, names] of Object.entries(roll)) {
    document.querySelector(`[data-count="${state}"]`).textContent = names.length;
    const list = document.querySelector(`[data-list="${state}"]`);
    list.querySelector("ul").replaceChildren(...names.map((name) => {
      const line = document.createElement("li");
      line.textContent = name;
      return line;
    }));
    list.hidden = names.length === 0 && state !== "missing";
    list.dataset.crowd = names.length > 40 ? "large" : names.length > 18 ? "middle" : "small";
  }
  const everybody = roll.missing.length + roll.late.length + roll.present.length;
  document.querySelector('[data-list="missing"] > p').hidden = roll.missing.length > 0 || everybody === 0;
}

let socket;
let attempts = 0;
let heard = performance.now();
let calling;

function broken() {
  part("link").textContent = "名单的连接断开，正在重连…";
  part("link").hidden = false;
}

function connect() {
  clearTimeout(calling);
  heard = performance.now();
  const line = socket = new WebSocket(new URL(liveUrl, location.href.replace(/^http/, "ws")));
  line.addEventListener("message", (event) => {
    if (line !== socket) return;
    heard = performance.now();
    attempts = 0;
    part("link").hidden = true;
    if (event.data) draw(JSON.parse(event.data));  // empty: only to say that the line stands
  });
  line.addEventListener("close", (event) => {
    if (stopped || line !== socket) return;
    if (event.code === SIGNED_OUT) return signedOut();
    again();
  });
}

function again() {
  broken();
  socket = null;
  calling = setTimeout(connect, Math.min(500 * 2 ** attempts, 10_000) * (0.75 + Math.random() / 2));
  attempts += 1;
}

/** A line may die without a word: a cable pulled, a hall of wireless. Nobody must take yesterday's list for today's. */
function listen() {
  if (stopped || !socket || performance.now() - heard < LINE_IS_DEAD_AFTER) return;
  const dead = socket;
  again();
  dead.close();
}

// ---- the screen itself
const button = part("fullscreen");
button.hidden = !document.fullscreenEnabled;
button.addEventListener("click", () => document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
document.addEventListener("fullscreenchange", () => {
  const full = document.fullscreenElement !== null;
  button.setAttribute("aria-pressed", String(full));
  button.lastChild.textContent = full ? "退出全屏" : "全屏";
});

/** A switch that this computer remembers. */
function remembered(name, usual, apply) {
  const toggle = part(name);
  const set = (on) => { toggle.setAttribute("aria-pressed", String(on)); apply(on); };
  let kept = null;
  try { kept = localStorage.getItem(`room-${name}`); } catch { /* then it is as usual */ }
  set(kept === null ? usual : kept === "yes");
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    const on = toggle.getAttribute("aria-pressed") !== "true";
    set(on);
    try { localStorage.setItem(`room-${name}`, on ? "yes" : "no"); } catch { /* for this once */ }
  });
}
remembered("dark", false, (on) => document.body.classList.toggle("is-dark", on));
remembered("names", true, (on) => room.classList.toggle("without-names", !on));

/** Keeps the screen from going dark where the browser can. */
const stayAwake = () => document.visibilityState === "visible" && navigator.wakeLock?.request("screen").catch(() => {});
document.addEventListener("visibilitychange", stayAwake);
stayAwake();

draw(JSON.parse(board));
room.dataset.started = "yes";
setInterval(tick, 250);
setInterval(listen, LOOK_EVERY);
tick();
ask();
connect();
