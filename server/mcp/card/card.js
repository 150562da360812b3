"use strict";
// Shows the question of a call or plan, as the result says it. It answers nothing, and calls one tool only: get_action.
// Everything is written with textContent: a text from outside never becomes part of the document.

const DATA = "ringfence/question"; // the key in `_meta` of a result
const READ = "get_action";
const FIRST_LOOK_MS = 5000;
const LONGEST_PAUSE_MS = 60000;
const MOST_LOOKS = 120;
const OPEN = ["proposed", "approved", "sending", "running", "stopped"];
const WORDS = {
  proposed: "Waiting", approved: "Approved", declined: "Declined", expired: "Expired", sending: "Under way",
  running: "Under way", stopped: "Stopped", failed: "Failed", done: "Done", refused: "Refused by the provider",
  unknown: "Outcome unknown", error: "Error",
};

const at = (id) => document.getElementById(id);
const pending = new Map();
let host = {};
let question = null;
let looks = 0;
let timer = null;
let nextId = 1;

function send(message) {
  window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
}

function request(method, params) {
  const id = nextId++;
  send({ id, method, params });
  return new Promise((resolve, reject) => pending.set(id, { resolve, reject }));
}

function write(id, text) {
  const element = at(id);
  element.textContent = text || "";
  element.hidden = !text;
}

function part(name, lines, kind) {
  if (!lines || !lines.length) return;
  const section = document.createElement("section");
  const heading = document.createElement("h2");
  heading.textContent = name;
  const text = document.createElement("p");
  text.className = `lines ${kind || ""}`;
  text.textContent = lines.join("\n");
  section.append(heading, text);
  at("parts").append(section);
  if (text.scrollHeight > text.clientHeight) text.tabIndex = 0; // so that it scrolls with the keyboard
}

function show() {
  const { state } = question;
  const waits = state === "proposed";
  at("state").textContent = WORDS[state] || state;
  at("state").dataset.state = state;
  write("title", question.title);
  write("amount", question.amount);
  write("final", question.final);
  write("status", [question.status, question.outcome].filter(Boolean).join(" "));
  at("parts").replaceChildren();
  part(waits ? "To check before approving" : "Notes", question.notes, "notes");
  part("Who has to approve", question.approvals ? [question.approvals] : []);
  part("What changes", question.changes);
  part("Call", question.call);
  part("Price", question.price);
  part("Caps", question.budgets); // told with the question alone
  part("Text from outside", question.outside ? [question.outside] : []);
  at("answer").hidden = !waits;
  write("where", question.where);
  at("open").hidden = !(waits && isPage(question.page) && host.openLinks);
  write("command", waits ? question.command : "");
  at("again").hidden = !(question.id && OPEN.includes(state) && host.serverTools);
  at("seen").textContent = `As of ${new Date().toLocaleTimeString()}.`;
  showTimeLeft();
}

function showTimeLeft() {
  const waits = question && question.state === "proposed" && question.expires_at;
  const seconds = waits ? Math.floor((Date.parse(question.expires_at) - Date.now()) / 1000) : 0;
  const span = seconds >= 7200 ? `${Math.floor(seconds / 3600)} hours`
    : seconds >= 120 ? `${Math.floor(seconds / 60)} minutes` : `${Math.max(0, seconds)} seconds`;
  at("left").textContent = !waits ? "" : seconds > 0 ? `${span} left to answer` : "The time to answer is over";
}

function isPage(address) {
  return typeof address === "string" && /^https?:\/\//.test(address);
}

function take(result) {
  const said = result.structuredContent || {};
  const given = (result._meta || {})[DATA];
  if (given) {
    question = given;
  } else {
    // A host may drop `_meta`; the result says the same in sentences.
    const text = (result.content || []).filter((one) => one.type === "text").map((one) => one.text);
    question = {
      id: said.action || said.plan, state: said.state || (result.isError ? "error" : "done"),
      title: said.title || (said.state ? "A call for approval" : result.isError ? "An error" : "Done"),
      outcome: said.outcome || said.message, where: said.approve, call: said.question ? [said.question] : text,
    };
  }
  show();
  plan();
}

function plan() {
  clearTimeout(timer);
  if (!host.serverTools || !question || !question.id || !OPEN.includes(question.state) || looks >= MOST_LOOKS) return;
  timer = setTimeout(() => { if (!document.hidden) look(); }, Math.min(FIRST_LOOK_MS * 1.3 ** looks, LONGEST_PAUSE_MS));
}

async function look() {
  clearTimeout(timer);
  looks += 1;
  const { id } = question;
  try {
    const result = await request("tools/call", { name: READ, arguments: { action_id: id } });
    const said = result.structuredContent || {};
    if (result.isError || (said.action || said.plan) !== id) throw new Error("not this one");
    const fresh = (result._meta || {})[DATA] || { state: said.state, status: said.status, outcome: said.outcome };
    const { page, command, where } = question;
    question = { ...question, outcome: "", page, command, where, ...fresh };
    show();
    plan();
  } catch {
    at("seen").textContent = "It cannot be read again here; ask the assistant, or look at the approval page.";
  }
}

function adapt(context) {
  if (context && (context.theme === "light" || context.theme === "dark")) {
    document.documentElement.style.colorScheme = context.theme;
  }
}

const NOTICES = {
  "ui/notifications/tool-result": take,
  "ui/notifications/tool-cancelled": () => write("status", "The call was cancelled in the client."),
  "ui/notifications/host-context-changed": adapt,
};

function receive(event) {
  const message = event.data;
  if (event.source !== window.parent || !message || message.jsonrpc !== "2.0") return;
  if (message.method === undefined) {
    const asked = pending.get(message.id);
    pending.delete(message.id);
    if (asked) message.error ? asked.reject(new Error(message.error.message)) : asked.resolve(message.result || {});
  } else if (message.id === undefined) {
    (NOTICES[message.method] || (() => {}))(message.params || {});
  } else if (message.method === "ping" || message.method === "ui/resource-teardown") {
    if (message.method === "ui/resource-teardown") clearTimeout(timer);
    send({ id: message.id, result: {} });
  } else {
    send({ id: message.id, error: { code: -32601, message: `No method ${message.method}` } });
  }
}

async function start() {
  window.addEventListener("message", receive);
  at("again").addEventListener("click", () => { looks = 0; look(); });
  at("open").addEventListener("click", () => {
    request("ui/open-link", { url: question.page }).catch(() => { write("where", `Open ${question.page}`); });
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) plan(); });
  setInterval(showTimeLeft, 1000);
  const greeting = await request("ui/initialize", {
    protocolVersion: "2026-01-26",
    appInfo: { name: "ringfence-question", version: "1" },
    appCapabilities: { availableDisplayModes: ["inline"] },
  });
  host = greeting.hostCapabilities || {};
  adapt(greeting.hostContext);
  send({ method: "ui/notifications/initialized", params: {} });
  new ResizeObserver(() => {
    const { width, height } = document.documentElement.getBoundingClientRect();
    send({ method: "ui/notifications/size-changed", params: { width: Math.ceil(width), height: Math.ceil(height) } });
  }).observe(document.documentElement);
}

start();
