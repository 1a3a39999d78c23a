// The page at /: asks the API of this server, and writes what it hears as text, never as markup.
"use strict";

const N_ITEMS = 10;
const N_EVENTS = 50;
const N_USERS = 40;

const at = (id) => document.getElementById(id);
let shown = null; // who is shown, and where each item stood: { user, answer, total, places }
let kinds = new Map(); // the events that the bundle's log knows, each by the key that sends it
let yes = {}; // what makes any of them a yes to the bundle: a value, a dwell
let kindsOf = null; // the bundle that said so
let newest = 0; // the number of the newest question: older answers come too late

// An element with a class and a text or children.
function make(tag, name, ...content) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...content.filter((part) => part !== null));
  return element;
}

// Asks the server; a problem becomes an error with its words.
async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer. Is it still running?");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) {
    throw Object.assign(new Error(answer?.detail ?? `The server answered ${response.status}.`), { code: answer?.code });
  }
  return answer;
}

function say(error) {
  at("problem").textContent = error ? error.message : "";
  at("problem").hidden = !error;
}

// Runs work that a person asked for, and shows what goes wrong with it.
async function attempt(work) {
  try {
    await work();
    say(null);
  } catch (error) {
    say(error);
  }
}

async function findUsers(prefix) {
  const { users } = await ask(`/v1/users?n=${N_USERS}&prefix=${encodeURIComponent(prefix)}`);
  at("people-list").replaceChildren(...users.map((user) => {
    const button = make("button", "", make("span", "", user.user_id), make("span", "quiet", String(user.events)));
    button.type = "button";
    button.dataset.user = user.user_id;
    button.setAttribute("aria-label", `${user.user_id}, ${user.events} events`);
    button.addEventListener("click", () => attempt(() => show(user.user_id)));
    return make("li", "", button);
  }));
  at("users").replaceChildren(...users.map((user) => {
    const option = document.createElement("option");
    option.value = user.user_id;
    return option;
  }));
  at("people-empty").hidden = users.length > 0;
  markUser();
  return users;
}

function markUser() {
  for (const button of at("people-list").querySelectorAll("button")) {
    const isShown = button.dataset.user === shown?.user;
    button.setAttribute("aria-current", String(isShown));
    if (isShown) {
      button.lastChild.textContent = String(shown.total);
      button.setAttribute("aria-label", `${shown.user}, ${shown.total} events`);
    }
  }
}

async function historyOf(user) {
  try {
    return await ask(`/v1/users/${encodeURIComponent(user)}/history?n=${N_EVENTS}`);
  } catch (error) {
    if (error.code === "unknown_user") return { known: false, total: 0, events: [] };
    throw error;
  }
}

// Learns the words of the bundle's events. The key of each is its first letter that is free, or else a digit.
async function learnKinds() {
  const { bundle, kinds: words, ...rest } = await ask("/page/kinds.json");
  yes = rest;
  kinds = new Map();
  words.forEach((word, place) => {
    const letter = [...word.toLowerCase()].find((one) => /[a-z]/.test(one) && !kinds.has(one));
    kinds.set(letter ?? String(place + 1), word);
  });
  kindsOf = bundle;
  at("keys").replaceChildren(...[...kinds].flatMap(([key, word]) => [make("kbd", "", key), ` ${word}, `]));
}

// Shows a user. `places` says where each item stood before, where something has just changed.
async function show(user, places = null) {
  const number = ++newest;
  const [answer, history] = await Promise.all([
    ask("/v1/recommend", { user_id: user, n: N_ITEMS, return_attributes: ["title", "category"] }),
    historyOf(user),
  ]);
  if (answer.bundle !== kindsOf) await learnKinds();
  if (number !== newest) return;
  const titles = new Map(history.events.map((event) => [event.item_id, event.title ?? event.item_id]));
  shown = { user, answer, titles, total: history.total, places: new Map(answer.items.map((item) => [item.item_id, item.rank])) };
  at("user").value = user;
  keepAddress(user);
  showAnswer(answer, places);
  showHistory(history);
  markUser();
}

// The address names the user, so that a page can be kept and sent.
function keepAddress(user) {
  const address = `?user=${encodeURIComponent(user)}`;
  if (location.search !== address) window.history.replaceState(null, "", address);
}

function showAnswer(answer, places) {
  at("bundle").textContent = `bundle ${answer.bundle}`;
  const words = [`For ${shown.user}: ${answer.items.length} items in ${answer.took_ms.toFixed(1)} ms`];
  words.push(answer.personalised ? "personalised" : "not personalised");
  if (answer.fallback_used.length) words.push(`filled up with ${answer.fallback_used.join(", ").replaceAll("_", " ")}`);
  if (answer.degraded.length) {
    words.push(`missing: ${answer.degraded.map((missing) => `${missing.channel} (${missing.cause})`).join(", ")}`);
  }
  if (places) {
    const changed = answer.items.filter((item) => places.get(item.item_id) !== item.rank).length;
    words.push(changed ? `${changed} of them new or moved since your event` : "as before your event");
  }
  at("summary").textContent = `${words.join(" · ")}.`;
  const scores = answer.items.map((item) => item.score);
  const [least, most] = [Math.min(0, ...scores), Math.max(...scores)];
  const share = (score) => (most > least ? (score - least) / (most - least) : 0);
  at("items").replaceChildren(...answer.items.map((item) => itemRow(item, share(item.score), places)));
  at("items-empty").hidden = answer.items.length > 0;
}

function itemRow(item, share, places) {
  const title = item.attributes.title ?? item.item_id;
  const category = [].concat(item.attributes.category ?? []).join(", ");
  const name = make("span", "name", title);
  const quiet = [title === item.item_id ? "" : item.item_id, category].filter(Boolean).join(" · ");
  if (quiet) name.append(make("span", "id", quiet));
  if (places) name.append(...mark(places.get(item.item_id), item.rank));
  const acts = make("span", "acts", ...[...kinds.values()].map((kind) => {
    const button = make("button", "", kind);
    button.type = "button";
    button.dataset.kind = kind;
    button.setAttribute("aria-label", `${kind} ${title}`);
    button.addEventListener("click", () => attempt(() => send(item.item_id, kind)));
    return button;
  }));
  const sources = item.channels.map((source) => {
    const chip = make("span", "chip", make("b", "", source.name), ` #${source.rank} · ${number(source.score)}`);
    chip.title = `${source.name} found it at rank ${source.rank} with score ${source.score}`;
    return chip;
  });
  if (item.reason) {
    const names = item.reason.item_ids.map((id) => shown.titles.get(id) ?? id);
    sources.push(make("span", "chip because", `because of ${names.join(", ")}`));
  }
  const found = sources.length ? sources : [make("span", "chip", "no channel: among the most frequent")];
  const row = make("li", "", make("span", "rank", String(item.rank)), name, acts,
    make("span", "score", bar(share), number(item.score)), make("span", "found", ...found));
  row.tabIndex = item.rank === 1 ? 0 : -1;
  row.dataset.item = item.item_id;
  return row;
}

// What changed: nothing where the item stands where it stood.
function mark(before, rank) {
  if (before === rank) return [];
  if (before === undefined) return [make("span", "mark new", "new")];
  const steps = before - rank;
  return [make("span", steps > 0 ? "mark up" : "mark down", `${steps > 0 ? "▲" : "▼"} ${Math.abs(steps)}`)];
}

// A bar as long as the share; as SVG, for the policy allows no style.
function bar(share) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const rect = document.createElementNS(space, "rect");
  svg.setAttribute("aria-hidden", "true");
  rect.setAttribute("width", `${(100 * share).toFixed(1)}%`);
  rect.setAttribute("height", "100%");
  svg.append(rect);
  return svg;
}

function number(value) {
  const size = Math.abs(value);
  return size !== 0 && (size < 0.001 || size >= 100000) ? value.toExponential(2) : value.toPrecision(3);
}

function showHistory(history) {
  at("history-summary").textContent = history.total
    ? `${history.total} events${history.total > history.events.length ? `, the newest ${history.events.length}` : ""}${history.known ? "" : "; the bundle does not know this user"}`
    : "";
  at("events").replaceChildren(...history.events.map((event) => make("li", "",
    make("span", "", event.title ?? event.item_id),
    make("span", "chip", event.counts ? event.type : `${event.type}, does not count`),
    make("span", "when", [event.title ? event.item_id : "", when(event.timestamp)].filter(Boolean).join(" · ")))));
  at("events-empty").hidden = history.events.length > 0;
}

function when(millis) {
  if (millis === null || millis === undefined) return "time unknown";
  const time = new Date(millis);
  return Number.isNaN(time.getTime()) ? "" : time.toISOString().slice(0, 19).replace("T", " ");
}

// Sends an event and shows what it changed. The focus stays on the place in the list.
async function send(item, kind) {
  const { user, answer, places } = shown;
  const place = [...at("items").children].findIndex((row) => row.dataset.item === item);
  const event = { user_id: user, item_id: item, type: kind, recomm_id: answer.recomm_id, ...yes };
  const taken = await ask("/v1/events", { events: [event] });
  if (taken.rejected.length) throw new Error(`The event was rejected: ${taken.rejected[0].detail}.`);
  const held = at("items").contains(document.activeElement);
  await show(user, places);
  if (held) focusRow(place);
}

function focusRow(place) {
  const rows = [...at("items").children];
  if (!rows.length) return;
  const row = rows[Math.max(0, Math.min(place, rows.length - 1))];
  for (const other of rows) other.tabIndex = other === row ? 0 : -1;
  row.focus();
}

at("items").addEventListener("keydown", (event) => {
  const row = event.target.closest("li");
  if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = [...at("items").children];
  const moves = { ArrowDown: 1, ArrowUp: -1, Home: -rows.length, End: rows.length };
  if (event.key in moves) {
    event.preventDefault();
    focusRow(rows.indexOf(row) + moves[event.key]);
  } else if (kinds.has(event.key)) {
    event.preventDefault();
    attempt(() => send(row.dataset.item, kinds.get(event.key)));
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== at("user")) {
    event.preventDefault();
    at("user").select();
  }
});

at("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const user = at("user").value.trim();
  if (user) attempt(() => show(user));
});

let typing = 0;
at("user").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => attempt(() => findUsers(at("user").value.trim())), 150);
});

attempt(async () => {
  const users = await findUsers("");
  const wanted = new URLSearchParams(location.search).get("user") ?? users[0]?.user_id;
  if (wanted) await show(wanted);
});
