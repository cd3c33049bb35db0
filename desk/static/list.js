// Deciding several rows of a list together, and taking that back.
"use strict";

const $ = (id) => document.getElementById(id);
const form = $("together");
const said = $("said").querySelector("[role=status]");
const rows = (number) => (number === 1 ? "1 row" : `${number.toLocaleString("en")} rows`);
const left = (answer) => `${answer.left.toLocaleString("en")} left.`;
const taken = new Map(); // the table's rows that are decided, by number, with what they stood before
let last = null; // what was decided last: its token and its rows

function showDecided(sent, answer) {
  for (const box of document.querySelectorAll("[name=number]")) {
    if (!answer.decided.includes(Number(box.value))) continue;
    const line = box.closest("tr");
    taken.set(Number(box.value), line);
    line.hidden = true;
    box.checked = false;
  }
  said.textContent = `${rows(answer.decided.length)} decided${sent.category === null ? "" : `: ${sent.category}`}. ${left(answer)}`;
  last = { batch: sent.token, numbers: answer.decided };
  $("undo").hidden = $("see").hidden = !answer.decided.length;
  $("see").href = `${location.pathname.replace(/list$/, "decided")}?batch=${encodeURIComponent(sent.token)}`;
  complain(answer);
}

function showOpened(answer) {
  for (const number of answer.opened) if (taken.has(number)) taken.get(number).hidden = false;
  said.textContent = `${rows(answer.opened.length)} open again. ${left(answer)}`;
  $("undo").hidden = $("see").hidden = true;
  complain(answer);
}

const complain = (answer) => desk.complain(answer.refused.map((each) => `Line ${each.line}: ${each.why}`).join(" "));
const api = `/api${location.pathname.replace(/\/list$/, "")}`;

async function deliver(address, sent, show) {
  for (const button of document.querySelectorAll("#together button, #undo")) button.disabled = true;
  try {
    show(await desk.deliver(address, sent));
  } catch (error) {
    desk.complain(error.message);
  }
  for (const button of document.querySelectorAll("#together button, #undo")) button.disabled = false;
}

async function decide(category) {
  const chosen = [...form.querySelectorAll("[name=number]:checked")].filter((box) => !box.closest("tr").hidden);
  if (!chosen.length) return desk.complain("No row is chosen: tick the rows first.");
  const numbers = chosen.map((box) => Number(box.value));
  const sent = { window: desk.window(), numbers, category, token: crypto.randomUUID() };
  await deliver(`${api}/decide-together`, sent, (answer) => showDecided(sent, answer));
}

if (form) {
  $("all").addEventListener("change", (event) => {
    for (const box of form.querySelectorAll("[name=number]")) box.checked = event.target.checked && !box.closest("tr").hidden;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    decide($("category").value);
  });
  $("as-predicted").addEventListener("click", () => decide(null));
}
$("undo").addEventListener("click", () =>
  deliver(`${api}/take-back`, { window: desk.window(), ...last, token: crypto.randomUUID() }, showOpened),
);

desk.redeliver().then(
  (found) => {
    if (found?.address === `${api}/decide-together`) showDecided(found.sent, found.answer);
    if (found?.address === `${api}/take-back`) location.reload(); // the rows that are open again stand in the list then
  },
  (error) => desk.complain(error.message),
);
