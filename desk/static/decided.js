// Changing or taking back what was decided. A row that somebody has changed meanwhile is told and left.
"use strict";

const list = document.getElementById("decided");
const back = document.getElementById("all-back");
const said = document.getElementById("said");
const api = `/api${location.pathname.replace(/\/decided$/, "")}`;

async function change(row, category, note) {
  for (const button of row.querySelectorAll("button")) button.disabled = true;
  try {
    const made = await desk.deliver(`${api}/decide`, {
      window: desk.window(),
      number: Number(row.dataset.number),
      category,
      revision: Number(row.dataset.revision),
      token: crypto.randomUUID(),
      note,
    });
    show(row, made);
  } catch (error) {
    desk.complain(error.message);
  }
  for (const button of row.querySelectorAll("button")) button.disabled = false;
}

function show(row, made) {
  desk.complain("");
  row.dataset.revision = made.revision;
  row.querySelector(".now").textContent = made.category ?? "open again";
  const line = `Line ${made.line.toLocaleString("en")}`;
  said.textContent = made.category === null ? `${line} is open again.` : `${line} is ${made.category} now.`;
  row.querySelector(".change").hidden = made.category === null;
  row.querySelector(".anew").hidden = made.category !== null;
  for (const field of row.querySelectorAll("input")) field.value = "";
}

list?.addEventListener("submit", (event) => {
  event.preventDefault();
  const { category, note } = event.target.elements;
  change(event.target.closest("li"), category.value, note.value);
});
list?.addEventListener("click", (event) => {
  if ("back" in event.target.dataset) change(event.target.closest("[data-number]"), null, "");
});
back?.addEventListener("click", async () => {
  back.disabled = true;
  try {
    const { opened, refused } = await desk.deliver(`${api}/take-back`, {
      window: desk.window(),
      numbers: back.dataset.numbers.split(" ").map(Number),
      batch: back.dataset.batch,
      token: crypto.randomUUID(),
    });
    back.hidden = true;
    for (const number of opened) {
      const row = list.querySelector(`[data-number="${number}"]`);
      if (row) show(row, { line: Number(row.dataset.line), category: null, revision: Number(row.dataset.revision) + 1 });
    }
    said.textContent = `${opened.length === 1 ? "1 row is" : `${opened.length.toLocaleString("en")} rows are`} open again.`;
    desk.complain(refused.map((each) => `Line ${each.line}: ${each.why}`).join(" "));
  } catch (error) {
    back.disabled = false;
    desk.complain(error.message);
  }
});

desk.redeliver().then(
  (found) => found && location.reload(), // the page was made before it was stored
  (error) => desk.complain(error.message),
);
