// Deciding several rows of a list together.
"use strict";

const form = document.getElementById("together");
if (form) {
  const boxes = [...form.querySelectorAll("[name=number]")];
  document.getElementById("all").addEventListener("change", (event) => {
    for (const box of boxes) box.checked = event.target.checked && !box.disabled;
  });
  const decide = async (category) => {
    const chosen = boxes.filter((box) => box.checked && box.isConnected);
    if (!chosen.length) return desk.complain("No row is chosen: tick the rows first.");
    try {
      const answer = await desk.post(`/api${form.dataset.base}/decide-together`, {
        window: desk.window(),
        numbers: chosen.map((box) => Number(box.value)),
        category,
        token: crypto.randomUUID(),
      });
      for (const box of chosen) if (answer.decided.includes(Number(box.value))) box.closest("tr").remove();
      const rows = answer.decided.length === 1 ? "1 row" : `${answer.decided.length} rows`;
      document.getElementById("said").textContent =
        `${rows} decided${category === null ? "" : `: ${category}`}. ${answer.left.toLocaleString("en")} left.`;
      desk.complain(answer.refused.map((each) => `Line ${each.line}: ${each.why}`).join(" "));
    } catch (error) {
      desk.complain(error.status && error.status < 500 ? error.message : "The desk does not answer, and some of the rows may be decided: load the page again to see which are left.");
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    decide(document.getElementById("category").value);
  });
  document.getElementById("as-predicted").addEventListener("click", () => decide(null));
}
