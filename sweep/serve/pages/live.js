// Keeps a page up to date: listens to one stream of events and fetches the parts that have changed.
// Without it, every page is whole and is read again by its reload button.
"use strict";

const MIN_BETWEEN = 2000; // ms between two fetches of a part
const MIN_SAID = 10000; // ms between two sentences for screen readers
const root = document.documentElement;
root.classList.add("script");

const main = document.querySelector("main");
const said = document.getElementById("said");
const pause = document.getElementById("pause");
let stream = null;
let place = main?.dataset.place || "";
const due = new Map();
const fetched = new Map();
let lastSaid = 0;

function say(text) {
  const now = Date.now();
  if (said && now - lastSaid > MIN_SAID) {
    lastSaid = now;
    said.textContent = text;
  }
}

function isPaused() {
  try {
    return localStorage.getItem("paused") === "1";
  } catch {
    return false;
  }
}

async function refresh(part) {
  const section = document.querySelector(`[data-part="${part}"]`);
  if (!section) return;
  fetched.set(part, Date.now());
  const address = new URL(location.href);
  address.hash = "";
  address.searchParams.set("part", part);
  let answer;
  try {
    answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  } catch {
    return; // the stream tells when the service is there again
  }
  if (answer.redirected) return;
  if (!answer.ok) {
    if (answer.status >= 500) setTimeout(() => wish("all"), MIN_SAID); // it may be better then
    return;
  }
  const text = await answer.text();
  // what somebody types into or has opened stays as it is
  if (section.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) return;
  const focus = section.contains(document.activeElement) ? document.activeElement.id : "";
  const open = [...section.querySelectorAll("details[open][id]")].map((one) => one.id);
  section.innerHTML = text;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  const state = section.querySelector("[data-state]")?.dataset.state;
  if (state && state !== section.dataset.saidState) {
    if (section.dataset.saidState) say(state);
    section.dataset.saidState = state;
  }
}

function wish(kind) {
  for (const section of document.querySelectorAll("[data-part]")) {
    const kinds = (section.dataset.on || "").split(" ");
    if (kind !== "all" && !kinds.includes(kind)) continue;
    const part = section.dataset.part;
    if (due.has(part)) continue;
    const between = Number(section.dataset.every || MIN_BETWEEN);
    const wait = Math.max(0, (fetched.get(part) || 0) + between - Date.now());
    due.set(part, setTimeout(() => { due.delete(part); refresh(part); }, wait));
  }
}

function listen() {
  if (stream || isPaused() || !main || !("live" in main.dataset)) return;
  const address = new URL("/api/v1/events", location.href);
  if (main.dataset.live) address.searchParams.set("sweep", main.dataset.live);
  if (place) address.searchParams.set("after", place);
  stream = new EventSource(address);
  const hear = (event) => {
    if (event.lastEventId) place = event.lastEventId;
    if (event.type === "reset") {
      wish("all");
      stop();
      setTimeout(listen, 1000);
    } else if (event.type === "bye") {
      stop();
      setTimeout(listen, 3000);
    } else {
      wish(event.type);
    }
  };
  for (const kind of ["job", "sweep", "wave", "epochs", "finished", "opening", "process", "reset", "bye"]) {
    stream.addEventListener(kind, hear);
  }
  let wasOpen = false;
  stream.onopen = () => {
    if (wasOpen) wish("all"); // it was away, and may have been another service
    wasOpen = true;
  };
  stream.onerror = () => {
    if (stream && stream.readyState === EventSource.CLOSED) {
      stop();
      setTimeout(listen, 5000);
    }
  };
}

function stop() {
  stream?.close();
  stream = null;
}

function showPause() {
  if (!pause) return;
  pause.setAttribute("aria-pressed", String(isPaused()));
}

pause?.addEventListener("click", () => {
  try {
    localStorage.setItem("paused", isPaused() ? "0" : "1");
  } catch { /* it holds for this page only */ }
  showPause();
  if (isPaused()) stop();
  else {
    wish("all");
    listen();
  }
});

for (const form of document.querySelectorAll("form[data-sure]")) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.sure)) event.preventDefault();
  });
}

async function signIn() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token || location.pathname !== "/signin") return;
  history.replaceState(null, "", "/signin");
  const answer = await fetch("/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  location.replace(answer.ok ? "/" : "/signin?wrong=1");
}

signIn();
addEventListener("hashchange", signIn); // the printed address, pasted into this very page
showPause();
listen();
addEventListener("pagehide", stop);
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    wish("all");
    listen();
  }
});
