// Stopping a run, or letting it go on. The buttons come and go with what the page shows.
"use strict";

const run = document.getElementById("run");
run.addEventListener("click", async (event) => {
  const { change } = event.target.dataset;
  if (!change) return;
  if (change === "stop" && !(await confirmed("Stop this run for everybody? It can go on later from the step that it is at."))) return;
  event.target.disabled = true;
  try {
    await desk.post(`/api/runs/${run.dataset.run}/change`, { change });
    location.reload();
  } catch (error) {
    event.target.disabled = false;
    desk.complain(error.message);
  }
});
