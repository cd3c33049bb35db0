// One row at a time. A decision counts when the desk has answered that it is stored: until then it is kept in
// this window and sent again, with the same token, so that it is stored once.
"use strict";

const MOST_FOUND = 12;
const PACE_MINUTES = 5;
const LOOK_AGAIN_MILLISECONDS = 5000;
const SEEN_MILLISECONDS = 250; // after a row has appeared: what is pressed sooner was meant for the one before
const TYPING_MILLISECONDS = 300; // in which a second letter makes a name of S, U or N
const $ = (id) => document.getElementById(id);
const place = $("desk");
const base = place.dataset.base;
const api = `/api${base}`;
const kept = {
  read: (name, otherwise) => JSON.parse(sessionStorage.getItem(`${api} ${name}`)) ?? otherwise,
  write: (name, value) => sessionStorage.setItem(`${api} ${name}`, JSON.stringify(value)),
};

let row = null;
let choices = [];
let categories = [];
let common = [];
let first = new URLSearchParams(location.search).get("row"); // that is wanted before all others
let active = -1; // of what was found
let skipped = 0;
let held = null; // a letter that is a command, or begins a category's name: the next one tells

// What is pressed while a row is stored and the next one comes is not for a row that nobody has seen: it is dropped.
const busy = () => place.getAttribute("aria-busy") === "true";
const setBusy = (is) => place.setAttribute("aria-busy", String(is));

async function next() {
  setBusy(true);
  try {
    const { group, category } = place.dataset;
    const answer = await desk.insist(`${api}/next`, {
      window: desk.window(),
      group: group || null,
      category: category || null,
      number: first === null ? null : Number(first),
    });
    if (first !== null && String(answer.row?.number) !== first)
      desk.complain("The row that you wanted is decided, or open at somebody else: this is the next one.");
    first = null;
    skipped = answer.skipped;
    show(answer);
    if (row) await new Promise((done) => setTimeout(done, SEEN_MILLISECONDS));
  } catch (error) {
    desk.complain(error.message);
  }
  setBusy(false);
}

function show(answer) {
  row = answer.row;
  place.hidden = !row;
  $("done").hidden = Boolean(row);
  progress(answer);
  if (!row) return showEnd(answer);
  $("line").textContent = `Line ${row.line.toLocaleString("en")}`;
  $("like").href = `${base}/list?like=${row.number}`;
  $("text").replaceChildren(...marked(row.text, row.words));
  $("cells").replaceChildren(...[...row.cells, ...(row.given ? [["given category", row.given]] : [])].map(cell));
  const others = common.filter((each) => !row.candidates.includes(each));
  choices = [...row.candidates, ...others].slice(0, 9);
  $("choices").replaceChildren(...choices.map(choice));
  $("search").value = $("note").value = "";
  $("note-line").hidden = true;
  find();
  $("text").focus({ preventScroll: true });
}

function showEnd(answer) {
  const open = answer.left - answer.skipped;
  const filtered = place.dataset.group || place.dataset.category;
  $("done-text").textContent =
    answer.left === 0
      ? "All rows are decided."
      : `No row is left here${filtered ? " of this choice" : ""}: ` +
        [
          answer.skipped ? `you skipped ${answer.skipped.toLocaleString("en")}` : "",
          open > 0 ? `${open.toLocaleString("en")} left elsewhere, at other people or of other kinds` : "",
        ]
          .filter(Boolean)
          .join(", ") + ".";
  $("unskip").hidden = !answer.skipped;
  if (document.activeElement !== $("done-text")) $("done-text").focus();
  if (open > 0) setTimeout(() => row || busy() || next(), LOOK_AGAIN_MILLISECONDS); // one may be given back
}

function cell([name, text]) {
  const made = desk.element("div");
  made.append(desk.element("dt", name), desk.element("dd", text));
  return made;
}

function choice(category, number) {
  const button = desk.element("button", "", { type: "button", "data-choice": number });
  button.append(...(byNumber() || !number ? [desk.element("kbd", byNumber() ? String(number + 1) : "Enter"), " "] : []), category);
  if (number === 0) button.classList.add("first");
  button.addEventListener("click", () => decide(category));
  const made = desk.element("li");
  made.append(button);
  return made;
}

/** Return whether a digit takes a category: where names begin with digits, it begins a name. */
function byNumber() {
  return !categories.some((each) => /^\p{N}/u.test(each));
}

/** Return the text with the words that decided marked; each part is text and never markup. */
function marked(text, words) {
  const wanted = words.filter(Boolean).map((each) => each.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (!wanted.length) return [document.createTextNode(text)];
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(${wanted.join("|")})(?![\\p{L}\\p{N}])`, "giu");
  return text.split(pattern).map((part, at) => (at % 2 ? desk.element("mark", part) : document.createTextNode(part)));
}

function progress({ left, rows }) {
  if (rows) $("bar").max = rows;
  $("bar").value = $("bar").max - left;
  $("left").textContent = `${left.toLocaleString("en")} of ${$("bar").max.toLocaleString("en")} left${skipped ? `, ${skipped.toLocaleString("en")} of them skipped by you` : ""}`;
  const since = Date.now() - PACE_MINUTES * 60_000;
  const times = kept.read("times", []).filter((time) => time > since);
  const minutes = times.length > 1 ? (Date.now() - times[0]) / 60_000 : 0;
  $("pace").textContent = minutes > 0.1 ? `${Math.round(times.length / minutes)} a minute` : "";
}

async function decide(category) {
  if (busy() || !row) return;
  setBusy(true);
  const sent = {
    window: desk.window(),
    number: row.number,
    category,
    revision: row.revision,
    token: crypto.randomUUID(),
    note: $("note").value,
    before: kept.read("history", []).at(-1)?.number ?? null,
  };
  kept.write("pending", sent);
  await store(sent);
  await next();
}

/** Send a decision until it is stored or refused, and remember it to be taken back. */
async function store(sent) {
  try {
    const made = await desk.insist(`${api}/decide`, sent);
    desk.complain("");
    const history = kept.read("history", []);
    const told = history.map((each) => (each.number === made.before?.number ? { ...each, ...made.before } : each));
    kept.write("history", sent.category === null ? history.slice(0, -1) : [...told, made].slice(-100));
    if (sent.category !== null) kept.write("times", [...kept.read("times", []), Date.now()].slice(-500));
    progress(made);
  } catch (error) {
    if (sent.category === null) kept.write("history", kept.read("history", []).slice(0, -1));
    desk.complain(error.message);
  }
  kept.write("pending", null);
  showHistory();
}

async function undo() {
  const last = kept.read("history", []).at(-1);
  if (busy() || !last) return;
  setBusy(true);
  const sent = {
    window: desk.window(),
    number: last.number,
    category: null,
    revision: last.revision,
    token: crypto.randomUUID(),
  };
  kept.write("pending", sent);
  await store(sent);
  await next();
}

async function skip(number) {
  if (busy()) return;
  setBusy(true);
  try {
    await desk.insist(`${api}/skip`, { window: desk.window(), number });
  } catch (error) {
    desk.complain(error.message);
  }
  await next();
}

/** Return what the model had said; of the last decision it is not told yet, so that U corrects it blindly. */
function said(made) {
  if (!made.said) return "";
  const sure = made.confidence ? `, ${Math.floor(100 * made.confidence)}% sure` : "";
  return made.said === made.category ? ` (so did the model${sure})` : ` (the model: ${made.said}${sure})`;
}

function showHistory() {
  const lines = kept.read("history", []).slice(-10).reverse();
  $("history").replaceChildren(
    ...lines.map((made) => {
      const line = desk.element("li", `Line ${made.line.toLocaleString("en")}: `);
      line.append(desk.element("b", made.category), said(made));
      return line;
    }),
  );
  $("undo").disabled = $("undo-done").disabled = !lines.length;
}

function find() {
  const typed = $("search").value.trim().toLocaleLowerCase();
  const has = typed ? categories.filter((each) => each.toLocaleLowerCase().includes(typed)) : [];
  const begins = has.filter((each) => each.toLocaleLowerCase().startsWith(typed));
  const found = [...begins, ...has.filter((each) => !begins.includes(each))].slice(0, MOST_FOUND);
  active = found.length ? 0 : -1;
  $("found").replaceChildren(
    ...found.map((category, at) => {
      const option = desk.element("li", category, { role: "option", id: `found-${at}` });
      option.addEventListener("mousedown", (event) => {
        event.preventDefault();
        decide(category);
      });
      return option;
    }),
  );
  if (typed && !found.length) $("found").append(desk.element("li", "No category has this in its name. None of these? Esc, then 0.", { role: "option", "aria-disabled": "true" }));
  $("found").hidden = !typed;
  $("search").setAttribute("aria-expanded", String(Boolean(typed)));
  choose(0);
}

function choose(step) {
  const options = [...$("found").querySelectorAll("[id]")];
  if (options.length) active = (active + step + options.length) % options.length;
  options.forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
  if (options.length) {
    $("search").setAttribute("aria-activedescendant", options[active].id);
    options[active].scrollIntoView({ block: "nearest" });
  } else $("search").removeAttribute("aria-activedescendant");
}

function inSearch(event) {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") choose(event.key === "ArrowDown" ? 1 : -1);
  else if (event.key === "Enter" && active >= 0) decide($(`found-${active}`).textContent);
  else if (event.key === "Escape") {
    $("search").value = "";
    find();
    $("text").focus();
  } else return;
  event.preventDefault();
}

function inNote(event) {
  if (event.key === "Enter" || event.key === "Escape") {
    if (event.key === "Escape") $("note").value = "";
    event.preventDefault();
    $("text").focus();
  }
}

function search(first) {
  $("search").value = first;
  $("search").focus();
  find();
}

function note() {
  $("note-line").hidden = false;
  $("note").focus();
}

const KEYS = {
  s: () => row && skip(row.number),
  u: undo,
  n: () => row && note(),
  0: () => row && decide($("none").dataset.none),
  "?": () => $("keys").showModal(),
  "/": () => row && search(""),
};

const begins = (letter) => categories.some((each) => each.toLocaleLowerCase().startsWith(letter));

/** Wait a moment whether a letter is a command or begins a name. */
function hold(letter) {
  const timer = setTimeout(() => KEYS[release()](), TYPING_MILLISECONDS);
  held = { letter, timer };
}

function release() {
  const { letter, timer } = held;
  clearTimeout(timer);
  held = null;
  return letter;
}

addEventListener("keydown", (event) => {
  if ($("keys").open || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.repeat && event.key !== "Backspace" && !/^Arrow/.test(event.key)) return event.preventDefault(); // held down
  if (event.target === $("search")) return inSearch(event);
  if (event.target === $("note")) return inNote(event);
  if (/^(SELECT|INPUT|BUTTON|A)$/.test(event.target.tagName) && /^(Enter| |Arrow.*|Tab)$/.test(event.key)) return;
  if (event.target.tagName === "SELECT") return;
  const key = event.key.toLowerCase();
  const letter = /^[\p{L}\p{N}]$/u.test(event.key);
  if (held && row && letter) search(release() + event.key);
  else if (event.key === "Enter" && row) decide(choices[0]);
  else if (/^[1-9]$/.test(event.key) && byNumber()) choices[event.key - 1] && decide(choices[event.key - 1]);
  else if (row && letter && key in KEYS && begins(key)) hold(key);
  else if (key in KEYS) KEYS[key]();
  else if (row && letter) search(event.key);
  else return;
  event.preventDefault();
});

$("search").addEventListener("input", find);
$("none").addEventListener("click", KEYS[0]);
$("skip").addEventListener("click", () => skip(row.number));
$("undo").addEventListener("click", undo);
$("undo-done").addEventListener("click", undo);
$("unskip").addEventListener("click", () => skip(null));
$("add-note").addEventListener("click", note);
$("show-keys").addEventListener("click", KEYS["?"]);
$("filters").addEventListener("change", () => $("filters").submit());

(async () => {
  showHistory();
  try {
    ({ categories, common } = await desk.read(await fetch(`${api}/categories`)));
    if (!kept.read("history", []).length) kept.write("history", await desk.read(await fetch(`${api}/recent`)));
    showHistory();
    const pending = kept.read("pending", null);
    if (pending) await store(pending);
    await next();
  } catch (error) {
    desk.complain(error.status ? error.message : "The desk does not answer: load the page again.");
  }
})();
